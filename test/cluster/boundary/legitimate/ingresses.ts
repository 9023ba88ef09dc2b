// Ingresses of a guest under the platform's rules for tenants: class traefik, domains of the tenant, certificates by
// the platform's issuer into Secrets whose names end in `-tls`.
import { ingressClassName } from "../../../../components/plan/traefik-values.ts";
import type { KubernetesObject } from "../translate.ts";
import { type GuestWork, type Host, type LegitimateObject, syncedObjects, syncedUpdate } from "./entry.ts";

interface Path {
  readonly path?: string;
  readonly pathType?: "Exact" | "ImplementationSpecific" | "Prefix";
  readonly service?: string;
  readonly port?: number | string;
}

interface Ingress {
  readonly namespace?: string;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly hosts: Readonly<Record<string, readonly Path[]>>;
  readonly tls?: readonly { readonly hosts: readonly string[]; readonly secretName: string }[];
}

/** What asks cert-manager on the host for a certificate. */
const issuer = { "cert-manager.io/cluster-issuer": "kraft-issuer" };

const root: readonly Path[] = [{}];

/** Ingresses as tenants, charts and deployment tools write them. */
export function ingresses(host: Host): LegitimateObject[] {
  const before = ingress("growing", {
    annotations: issuer,
    hosts: { "acme.example": root },
    tls: [{ hosts: ["acme.example"], secretName: "growing-tls" }],
  });
  const after = ingress("growing", {
    annotations: issuer,
    hosts: { "acme.example": root, "new.acme.example": root },
    tls: [{ hosts: ["acme.example", "new.acme.example"], secretName: "growing-tls" }],
  });
  return [
    ...syncedObjects(host, "ingress.go", [...plain, ...withCertificate, ...byTools]),
    syncedUpdate(
      host,
      "ingress.go",
      { name: "an Ingress gets another host", source: "kubectl apply" },
      { before, after },
    ),
  ];
}

function ingress(name: string, { namespace, labels, annotations, hosts, tls }: Ingress): KubernetesObject {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: {
      name,
      namespace: namespace ?? "shop",
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    },
    spec: {
      ingressClassName,
      rules: Object.entries(hosts).map(([host, paths]) => ({
        host,
        http: {
          paths: paths.map(({ path = "/", pathType = "Prefix", service = "web", port = 80 }) => ({
            ...(path === "" ? {} : { path }),
            pathType,
            backend: { service: { name: service, port: typeof port === "number" ? { number: port } : { name: port } } },
          })),
        },
      })),
      ...(tls === undefined ? {} : { tls }),
    },
  };
}

const plain: readonly GuestWork[] = [
  {
    name: "an Ingress without TLS",
    source: "kubectl create ingress --rule",
    object: ingress("plain", { hosts: { "acme.example": root } }),
  },
  {
    name: "an Ingress for the tenant's other domain and names below it",
    source: "Kraft, a tenant's domains with all their subdomains",
    object: ingress("deep", {
      hosts: { "shop.acme.test": root, "api.shop.acme.test": root, "v2.api.shop.acme.test": root },
    }),
  },
  {
    name: "an Ingress with two paths",
    source: "kubernetes.io, Ingress: simple fanout",
    object: ingress("fanout", {
      hosts: { "acme.example": [{ path: "/api", service: "api", port: "http" }, { service: "web" }] },
    }),
  },
  {
    name: "an Ingress with each type of path",
    source: "kubernetes.io, Ingress: path types",
    object: ingress("types", {
      hosts: {
        "types.acme.example": [
          { path: "/healthz", pathType: "Exact" },
          { path: "/static", pathType: "Prefix" },
          { path: "/legacy", pathType: "ImplementationSpecific" },
        ],
      },
    }),
  },
  {
    name: "an Ingress without a path",
    source: "kubernetes.io, Ingress: ImplementationSpecific paths may be left out",
    object: ingress("pathless", {
      hosts: { "all.acme.example": [{ path: "", pathType: "ImplementationSpecific" }] },
    }),
  },
];

