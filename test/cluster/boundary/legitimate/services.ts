// Services of a guest, with what the guest's API server fills in: K3k replays the address on the host.
import type { KubernetesObject } from "../translate.ts";
import { type GuestWork, type Host, type LegitimateObject, syncedObjects, syncedUpdate } from "./entry.ts";

interface Service {
  readonly namespace?: string;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly spec?: Record<string, unknown>;
}

const http = [{ name: "http", protocol: "TCP", port: 80, targetPort: 8080 }];

/** Every kind of Service that stays inside the cluster. */
export function services(host: Host): LegitimateObject[] {
  // Each has an address of its own, as if all were in the guest at once.
  let last = 199;
  const service = (name: string, more: Service = {}): KubernetesObject => {
    last += 1;
    const address = `${host.serviceNetwork}.${last}`;
    return {
      apiVersion: "v1",
      kind: "Service",
      metadata: {
        name,
        namespace: more.namespace ?? "shop",
        ...(more.labels === undefined ? {} : { labels: more.labels }),
        ...(more.annotations === undefined ? {} : { annotations: more.annotations }),
      },
      spec: {
        type: "ClusterIP",
        clusterIP: address,
        clusterIPs: [address],
        ipFamilies: ["IPv4"],
        ipFamilyPolicy: "SingleStack",
        internalTrafficPolicy: "Cluster",
        sessionAffinity: "None",
        selector: { app: name },
        ports: http,
        ...more.spec,
      },
    };
  };
  const headless = { clusterIP: "None", clusterIPs: ["None"] };
  const work: GuestWork[] = [
    { name: "a Service", source: "kubectl expose deployment", object: service("web") },
    {
      name: "a headless Service of a StatefulSet",
      source: "kubernetes.io, StatefulSets",
      object: service("db", { namespace: "data", spec: headless }),
    },
    {
      name: "a headless Service that names pods before they are ready",
      source: "Helm chart bitnami/postgresql as commonly rendered",
      object: service("shop-postgresql-hl", {
        labels: { "app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/instance": "shop" },
        annotations: { "meta.helm.sh/release-name": "shop", "meta.helm.sh/release-namespace": "shop" },
        spec: {
          ...headless,
          publishNotReadyAddresses: true,
          ports: [{ name: "tcp-postgresql", protocol: "TCP", port: 5432, targetPort: "tcp-postgresql" }],
        },
      }),
    },
    {
      name: "a Service that keeps a client on its pod",
      source: "kubernetes.io, Virtual IPs and Service Proxies: session affinity",
      object: service("sticky", {
        spec: { sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: { timeoutSeconds: 10800 } } },
      }),
    },
    {
      name: "a Service whose visitors keep their pod by a cookie",
      source: "doc.traefik.io, Kubernetes Ingress: annotations on Services, in the spelling of the options' names",
      object: service("cookie", {
        annotations: {
          "traefik.ingress.kubernetes.io/service.sticky.cookie": "true",
          "traefik.ingress.kubernetes.io/service.sticky.cookie.sameSite": "lax",
          "traefik.ingress.kubernetes.io/service.sticky.cookie.httpOnly": "true",
        },
        spec: { ports: [{ port: 80 }] },
      }),
    },
    {
      name: "a Service with named target ports and protocols",
      source: "kubernetes.io, Service: port definitions",
      object: service("api", {
        spec: {
          ports: [
            { name: "http", protocol: "TCP", port: 80, targetPort: "http", appProtocol: "http" },
            { name: "h2c", protocol: "TCP", port: 81, targetPort: "grpc", appProtocol: "kubernetes.io/h2c" },
          ],
        },
      }),
    },
    {
      name: "a Service on TCP and UDP",
      source: "kubernetes.io, Service: multi-port Services",
      object: service("game", {
        spec: {
          ports: [
            { name: "tcp", protocol: "TCP", port: 25565, targetPort: 25565 },
            { name: "udp", protocol: "UDP", port: 25565, targetPort: 25565 },
          ],
        },
      }),
    },
    {
      name: "a Service that Prometheus finds by its annotations",
      source: "Helm chart prometheus-community/prometheus, its scrape configuration",
      object: service("metrics", {
        namespace: "monitoring",
        annotations: { "prometheus.io/scrape": "true", "prometheus.io/port": "8080", "prometheus.io/path": "/metrics" },
      }),
    },
    {
      name: "a Service whose pods speak TLS",
      source: "doc.traefik.io, Kubernetes Ingress: traefik.ingress.kubernetes.io/service.serversscheme",
      object: service("tls-backend", {
        annotations: { "traefik.ingress.kubernetes.io/service.serversscheme": "https" },
        spec: { ports: [{ name: "https", protocol: "TCP", port: 443, targetPort: 8443 }] },
      }),
    },
    {
      name: "a Service of a Helm chart, applied by Argo CD",
      source: "argo-cd.readthedocs.io, Resource Tracking",
      object: service("shop-frontend", {
        labels: { "app.kubernetes.io/instance": "shop", "helm.sh/chart": "shop-0.9.1", heritage: "Helm" },
        annotations: {
          "argocd.argoproj.io/tracking-id": "shop:/Service:shop/shop-frontend",
          "kubectl.kubernetes.io/last-applied-configuration": '{"apiVersion":"v1","kind":"Service"}',
        },
      }),
    },
    {
      name: "a Service without a selector",
      source: "kubernetes.io, Services without selectors; Patroni keeps its own endpoints",
      object: withoutSelector(service("patroni-config", { namespace: "data" })),
    },
    {
      name: "a Service that prefers two address families",
      source: "kubernetes.io, IPv4/IPv6 dual-stack",
      object: service("modern", { spec: { ipFamilyPolicy: "PreferDualStack" } }),
    },
    {
      name: "a Service that stays on its node",
      source: "kubernetes.io, Service Internal Traffic Policy; Traffic distribution",
      object: service("local", { spec: { internalTrafficPolicy: "Local", trafficDistribution: "PreferClose" } }),
    },
    {
      name: "a Service of CoreDNS under another name",
      source: "Helm chart prometheus-community/kube-prometheus-stack, its Service for CoreDNS",
      object: service("kube-prometheus-stack-coredns", {
        namespace: "kube-system",
        labels: { app: "kube-prometheus-stack-coredns", jobLabel: "coredns" },
        spec: {
          ...headless,
          selector: { "k8s-app": "kube-dns" },
          ports: [{ name: "http-metrics", protocol: "TCP", port: 9153, targetPort: 9153 }],
        },
      }),
    },
  ];
  const before = service("moving");
  return [
    ...syncedObjects(host, "service.go", work),
    syncedUpdate(
      host,
      "service.go",
      { name: "a Service gets another port and selector", source: "kubectl apply" },
      {
        before,
        after: {
          ...before,
          spec: {
            ...(before["spec"] as Record<string, unknown>),
            selector: { app: "moving", track: "canary" },
            ports: [...http, { name: "metrics", protocol: "TCP", port: 9090, targetPort: "metrics" }],
          },
        },
      },
    ),
  ];
}

function withoutSelector(service: KubernetesObject): KubernetesObject {
  const { selector: _, ...spec } = service["spec"] as Record<string, unknown>;
  return { ...service, spec };
}
