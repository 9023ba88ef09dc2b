import { metallbClass } from "./metallb-values.ts";

/** How the outside reaches Traefik: an address that moves between nodes, or the ports of the only node. */
export type Exposure = "loadBalancer" | "hostPort";

/** Name of the host's ingress class, also in the guests. */
export const ingressClassName = "traefik";

/** What Traefik's Helm values follow from. */
export interface TraefikSettings {
  readonly namespace: string;
  readonly exposure: Exposure;
  /** Published in the status of every Ingress: the name that tenants point a CNAME at. */
  readonly entrypoint: string;
  /** The address that MetalLB gives it; undefined where whatever is there gives one, or where there is none to give. */
  readonly address?: string;
  /** Tag of the image, where the chart's own is not safe. */
  readonly imageTag: string;
}

/**
 * Values for Traefik's chart, for Ingresses that strangers write: no reference across namespaces or providers, no
 * Ingress without our class, no default TLS settings but the platform's, no dashboard.
 *
 * `crossProviderNamespaces` names the platform's own namespace because the chart leaves an empty list out, and to
 * Traefik an absent list means everybody.
 */
export function traefikValues({
  namespace,
  exposure,
  entrypoint,
  address,
  imageTag,
}: TraefikSettings): Record<string, unknown> {
  const hostPort = exposure === "hostPort";
  const transport = {
    // A minute, Traefik's default, cuts slow uploads off.
    respondingTimeouts: { readTimeout: "300s", idleTimeout: "180s" },
    lifeCycle: { requestAcceptGraceTimeout: "10s", graceTimeOut: "30s" },
  };
  return {
    image: { tag: imageTag },
    global: { checkNewVersion: false, sendAnonymousUsage: false },
    deployment: { kind: "DaemonSet", terminationGracePeriodSeconds: 60 },
    // The chart's default of maxSurge 1 is refused for a DaemonSet, and could not be scheduled with host ports.
    updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
    podDisruptionBudget: { enabled: true, maxUnavailable: 1 },
    priorityClassName: "system-cluster-critical",
    resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "512Mi" } },
    ingressClass: { enabled: true, isDefaultClass: false, name: ingressClassName },
    core: { strictTLSOptions: true },
    api: { dashboard: false },
    ingressRoute: { dashboard: { enabled: false } },
    gateway: { enabled: false },
    providers: {
      kubernetesCRD: {
        enabled: true,
        allowCrossNamespace: false,
        allowExternalNameServices: false,
        crossProviderNamespaces: [namespace],
        defaultTLSResourcesNamespace: namespace,
        safeNaming: true,
      },
      kubernetesIngress: {
        enabled: true,
        ingressClass: ingressClassName,
        allowExternalNameServices: false,
        crossProviderNamespaces: [namespace],
        strictPrefixMatching: true,
        publishedService: { enabled: false },
        ingressEndpoint: { hostname: entrypoint },
      },
      kubernetesGateway: { enabled: false },
    },
    ports: {
      web: {
        asDefault: true,
        // Without it the redirect would answer ACME's HTTP-01 requests for names that have no certificate yet.
        allowACMEByPass: true,
        ...(hostPort ? { hostPort: 80 } : {}),
        http: { redirections: { entryPoint: { to: "websecure", scheme: "https", permanent: true } } },
        transport,
      },
      websecure: {
        asDefault: true,
        ...(hostPort ? { hostPort: 443 } : {}),
        http: { tls: { enabled: true }, maxHeaderBytes: 65536 },
        transport,
      },
    },
    tlsOptions: { default: { minVersion: "VersionTLS12", sniStrict: true } },
    service: {
      // Whether an address is assigned is a matter of the load balancer; waiting for it would block the whole update.
      annotations: {
        "pulumi.com/skipAwait": "true",
        ...(address === undefined ? {} : { "metallb.io/loadBalancerIPs": address }),
      },
      spec: hostPort
        ? { type: "ClusterIP" }
        : {
            type: "LoadBalancer",
            // The address is announced only by nodes that Traefik runs on, and visitors keep theirs.
            externalTrafficPolicy: "Local",
            ...(address === undefined ? {} : { loadBalancerClass: metallbClass }),
          },
    },
    accessLog: {
      enabled: true,
      format: "json",
      fields: { headers: { defaultMode: "drop" }, queryParameters: { defaultMode: "drop" } },
    },
  };
}
