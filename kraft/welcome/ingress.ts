import { stringify } from "yaml";
import type { WelcomeFacts } from "./facts.ts";

/** Host of the example: the tenant's first domain with a name in front, which can be a CNAME where a domain cannot. */
export function exampleHost({ domains: [domain = ""] }: Pick<WelcomeFacts, "domains">): string {
  return `shop.${domain}`;
}

/** The Ingress that a tenant can copy. A test sends it through the platform's own admission rules. */
export function exampleIngress(facts: Pick<WelcomeFacts, "domains" | "ingressClass" | "issuer">) {
  const host = exampleHost(facts);
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: {
      name: "shop",
      namespace: "default",
      annotations: { "cert-manager.io/cluster-issuer": facts.issuer },
    },
    spec: {
      ingressClassName: facts.ingressClass,
      tls: [{ hosts: [host], secretName: "shop-tls" }],
      rules: [
        {
          host,
          http: {
            paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: "shop", port: { number: 80 } } } }],
          },
        },
      ],
    },
  };
}

/** The same as YAML. */
export function exampleIngressText(facts: Pick<WelcomeFacts, "domains" | "ingressClass" | "issuer">): string {
  return stringify(exampleIngress(facts)).trimEnd();
}
