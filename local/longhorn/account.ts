import { platformNamespaces } from "../../components/plan/network/platform-policies.ts";
import { Failure } from "../../errors/failure.ts";
import { type Api, eventually } from "../api.ts";

const name = "longhorn-service-account";
const namespace = platformNamespaces.longhorn;
/** How long a token of the account is good for. */
export const tokenHours = 24;

const rbac = "/apis/rbac.authorization.k8s.io/v1";

/** What of the role of Longhorn's chart 1.12 bears on deletions (`chart/templates/clusterrole.yaml` of longhorn/longhorn). */
const rules = [
  { apiGroups: ["longhorn.io"], resources: ["*"], verbs: ["*"] },
  { apiGroups: ["apiextensions.k8s.io"], resources: ["customresourcedefinitions"], verbs: ["*"] },
  { apiGroups: [""], resources: ["persistentvolumes", "persistentvolumeclaims"], verbs: ["*"] },
  { apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "watch", "delete", "deletecollection"] },
  { apiGroups: ["storage.k8s.io"], resources: ["storageclasses", "volumeattachments"], verbs: ["*"] },
];

/**
 * The API server as Longhorn's managers, its CSI driver and the jobs of its schedules reach it: with a token of their one
 * service account. The stand-in chart has none, so account and role are made here.
 */
export async function longhornAccount(administrator: Api): Promise<Api> {
  const account = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}`;
  await administrator.apply(account, { apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace } });
  await administrator.apply(`${rbac}/clusterroles/longhorn-role`, {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: { name: "longhorn-role" },
    rules,
  });
  await administrator.apply(`${rbac}/clusterrolebindings/longhorn-bind`, {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: "longhorn-bind" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "longhorn-role" },
    subjects: [{ kind: "ServiceAccount", name, namespace }],
  });
  const { status } = await administrator.create<{ readonly status: { readonly token: string } }>(`${account}/token`, {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    spec: { expirationSeconds: tokenHours * 3600 },
  });
  const longhorn = administrator.as(status.token);
  const path = `/apis/longhorn.io/v1beta2/namespaces/${namespace}/volumes`;
  const hasRights = await eventually(async () => (await longhorn.answer("GET", path)).status === 200, 60);
  if (!hasRights) {
    throw new Failure(`The account ${name} in ${namespace} still may not read Longhorn's volumes after 60 s.`);
  }
  return longhorn;
}
