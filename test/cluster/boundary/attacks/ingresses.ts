import type { KubernetesObject } from "../translate.ts";
import { type Attack, type Change, create, throughGuest } from "./attack.ts";

interface Path {
  path?: string;
  pathType: string;
  backend: { service?: { name: string; port: { number: number } }; resource?: object };
}

interface Ingress extends KubernetesObject {
  metadata: KubernetesObject["metadata"] & { annotations: Record<string, string> };
  spec: {
    ingressClassName?: string;
    defaultBackend?: object;
    rules: { host?: string; http: { paths: [Path, ...Path[]] } }[];
    tls: { hosts?: string[]; secretName?: string }[];
  };
}

function path(): Path {
  return { path: "/", pathType: "Prefix", backend: { service: { name: "web", port: { number: 80 } } } };
}

function rule(host: string): Ingress["spec"]["rules"][number] {
  return { host, http: { paths: [path()] } };
}

const honest: Ingress = {
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { name: "web", namespace: "shop", annotations: { "cert-manager.io/cluster-issuer": "kraft-issuer" } },
  spec: {
    ingressClassName: "traefik",
    rules: [rule("www.acme.example")],
    tls: [{ hosts: ["www.acme.example"], secretName: "web-tls" }],
  },
};

function ingress(name: string, change: Change<Ingress>, refusal: string, covers: readonly string[] = []): Attack {
  return throughGuest(name, honest, change, refusal, covers);
}

/** An Ingress for one other host, without TLS. */
function claiming(host: string): Change<Ingress> {
  return ({ spec }) => {
    spec.rules = [rule(host)];
    spec.tls = [];
  };
}

function annotated(name: string, key: string, value: string, refusal: string): Attack {
  return ingress(
    name,
    ({ metadata }) => {
      metadata.annotations[key] = value;
    },
    refusal,
  );
}

const notYours = "not within your domains";
const notAllowed = "annotations that are not allowed on an Ingress here";

