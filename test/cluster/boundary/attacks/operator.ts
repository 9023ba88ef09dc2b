import type { KubernetesObject } from "../translate.ts";
import { type Attack, create } from "./attack.ts";

function namespace(
  name: string,
  labels: Record<string, string>,
  annotations: Record<string, string> = {},
): KubernetesObject {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, labels, annotations } };
}

const delta = { "kraft.dev/tenant": "delta", "policy.k3k.io/policy-name": "tenant-delta" };
const domains = { "kraft.dev/domains": "delta.example" };
const needsLabels = "a tenant's namespace needs the labels";

/** The namespace of a tenant as it stands, with what an operator changes of it by mistake. */
function relabelled(
  name: string,
  labels: Record<string, string>,
  annotations: Record<string, string>,
  refusal: string,
): Attack {
  return {
    name,
    as: "operator",
    method: "PUT",
    path: "/api/v1/namespaces/k3k-acme",
    object: namespace("k3k-acme", labels, annotations),
    refusal,
  };
}

const acme = {
  "kraft.dev/tenant": "acme",
  "kubernetes.io/metadata.name": "k3k-acme",
  "pod-security.kubernetes.io/enforce": "baseline",
  "policy.k3k.io/policy-name": "tenant-acme",
};
const acmeDomains = { "kraft.dev/domains": "acme.example,shop.acme.test" };

function guest(name: string, where: string, spec: Record<string, unknown>): KubernetesObject {
  return {
    apiVersion: "k3k.io/v1beta1",
    kind: "Cluster",
    metadata: { name, namespace: where },
    spec: { mode: "shared", ...spec },
  };
}

function certificate(spec: Record<string, unknown>): KubernetesObject {
  return {
    apiVersion: "cert-manager.io/v1",
    kind: "Certificate",
    metadata: { name: "web-tls", namespace: "k3k-acme" },
    spec: {
      secretName: "web-tls",
      dnsNames: ["www.acme.example"],
      issuerRef: { name: "kraft-issuer", kind: "ClusterIssuer", group: "cert-manager.io" },
      ...spec,
    },
  };
}

function fromShim(name: string, spec: Record<string, unknown>, refusal: string): Attack {
  return create(name, "cert-manager", certificate(spec), refusal);
}

/** What no slip of the operator's, and no controller of the platform that a tenant talks to, may open. */
export const operatorAttacks: readonly Attack[] = [
  create(
    "a namespace that K3k binds and nobody guards",
    "operator",
    namespace("k3k-delta", { "policy.k3k.io/policy-name": "tenant-delta" }),
    needsLabels,
  ),
  create("a tenant's namespace under another name", "operator", namespace("delta", delta, domains), needsLabels),
  create(
    "a tenant's namespace under another's policy",
    "operator",
    namespace("k3k-delta", { ...delta, "policy.k3k.io/policy-name": "tenant-acme" }, domains),
    needsLabels,
  ),
  create(
    "a tenant's namespace without domains",
    "operator",
    namespace("k3k-delta", delta),
    "must list the tenant's domains",
  ),
  create(
    "domains in capitals, which no rule would ever match",
    "operator",
    namespace("k3k-delta", delta, { "kraft.dev/domains": "Delta.Example" }),
    "must list the tenant's domains",
  ),
  create(
    "a wildcard among the domains",
    "operator",
    namespace("k3k-delta", delta, { "kraft.dev/domains": "*.example" }),
    "must list the tenant's domains",
  ),
  create(
    "a whole top level among the domains",
    "operator",
    namespace("k3k-delta", delta, { "kraft.dev/domains": "example" }),
    "must list the tenant's domains",
  ),
  create(
    "a tenant's namespace without Pod Security",
    "operator",
    namespace("k3k-delta", { ...delta, "pod-security.kubernetes.io/enforce": "privileged" }, domains),
    "never less",
  ),
  relabelled(
    "a namespace that changes hands",
    { ...acme, "kraft.dev/tenant": "blue" },
    acmeDomains,
    "says whose namespace this is and never changes",
  ),
  relabelled(
    "a namespace that loses its tenant, and with it every rule",
    { "kubernetes.io/metadata.name": "k3k-acme" },
    {},
    "says whose namespace this is and never changes",
  ),
  relabelled(
    "a namespace that loses its policy",
    { ...acme, "policy.k3k.io/policy-name": "" },
    acmeDomains,
    needsLabels,
  ),
  relabelled(
    "Pod Security lowered",
    { ...acme, "pod-security.kubernetes.io/enforce": "privileged" },
    acmeDomains,
    "never less",
  ),
  relabelled(
    "Pod Security taken away",
    {
      "kraft.dev/tenant": "acme",
      "kubernetes.io/metadata.name": "k3k-acme",
      "policy.k3k.io/policy-name": "tenant-acme",
    },
    acmeDomains,
    "never less",
  ),
  create(
    "a guest cluster outside of any tenant's namespace",
    "operator",
    guest("delta", "default", {}),
    "a guest cluster stands in the namespace of its tenant",
  ),
  create(
    "a second guest cluster beside a tenant's",
    "operator",
    guest("second", "k3k-acme", {}),
    "a guest cluster stands in the namespace of its tenant",
  ),
  create(
    "a guest cluster with privileged nodes",
    "operator",
    guest("acme", "k3k-acme", { mode: "virtual" }),
    "a guest cluster runs in shared mode",
  ),
  create(
    "a guest cluster on the network of the nodes",
    "operator",
    guest("acme", "k3k-acme", { mirrorHostNodes: true }),
    "would open ports of the nodes",
  ),
  create(
    "a guest's API and etcd on ports of the nodes",
    "operator",
    guest("acme", "k3k-acme", { expose: { nodePort: {} } }),
    "would open ports of the nodes",
  ),
  create(
    "priority classes of a guest on the host",
    "operator",
    guest("acme", "k3k-acme", { sync: { priorityClasses: { enabled: true } } }),
    "would give a tenant precedence",
  ),
  fromShim(
    "a foreign name among the certificate's",
    { dnsNames: ["www.acme.example", "www.blue.example"] },
    "not within the domains of the tenant: www.blue.example",
  ),
  fromShim("a wildcard certificate", { dnsNames: ["*.acme.example"] }, "no wildcard"),
  fromShim("a certificate without names", { dnsNames: [] }, "a certificate needs names"),
  fromShim(
    "a foreign common name",
    { commonName: "www.blue.example" },
    "the common name must be one of the certificate's names",
  ),
  fromShim(
    "an address of the house in a certificate",
    { ipAddresses: ["192.168.1.11"] },
    "a tenant's certificate may not have",
  ),
  fromShim("a certificate authority", { isCA: true }, "a tenant's certificate may not have"),
  fromShim(
    "labels on the certificate's Secret",
    { secretTemplate: { labels: { a: "b" } } },
    "a tenant's certificate may not have",
  ),
  fromShim(
    "a certificate of the platform's own issuer",
    { issuerRef: { name: "kraft-dns01", kind: "Issuer", group: "cert-manager.io" } },
    "the only issuer for tenants is the ClusterIssuer kraft-issuer",
  ),
  fromShim(
    "a certificate written over the guest's token",
    { secretName: "k3k-acme-token" },
    "the secret of a certificate must end in -tls",
  ),
];
