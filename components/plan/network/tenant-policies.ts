import { tenantNames } from "../names.ts";
import { internet, toClusterDns, toHostApi, toResolvers, type HostNetwork } from "./host-network.ts";
import { denyEverything, withinNamespace, type NetworkRules } from "./policy.ts";
import { platformNamespaces, traefikPods, traefikPorts } from "./platform-policies.ts";

/**
 * What the pods in a tenant's namespace may reach and who reaches them. A guest's API server, its kubelets and its pods
 * share the namespace.
 *
 * Only two rules look at a pod's labels: those for K3k's own pods, whose labels `plan/admission/pods.ts` refuses to
 * every pod of the tenant's.
 *
 * The tenant's pods ask the CoreDNS of their guest, never the host's: it would tell them the names of all other tenants'
 * Services.
 */
export function tenantPolicies(tenant: string, network: HostNetwork): readonly NetworkRules[] {
  const { cluster } = tenantNames(tenant);
  return [
    denyEverything,
    withinNamespace,
    {
      name: "from-traefik",
      ingress: [{ from: [traefikPods] }],
    },
    {
      name: "from-k3k",
      // The guest's API server, and its etcd, from which the controller removes members.
      ingress: [
        {
          from: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": platformNamespaces.k3k } } }],
          ports: [
            { protocol: "TCP", port: 6443 },
            { protocol: "TCP", port: 2379 },
          ],
        },
      ],
    },
    {
      name: "to-internet",
      egress: [{ to: internet(network) }, toResolvers(network), { to: [traefikPods], ports: traefikPorts }],
    },
    {
      name: "k3k-kubelet",
      pods: { matchLabels: { cluster, type: "agent", mode: "shared" } },
      egress: [...toHostApi(network), toClusterDns],
    },
    {
      name: "k3k-server",
      pods: { matchLabels: { cluster, role: "server" } },
      egress: [toClusterDns],
    },
  ];
}
