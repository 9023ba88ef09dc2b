import type { RequestOptions } from "node:https";
import { duplexPair } from "node:stream";
import { connect } from "node:tls";
import { parse } from "yaml";
import { tenantNames } from "../components/plan/names.ts";
import { Failure } from "../errors/failure.ts";
import { Api } from "./api.ts";
import type { Host } from "./client.ts";
import { credentialsOf, type Kubeconfig } from "./kubeconfig.ts";
import { paths } from "./paths.ts";

/** The port of a guest's server in its pod, which K3k's Service leads to. */
const port = 6443;

/** The kubeconfig that K3k keeps for a guest; undefined until the guest's API server has answered for the first time. */
export async function guestKubeconfig(host: Pick<Host, "get">, tenant: string): Promise<string | undefined> {
  const { namespace, kubeconfigSecret } = tenantNames(tenant);
  const secret = await host.get(paths.secrets.named(namespace, kubeconfigSecret));
  const encoded = secret?.data?.["kubeconfig.yaml"];
  return encoded === undefined ? undefined : Buffer.from(encoded, "base64").toString("utf8");
}

/** A kubeconfig file of the host, and which of its contexts. */
export interface HostContext {
  readonly file: string;
  readonly context: string;
}

/**
 * Reaches a guest's API server as its administrator through the host's, by a forwarded port of the server's pod: neither the
 * guest's name nor Traefik has to work for it.
 *
 * @throws Failure where K3k has written no kubeconfig yet.
 */
export async function guestThroughHost(
  host: Pick<Host, "get">,
  { file, context }: HostContext,
  tenant: string,
): Promise<Api> {
  const { namespace, server, apiService } = tenantNames(tenant);
  const text = await guestKubeconfig(host, tenant);
  if (text === undefined) {
    throw new Failure(`K3k has written no kubeconfig for ${tenant} yet`);
  }
  const config = parse(text) as Kubeconfig & { readonly "current-context"?: string };
  const { ca, cert, key } = (await credentialsOf(config, "", config["current-context"] ?? "")).options;
  // K3k has it in the server's certificate (`tls-san`).
  const servername = `${apiService}.${namespace}`;
  const { KubeConfig, PortForward } = await import("@kubernetes/client-node");
  const hostConfig = new KubeConfig();
  hostConfig.loadFromFile(file);
  hostConfig.setCurrentContext(context);
  const forward = new PortForward(hostConfig);
  const createConnection: RequestOptions["createConnection"] = () => {
    const [near, far] = duplexPair();
    const connection = connect({ socket: near, servername, ca, cert, key });
    // The forwarding ends with its input.
    connection.once("close", () => near.end());
    forward.portForward(namespace, `${server}-0`, [port], far, null, far).catch((error: unknown) => {
      // The library rejects with its web socket's event.
      const { message } = error as { readonly message?: string };
      connection.destroy(new Error(`no way to ${server}-0: ${message ?? String(error)}`));
    });
    return connection;
  };
  return new Api({
    server: `https://${servername}:${port}`,
    options: { createConnection },
    where: `the guest ${tenant}`,
  });
}
