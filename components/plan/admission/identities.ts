import { quoted } from "./policy.ts";

/**
 * True, in CEL, for whoever acts with a service account of a tenant's namespace. K3k's kubelet in there is the only way
 * from a guest to the host: everything a tenant writes in the guest arrives in its name.
 */
export const byTenant =
  "request.userInfo.groups.exists(g, g.startsWith('system:serviceaccounts:k3k-') && g != 'system:serviceaccounts:k3k-system')";

const workloadControllers = [
  "system:serviceaccount:kube-system:daemon-set-controller",
  "system:serviceaccount:kube-system:statefulset-controller",
];

/**
 * True, in CEL, for the controllers that make the pods of K3k's own DaemonSet and StatefulSet. Tenants can create
 * neither on the host.
 */
export const byWorkloadController = `[${workloadControllers.map(quoted).join(", ")}].exists(u, u == request.userInfo.username)`;

/** True, in CEL, for the controller that binds claims to volumes. */
export const byVolumeBinder =
  "request.userInfo.username == 'system:serviceaccount:kube-system:persistent-volume-binder'";

/** True, in CEL, for who has the administrator's kubeconfig of k3s or Talos, whose certificate names this group. */
export const byOperator = "request.userInfo.groups.exists(g, g == 'system:masters')";

/**
 * What the name of every object ends in that K3k copies from a guest: a hyphen and hexadecimal digits, five at least
 * (`SafeConcatName` in its pkg/controller/controller.go). Nothing that K3k, cert-manager or Kraft puts into a tenant's
 * namespace is called so.
 */
export const syncedName = "^.+-[0-9a-f]{5,}$";
