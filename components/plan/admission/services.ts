import { list, type AdmissionPolicy, type Scope } from "./policy.ts";

/** Whose annotations Traefik, load balancers, DNS and certificate controllers on the host act upon. */
const actedUpon = [
  "cert-manager.io/",
  "external-dns.",
  "kube-vip.io/",
  "metallb.",
  "service.beta.kubernetes.io/",
  "svccontroller.k3s.cattle.io/",
  "traefik.",
];

/** Of these, what concerns only the tenant's own backends. */
const harmless = [
  "traefik.ingress.kubernetes.io/service.passhostheader",
  "traefik.ingress.kubernetes.io/service.serversscheme",
  "traefik.ingress.kubernetes.io/service.sticky.cookie",
  "traefik.ingress.kubernetes.io/service.sticky.cookie.httponly",
  "traefik.ingress.kubernetes.io/service.sticky.cookie.maxage",
  "traefik.ingress.kubernetes.io/service.sticky.cookie.name",
  "traefik.ingress.kubernetes.io/service.sticky.cookie.path",
  "traefik.ingress.kubernetes.io/service.sticky.cookie.samesite",
  "traefik.ingress.kubernetes.io/service.sticky.cookie.secure",
];

/**
 * The Services of a tenant: inside the cluster only. A node port, a load balancer or an external address would take
 * ports and addresses of the house, an external name would lead Traefik out of the tenant's namespace.
 */
export function servicePolicy(scope: Exclude<Scope, "unknown-tenants">): AdmissionPolicy {
  return {
    name: "kraft-tenant-services",
    scope,
    requests: [{ apiGroups: [""], apiVersions: ["v1"], resources: ["services"], operations: ["CREATE", "UPDATE"] }],
    variables: [
      {
        name: "foreignAnnotations",
        expression:
          "(has(object.metadata.annotations) ? object.metadata.annotations : {})" +
          `.filter(k, ${list(actedUpon)}.exists(p, k.startsWith(p)) && !(k in ${list(harmless)}))`,
      },
    ],
    rules: [
      {
        expression: "!has(object.spec.type) || object.spec.type == 'ClusterIP'",
        message: "spec.type must be ClusterIP: to be reached from outside, write an Ingress",
      },
      {
        expression: "!has(object.spec.externalIPs) || object.spec.externalIPs.size() == 0",
        message:
          "spec.externalIPs would take addresses of others: remove it; to be reached from outside, write an Ingress",
      },
      {
        expression: "!has(object.spec.externalName) || object.spec.externalName == ''",
        message: "spec.externalName is not allowed: use the name itself in your application",
      },
      {
        expression: "variables.foreignAnnotations.size() == 0",
        message: "an annotation is not allowed on a Service here: remove it",
        messageExpression:
          "'annotations that are not allowed on a Service here: ' + variables.foreignAnnotations.join(', ') + '; remove them'",
      },
    ],
  };
}
