import { tenantNames } from "../names.ts";
import { type HostNetwork, internet, toClusterDns, toHostApi, toResolvers } from "./host-network.ts";
import { guestServerPorts, platformNamespaces, traefikPods, traefikPorts } from "./platform-policies.ts";
import { denyEverything, type NetworkRules, podsIn, withinNamespace } from "./policy.ts";

/**
 * What the pods in a tenant's namespace may reach, and what may reach them. A guest's API server, its kubelets and its
 * pods share the namespace.
 *
 * Only two rules select pods by labels: those for K3k's own pods, whose labels `plan/admission/pods.ts` refuses to the
 * tenant's pods.
 *
 * The tenant's pods ask the CoreDNS of their guest, never the host's, which would tell them the names of all other
 * tenants' Services.
 */
export function tenantPolicies(tenant: string, network: HostNetwork): readonly NetworkRules[] {
  const { cluster } = tenantNames(tenant);
  return [
    denyEverything,
    withinNamespace,
    { name: "from-traefik", ingress: [{ from: [traefikPods] }] },
    { name: "from-k3k", ingress: [{ from: [podsIn(platformNamespaces.k3k)], ports: guestServerPorts }] },
    {
      name: "to-internet",
      egress: [{ to: internet(network) }, toResolvers(network), { to: [traefikPods], ports: traefikPorts }],
    },
    {
      name: "k3k-kubelet",
      pods: { matchLabels: { cluster, type: "agent", mode: "shared" } },
      egress: [...toHostApi(network), toClusterDns],
    },
    { name: "k3k-server", pods: { matchLabels: { cluster, role: "server" } }, egress: [toClusterDns] },
  ];
}