const withCertificate: readonly GuestWork[] = [
  {
    name: "an Ingress with a certificate",
    source: "cert-manager.io, Annotated Ingress resource",
    object: ingress("web", {
      annotations: issuer,
      hosts: { "acme.example": root },
      tls: [{ hosts: ["acme.example"], secretName: "acme-example-tls" }],
    }),
  },
  {
    name: "an Ingress with several hosts on one certificate",
    source: "cert-manager.io, Annotated Ingress resource",
    object: ingress("several", {
      annotations: issuer,
      hosts: { "acme.example": root, "www.acme.example": root, "shop.acme.test": root },
      tls: [{ hosts: ["acme.example", "www.acme.example", "shop.acme.test"], secretName: "several-tls" }],
    }),
  },
  {
    name: "an Ingress with two certificates",
    source: "cert-manager.io, Annotated Ingress resource",
    object: ingress("two", {
      annotations: issuer,
      hosts: { "one.acme.example": root, "shop.acme.test": root },
      tls: [
        { hosts: ["one.acme.example"], secretName: "one-tls" },
        { hosts: ["shop.acme.test"], secretName: "shop-tls" },
      ],
    }),
  },
  {
    name: "an Ingress whose Secret's name K3k has to cut",
    source: "k3k v1.1.0 pkg/controller/controller.go SafeConcatName",
    object: ingress("customer-portal-frontend-production-europe-west-main", {
      namespace: "customer-portal-production",
      annotations: issuer,
      hosts: { "portal.acme.example": root },
      tls: [
        { hosts: ["portal.acme.example"], secretName: "customer-portal-frontend-production-europe-west-main-site-tls" },
      ],
    }),
  },
  {
    name: "a second Ingress on the certificate of the first",
    source: "Helm chart nextcloud/nextcloud and others: one Ingress for the API, one for the page",
    object: ingress("web-api", {
      hosts: { "acme.example": [{ path: "/api", service: "api" }] },
      tls: [{ hosts: ["acme.example"], secretName: "acme-example-tls" }],
    }),
  },
];

const lastApplied = JSON.stringify({
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { annotations: issuer, name: "applied", namespace: "shop" },
  spec: { ingressClassName, rules: [{ host: "applied.acme.example" }] },
});

const byTools: readonly GuestWork[] = [
  {
    name: "an Ingress of a Helm chart",
    source: "helm create, templates/ingress.yaml",
    object: ingress("shop", {
      labels: {
        "app.kubernetes.io/name": "shop",
        "app.kubernetes.io/instance": "shop",
        "app.kubernetes.io/version": "1.4.2",
        "app.kubernetes.io/managed-by": "Helm",
        "helm.sh/chart": "shop-0.9.1",
      },
      annotations: { ...issuer, "meta.helm.sh/release-name": "shop", "meta.helm.sh/release-namespace": "shop" },
      hosts: { "helm.acme.example": root },
      tls: [{ hosts: ["helm.acme.example"], secretName: "helm-tls" }],
    }),
  },
  {
    name: "an Ingress of Argo CD",
    source: "argo-cd.readthedocs.io, Resource Tracking; Sync Options",
    object: ingress("argo", {
      labels: { "app.kubernetes.io/instance": "shop", "argocd.argoproj.io/instance": "shop" },
      annotations: {
        ...issuer,
        "argocd.argoproj.io/tracking-id": "shop:networking.k8s.io/Ingress:shop/argo",
        "argocd.argoproj.io/sync-wave": "5",
      },
      hosts: { "argo.acme.example": root },
      tls: [{ hosts: ["argo.acme.example"], secretName: "argo-tls" }],
    }),
  },
  {
    name: "an Ingress of kubectl apply",
    source: "kubernetes.io, Declarative Management of Kubernetes Objects",
    object: ingress("applied", {
      annotations: { ...issuer, "kubectl.kubernetes.io/last-applied-configuration": lastApplied },
      hosts: { "applied.acme.example": root },
      tls: [{ hosts: ["applied.acme.example"], secretName: "applied-tls" }],
    }),
  },
  {
    name: "an Ingress that names Traefik's entry point",
    source: "doc.traefik.io, Kubernetes Ingress: traefik.ingress.kubernetes.io/router.entrypoints",
    object: ingress("secure-only", {
      annotations: { ...issuer, "traefik.ingress.kubernetes.io/router.entrypoints": "websecure" },
      hosts: { "secure.acme.example": root },
      tls: [{ hosts: ["secure.acme.example"], secretName: "secure-tls" }],
    }),
  },
  {
    name: "an Ingress with annotations for another controller, which mean nothing here",
    source: "Helm chart nextcloud/nextcloud values.yaml, its example of ingress.annotations",
    object: ingress("leftovers", {
      annotations: {
        ...issuer,
        "nginx.ingress.kubernetes.io/proxy-body-size": "4G",
        "kubernetes.io/description": "the shop's front page",
        "example.com/owner": "Ada",
      },
      hosts: { "cloud.acme.example": root },
      tls: [{ hosts: ["cloud.acme.example"], secretName: "cloud-tls" }],
    }),
  },
];
