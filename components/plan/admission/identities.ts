import { type Condition, list } from "./policy.ts";

/**
 * True, in CEL, for service accounts of a tenant's namespace. K3k's kubelet in it is the only way from a guest to the
 * host: it makes every request that follows from what a tenant writes in the guest.
 */
export const byTenant =
  "request.userInfo.groups.exists(g, g.startsWith('system:serviceaccounts:k3k-') && g != 'system:serviceaccounts:k3k-system')";

/** Limits a policy to requests of tenants. */
export const onlyByTenant: readonly Condition[] = [{ name: "by-a-tenant", expression: byTenant }];

const workloadControllers = [
  "system:serviceaccount:kube-system:daemon-set-controller",
  "system:serviceaccount:kube-system:statefulset-controller",
];

/**
 * True, in CEL, for the controllers that create the pods of K3k's own DaemonSet and StatefulSet. Tenants can create
 * neither on the host.
 */
export const byWorkloadController = `${list(workloadControllers)}.exists(u, u == request.userInfo.username)`;

/** True, in CEL, for the controller that binds claims to volumes. */
export const byVolumeBinder =
  "request.userInfo.username == 'system:serviceaccount:kube-system:persistent-volume-binder'";

/** True, in CEL, for the administrator's kubeconfig of k3s and of Talos, whose certificates name this group. */
export const byOperator = "request.userInfo.groups.exists(g, g == 'system:masters')";

/**
 * Matches the name of every object that K3k copies from a guest: it ends in a hyphen and at least five hexadecimal digits
 * (`SafeConcatName` in its pkg/controller/controller.go). Nothing else that K3k, cert-manager or Kraft creates in a
 * tenant's namespace has such a name.
 */
export const syncedName = "^.+-[0-9a-f]{5,}$";
