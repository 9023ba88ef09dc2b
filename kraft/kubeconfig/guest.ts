import { Agent } from "node:https";
import { parse, stringify } from "yaml";
import { Api } from "../../cluster/api.ts";
import { credentialsOf, type Kubeconfig } from "../../cluster/kubeconfig.ts";
import { fieldManager } from "../../components/plan/names.ts";
import { Failure, UsageError } from "../../errors/failure.ts";

/**
 * Kubeconfigs that end when the operator says, and that can be revoked. K3k's own can do neither: they hold a certificate of
 * a year for the group system:masters, and Kubernetes has no list of revoked certificates. So these hold the token of a
 * ServiceAccount in the guest, which Kubernetes accepts until its time is over or the ServiceAccount is deleted.
 */

/** The ServiceAccount in the guest, and the binding that makes it the administrator. */
const account = { name: "kraft-kubeconfig", namespace: "kube-system" } as const;
const accountPath = `/api/v1/namespaces/${account.namespace}/serviceaccounts/${account.name}`;
const bindingPath = `/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/${account.name}`;

/** Days that K3k's own kubeconfig is valid, and the most that can be asked for (rancher/dynamiclistener's default). */
export const k3kDays = 365;

interface TokenRequest {
  readonly status: { readonly token: string; readonly expirationTimestamp: string };
}

/** `--days`; a UsageError unless it is a whole number of days. */
export function daysOf(value: string): number {
  const days = Number(value);
  if (!/^[0-9]+$/.test(value) || days < 1 || days > k3kDays) {
    throw new UsageError(`--days ${value}: not a number of days\n  allowed: 1 to ${k3kDays}`);
  }
  return days;
}

/**
 * The API of a guest, as its administrator.
 *
 * @param kubeconfig That of K3k, with the server that the tenant uses.
 * @param via Address, with :<port> if that is not the server's, to connect to in place of the server's name. TLS is checked
 *   against the name in any case.
 */
export async function guestApi(kubeconfig: string, tenant: string, via: string | undefined): Promise<Api> {
  const { server, options } = await credentialsOf(parse(kubeconfig) as Kubeconfig, "", tenant);
  const where = `the kubeconfig of ${tenant}`;
  if (server === undefined) {
    throw new Failure(`${where} names no server`);
  }
  if (via === undefined) {
    return new Api({ server, options, where });
  }
  const url = addressOf(via);
  const { ca, cert, key } = options;
  const agent = new Agent({ ca, cert, key, keepAlive: false, servername: new URL(server).hostname });
  return new Api({ server: url, options: { agent }, where });
}

function addressOf(via: string): string {
  const url = URL.parse(`https://${via}`);
  if (url?.pathname !== "/" || url.username !== "" || `${url.search}${url.hash}` !== "") {
    throw new UsageError(`--via ${via}: not an address\n  allowed: an address or name, with :<port> if it is not 443`);
  }
  return url.origin;
}

/** A kubeconfig with a token in place of K3k's certificate, and when the token ends. The guest may shorten its time. */
export async function withToken(
  guest: Pick<Api, "apply" | "create">,
  kubeconfig: string,
  tenant: string,
  days: number,
): Promise<{ readonly text: string; readonly expires: Date }> {
  await guest.apply(accountPath, { apiVersion: "v1", kind: "ServiceAccount", metadata: account }, fieldManager, true);
  await guest.apply(
    bindingPath,
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name: account.name },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
      subjects: [{ kind: "ServiceAccount", ...account }],
    },
    fieldManager,
    true,
  );
  const { status } = await guest.create<TokenRequest>(`${accountPath}/token`, {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    spec: { expirationSeconds: days * 86_400 },
  });
  const config = parse(kubeconfig) as object;
  return {
    text: stringify({ ...config, users: [{ name: tenant, user: { token: status.token } }] }, { lineWidth: 0 }),
    expires: new Date(status.expirationTimestamp),
  };
}

/** Takes back every kubeconfig that was made with a token: none of them opens the guest any more. */
export async function revokeTokens(guest: Pick<Api, "delete">): Promise<void> {
  await guest.delete(bindingPath);
  await guest.delete(accountPath);
}
