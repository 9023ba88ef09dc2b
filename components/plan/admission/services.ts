import { type AllowedAnnotations, foreignAnnotations } from "./expressions.ts";
import { type AdmissionPolicy, requestsFor, type Scope } from "./policy.ts";

/** Closed: Ingress controllers, load balancers, DNS and certificates. Open: how Traefik calls a backend. */
const annotations: AllowedAnnotations = {
  closed: [
    "cattle.io",
    "cert-manager.io",
    "containo.us",
    "external-dns.alpha.kubernetes.io",
    "ingress.kubernetes.io",
    "kraft.dev",
    "kube-vip.io",
    "metallb.io",
    "metallb.universe.tf",
    "traefik.io",
  ],
  exact: [
    "passhostheader",
    "serversscheme",
    "sticky.cookie",
    "sticky.cookie.httponly",
    "sticky.cookie.httpOnly",
    "sticky.cookie.maxage",
    "sticky.cookie.maxAge",
    "sticky.cookie.name",
    "sticky.cookie.path",
    "sticky.cookie.samesite",
    "sticky.cookie.sameSite",
    "sticky.cookie.secure",
  ].map((name) => `traefik.ingress.kubernetes.io/service.${name}`),
  prefixes: ["nginx.ingress.kubernetes.io/"],
};

/** Most ports of one Service. */
export const portLimit = 100;

/**
 * The Services of a tenant: inside the cluster only. A node port, a load balancer or an external address would take ports
 * and addresses of the home network, and an external name would lead Traefik out of the tenant's namespace.
 */
export function servicePolicy(scope: Exclude<Scope, "unknown-tenants">): AdmissionPolicy {
  return {
    name: "kraft-tenant-services",
    scope,
    requests: [requestsFor("v1", ["services"])],
    variables: [{ name: "foreignAnnotations", expression: foreignAnnotations(annotations) }],
    rules: [
      {
        expression:
          "(!has(object.spec.type) || object.spec.type != 'ExternalName') && " +
          "(!has(object.spec.externalName) || object.spec.externalName == '')",
        message: "a Service may not stand for a name elsewhere (ExternalName): use the name itself in your application",
      },
      {
        expression: `!has(object.spec.ports) || object.spec.ports.size() <= ${portLimit}`,
        message: `a Service may have up to ${portLimit} ports: every node has a rule for each port and pod, so split it`,
      },
      {
        expression: "!has(object.spec.type) || object.spec.type == 'ClusterIP'",
        message:
          "spec.type must be ClusterIP: to be reached from outside write an Ingress, or for a port that is not http's ask the operator for one",
      },
      {
        expression: "!has(object.spec.externalIPs) || object.spec.externalIPs.size() == 0",
        message:
          "spec.externalIPs would take addresses of others: remove it; to be reached from outside write an Ingress, or for a port that is not http's ask the operator for one",
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
