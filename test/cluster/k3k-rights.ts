import type { Api } from "../../local/api.ts";

/**
 * Gives the K3k kubelets of all guests the cluster-wide rights that K3k's controller gives them once a guest's K3s has
 * answered it, which none does here (`bindClusterRoles` in K3k's pkg/controller/cluster/cluster.go).
 */
export async function bindClusterRoles(api: Api): Promise<void> {
  const guests = await api.list("/apis/k3k.io/v1beta1/clusters");
  for (const role of ["k3k-kubelet-node", "k3k-priorityclass"]) {
    await api.apply(`/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/${role}`, {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name: role },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
      subjects: guests.map(({ metadata: { name, namespace } }) => ({
        kind: "ServiceAccount",
        name: `k3k-${name}-kubelet`,
        namespace,
      })),
    });
  }
}