/** Ways to get other people's traffic, or certificates for it, by an Ingress. */
export const ingressAttacks: readonly Attack[] = [
  ingress(
    "the host of another tenant",
    claiming("www.blue.example"),
    `${notYours}: www.blue.example; yours are: acme.example, shop.acme.test`,
  ),
  ingress("the domain of another tenant itself", claiming("blue.example"), notYours),
  ingress("the entrypoint of the platform", claiming("ingress.kraft.test"), notYours),
  ingress("the API of another tenant's guest", claiming("blue.api.kraft.test"), notYours),
  ingress("a domain that only ends like one's own", claiming("evilacme.example"), notYours),
  ingress("a domain that one's own is inside of", claiming("acme.test"), notYours),
  ingress("a name of the cluster's own", claiming("kubernetes.default.svc.cluster.local"), notYours),
  ingress("one foreign host among one's own", ({ spec }) => spec.rules.push(rule("www.coral.example")), notYours),
  ingress("a wildcard over one's own domain", claiming("*.acme.example"), "a wildcard host would take precedence"),
  ingress("a wildcard over another's domain", claiming("*.blue.example"), "a wildcard host would take precedence"),
  ingress(
    "a rule without a host",
    ({ spec }) => delete spec.rules[0]?.host,
    "a rule without a host would answer for every host",
  ),
  ingress("a rule with an empty host", claiming(""), "a rule without a host would answer for every host"),
  ingress(
    "a default backend beside rules",
    ({ spec }) => (spec.defaultBackend = { service: { name: "k3k-acme-service", port: { number: 443 } } }),
    "spec.defaultBackend would answer for every host of the platform",
  ),
  ingress(
    "a default backend and no rules",
    ({ spec }) => {
      spec.rules = [];
      spec.tls = [];
      spec.defaultBackend = { service: { name: "web", port: { number: 80 } } };
    },
    "spec.defaultBackend would answer for every host of the platform",
  ),
  ingress(
    "more hosts than one Ingress may have",
    ({ spec }) => (spec.rules = Array.from({ length: 21 }, (_, number) => rule(`n${number}.acme.example`))),
    "an Ingress needs 1 to 20 rules",
  ),
  ingress(
    "no class, which K3k would later take away anyway",
    ({ spec }) => delete spec.ingressClassName,
    "spec.ingressClassName must be traefik",
  ),
  ingress(
    "the class of another controller",
    ({ spec }) => (spec.ingressClassName = "nginx"),
    "spec.ingressClassName must be traefik",
  ),
  annotated("the class by its old annotation", "kubernetes.io/ingress.class", "traefik", "write spec.ingressClassName"),
  annotated(
    "a priority over other tenants' routes",
    "traefik.ingress.kubernetes.io/router.priority",
    "2147483647",
    notAllowed,
  ),
  annotated(
    "the same in capitals, which Traefik takes as well",
    "traefik.ingress.kubernetes.io/router.PRIORITY",
    "9999",
    notAllowed,
  ),
  annotated(
    "the same with the domain in capitals",
    "Traefik.Ingress.Kubernetes.IO/router.priority",
    "9999",
    notAllowed,
  ),
  annotated(
    "a middleware of the platform's",
    "traefik.ingress.kubernetes.io/router.middlewares",
    "traefik-auth@kubernetescrd",
    notAllowed,
  ),
  annotated(
    "TLS options, to weaken another's",
    "traefik.ingress.kubernetes.io/router.tls.options",
    "default@kubernetescrd",
    notAllowed,
  ),
  annotated(
    "a certificate resolver of Traefik's own",
    "traefik.ingress.kubernetes.io/router.tls.certresolver",
    "default",
    notAllowed,
  ),
  annotated(
    "regular expressions in paths",
    "traefik.ingress.kubernetes.io/router.pathmatcher",
    "PathRegexp",
    notAllowed,
  ),
  annotated(
    "the entry point of Traefik's dashboard",
    "traefik.ingress.kubernetes.io/router.entrypoints",
    "traefik",
    "router.entrypoints may be web, websecure or both",
  ),
  annotated(
    "the entry point of another tenant's port",
    "traefik.ingress.kubernetes.io/router.entrypoints",
    "port-25565-tcp",
    "router.entrypoints may be web, websecure or both",
  ),
  annotated(
    "the entry point of Traefik's metrics",
    "traefik.ingress.kubernetes.io/router.entrypoints",
    "web,metrics",
    "router.entrypoints may be web, websecure or both",
  ),
  annotated(
    "another issuer of the cluster",
    "cert-manager.io/cluster-issuer",
    "kraft-dns01",
    "the only issuer here is kraft-issuer",
  ),
  annotated("an issuer of a namespace", "cert-manager.io/issuer", "kraft-dns01", notAllowed),
  annotated("an issuer of another group", "cert-manager.io/issuer-group", "example.org", notAllowed),
  annotated(
    "a foreign name as a further one of the certificate",
    "cert-manager.io/alt-names",
    "www.blue.example",
    notAllowed,
  ),
  annotated(
    "a foreign name as the certificate's common name",
    "cert-manager.io/common-name",
    "www.blue.example",
    notAllowed,
  ),
  annotated("an address in the certificate", "cert-manager.io/ip-sans", "192.168.1.11", notAllowed),
  annotated(
    "labels and annotations on the certificate's Secret",
    "cert-manager.io/secret-template",
    '{"labels":{"a":"b"}}',
    notAllowed,
  ),
  annotated("a renewal every hour, from everybody's limit", "cert-manager.io/renew-before", "2159h", notAllowed),
  annotated(
    "the solver edited into one's own Ingress",
    "acme.cert-manager.io/http01-edit-in-place",
    "true",
    notAllowed,
  ),
  annotated("the solver in another class", "acme.cert-manager.io/http01-ingress-class", "nginx", notAllowed),
  annotated("a certificate without asking for the issuer", "kubernetes.io/tls-acme", "true", notAllowed),
  annotated(
    "a record in the platform's DNS",
    "external-dns.alpha.kubernetes.io/hostname",
    "ingress.kraft.test",
    notAllowed,
  ),
  annotated("the tenant's own domains, on the wrong object", "kraft.dev/domains", "blue.example", notAllowed),
  ingress(
    "a backtick in the path, to end Traefik's rule and begin another",
    ({ spec }) => {
      spec.rules.forEach(({ http }) => (http.paths[0].path = "/`) || Host(`www.blue.example"));
    },
    "a path begins with / and has up to 512",
  ),
  ingress(
    "a path so long that it wins over everything",
    ({ spec }) => {
      spec.rules.forEach(({ http }) => (http.paths[0].path = `/${"a".repeat(600)}`));
    },
    "a path begins with / and has up to 512",
  ),
  ingress(
    "a backend that is no Service",
    ({ spec }) => {
      spec.rules.forEach(
        ({ http }) =>
          (http.paths[0].backend = {
            resource: { apiGroup: "traefik.io", kind: "TraefikService", name: "api@internal" },
          }),
      );
    },
    "every path needs a Service as its backend",
  ),
  ingress(
    "a certificate for a host that the Ingress does not serve",
    ({ spec }) => (spec.tls = [{ hosts: ["www.blue.example"], secretName: "web-tls" }]),
    "spec.tls names a host that no rule of this Ingress has",
  ),
  ingress(
    "a certificate for an address of the house",
    ({ spec }) => (spec.tls = [{ hosts: ["192.168.1.11"], secretName: "web-tls" }]),
    "spec.tls names a host that no rule of this Ingress has",
  ),
  ingress(
    "a certificate over the token of the guest",
    ({ spec }) => (spec.tls = [{ hosts: ["www.acme.example"], secretName: "k3k-acme-token" }]),
    "needs a secretName that ends in -tls",
  ),
  ingress(
    "a Secret of one's own under the name that K3k gives it",
    ({ spec }) =>
      (spec.tls = [
        { hosts: ["www.acme.example"], secretName: "web-tls-shop-acme-7765622d746c732b73686f702b61636d65" },
      ]),
    "needs a secretName that ends in -tls",
  ),
  ingress(
    "TLS without a Secret",
    ({ spec }) => (spec.tls = [{ hosts: ["www.acme.example"] }]),
    "needs a secretName that ends in -tls",
  ),
  ingress(
    "TLS without hosts, for the platform's default certificate",
    ({ spec }) => (spec.tls = [{ secretName: "web-tls" }]),
    "spec.tls may have up to 10 entries, each with 1 to 10 hosts",
  ),
  ingress(
    "eleven certificates at once",
    ({ spec }) =>
      (spec.tls = Array.from({ length: 11 }, (_, number) => ({
        hosts: ["www.acme.example"],
        secretName: `w${number}-tls`,
      }))),
    "spec.tls may have up to 10 entries, each with 1 to 10 hosts",
  ),
  create(
    "the same host by another tenant's kubelet, in this tenant's namespace",
    "other-tenant",
    { ...structuredClone(honest), metadata: { name: "web-7765622b73686f70", namespace: "k3k-acme" } },
    'cannot create resource "ingresses"',
    ["MTB-PL1-CC-TI-2"],
  ),
];
