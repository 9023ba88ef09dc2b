import { metallbClass } from "./metallb-values.ts";
import { entryPointName, type PublicPort } from "./ports.ts";

/** How the outside reaches Traefik: an address that moves between nodes, or the ports of the only node. */
export type Exposure = "loadBalancer" | "hostPort";

/** Name of the host's ingress class, also in the guests. */
export const ingressClassName = "traefik";

export interface TraefikSettings {
  readonly namespace: string;
  readonly exposure: Exposure;
  /** The name that tenants point a CNAME at, published in the status of every Ingress. */
  readonly entrypoint: string;
  /** The address that MetalLB assigns to it; without it, whatever load balancer there is assigns one. */
  readonly address?: string;
  /** Tag of the image, which may be newer than the chart's. */
  readonly imageTag: string;
  /** Ports of tenants beside 80 and 443; no two of them have the same number and protocol. Default: none. */
  readonly publicPorts?: readonly PublicPort[];
}

/**
 * How long Traefik remembers who sent a packet of UDP, for the answers. Its default of 3 seconds would give a client that is
 * silent for longer another source port, which most applications take for another client. WireGuard's keepalive, the longest
 * that is common, comes every 25 seconds.
 */
const udpTimeout = "30s";

export type TraefikValues = ReturnType<typeof traefikValues>;

/**
 * Values for Traefik's chart, which serves Ingresses of people who do not trust each other: no reference across
 * namespaces or providers, no Ingress without our class, no default TLS settings but the platform's, no dashboard.
 *
 * `crossProviderNamespaces` names the platform's own namespace because the chart leaves an empty list out, and to
 * Traefik an absent list means everybody.
 */
export function traefikValues(settings: TraefikSettings) {
  const { namespace, exposure, entrypoint, address, imageTag, publicPorts = [] } = settings;
  const hostPort = exposure === "hostPort";
  const udpPorts = publicPorts.filter(({ protocol }) => protocol === "udp");
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
    // Over a DaemonSet, which has no scale, it allows no disruption at all (CalculateExpectedPodCountFailed); and draining a
    // node leaves a DaemonSet's pods where they are.
    podDisruptionBudget: { enabled: false },
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
        hostPort: hostPort ? 80 : undefined,
        http: { redirections: { entryPoint: { to: "websecure", scheme: "https", permanent: true } } },
        transport,
      },
      websecure: {
        asDefault: true,
        hostPort: hostPort ? 443 : undefined,
        http: { tls: { enabled: true }, maxHeaderBytes: 65536 },
        transport,
      },
      ...Object.fromEntries(publicPorts.map((each) => [entryPointName(each), publicEntryPoint(each, hostPort)])),
    },
    ...(udpPorts.length > 0 && {
      additionalArguments: udpPorts.map((each) => `--entryPoints.${entryPointName(each)}.udp.timeout=${udpTimeout}`),
    }),
    tlsOptions: { default: { minVersion: "VersionTLS12", sniStrict: true } },
    service: {
      // Waiting for the load balancer to assign an address would block the whole update.
      annotations: { "pulumi.com/skipAwait": "true", "metallb.io/loadBalancerIPs": address },
      spec: hostPort
        ? { type: "ClusterIP" }
        : {
            type: "LoadBalancer",
            // Only nodes that run Traefik announce the address, and visitors keep their own.
            externalTrafficPolicy: "Local",
            loadBalancerClass: address && metallbClass,
          },
    },
    accessLog: {
      enabled: true,
      format: "json",
      fields: { headers: { defaultMode: "drop" }, queryParameters: { defaultMode: "drop" } },
    },
  };
}

/** Never a default entry point, which Ingresses of other tenants would use: `web` and `websecure` are. */
function publicEntryPoint({ port, protocol }: PublicPort, hostPort: boolean) {
  return {
    port,
    exposedPort: port,
    expose: { default: true },
    protocol: protocol === "tcp" ? "TCP" : "UDP",
    ...(hostPort && { hostPort: port }),
  };
}
