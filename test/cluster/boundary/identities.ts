import type { Api } from "../../../local/api.ts";
import { eventually } from "../embedded.ts";

/** Service accounts that write into a tenant's namespace. */
const serviceAccounts = {
  "k3k-kubelet": ["k3k-acme", "k3k-acme-kubelet"],
  "tenant-default": ["k3k-acme", "default"],
  "other-tenant": ["k3k-blue", "k3k-blue-kubelet"],
  "k3k-controller": ["k3k-system", "k3k"],
  "cert-manager": ["cert-manager", "cert-manager"],
  "statefulset-controller": ["kube-system", "statefulset-controller"],
  "ephemeral-volume-controller": ["kube-system", "ephemeral-volume-controller"],
  "daemonset-controller": ["kube-system", "daemon-set-controller"],
} as const;

/** Who sends a request: a service account of the cluster, or the operator with every right. */
export type Identity = keyof typeof serviceAccounts | "operator";

/** The host's API server as each identity reaches it. */
export async function identities(operator: Api): Promise<ReadonlyMap<Identity, Api>> {
  return new Map<Identity, Api>([["operator", operator], ...(await tokensOf(operator, serviceAccounts))]);
}

/** The API server as service accounts reach it, each with a token that the API server itself issued for it. */
export async function tokensOf<Name extends string>(
  operator: Api,
  accounts: Readonly<Record<Name, readonly [namespace: string, name: string]>>,
): Promise<ReadonlyMap<Name, Api>> {
  const clients = new Map<Name, Api>();
  for (const [identity, [namespace, name]] of Object.entries(accounts) as [Name, readonly [string, string]][]) {
    const account = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}`;
    // K3k makes its own in its own time, after `up` has declared the guest.
    await eventually(`service account ${namespace}/${name}`, () => operator.get(account));
    const { status } = await operator.create<{ status: { token: string } }>(`${account}/token`, {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: { expirationSeconds: 3600 },
    });
    clients.set(identity, operator.as(status.token));
  }
  return clients;
}
