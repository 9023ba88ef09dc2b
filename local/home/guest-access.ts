import { Agent } from "node:https";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { Api } from "../../cluster/api.ts";
import { guestKubeconfig } from "../../cluster/guest-api.ts";
import { Failure } from "../../errors/failure.ts";
import type { HostCluster } from "../host-cluster.ts";
import { writeFileWhole } from "../state.ts";

/** What of a kubeconfig K3k writes for a guest. */
interface K3kKubeconfig {
  readonly clusters: readonly [{ readonly cluster: { readonly "certificate-authority-data": string } }];
  readonly users: readonly [
    { readonly user: { readonly "client-certificate-data": string; readonly "client-key-data": string } },
  ];
}

/** How a guest is reached from outside of the home: through the router and Traefik, over the loopback forwarder. */
export interface GuestAccess {
  readonly api: Api;
  /** A file for kubectl. */
  readonly kubeconfig: string;
}

/** The name of a guest's API server, as its certificate and Traefik know it. */
export function guestApiName(tenant: string, domain: string): string {
  return `${tenant}.api.${domain}`;
}

/**
 * Writes the kubeconfig of a tenant that works on this machine: that of `kraft kubeconfig`, with the loopback address in
 * place of the name, which only the home's own internet resolves.
 *
 * @throws Failure while K3k has not written one yet.
 */
export async function guestAccess(cluster: HostCluster, tenant: string, domain: string): Promise<GuestAccess> {
  const text = await guestKubeconfig(cluster.api, tenant);
  if (text === undefined) {
    throw new Failure(`K3k has written no kubeconfig for ${tenant} yet.`);
  }
  const source = parse(text) as K3kKubeconfig;
  const authority = source.clusters[0].cluster["certificate-authority-data"];
  const { user } = source.users[0];
  const server = `https://127.0.0.1:${cluster.state.ports?.websecure ?? 0}`;
  const servername = guestApiName(tenant, domain);
  const kubeconfig = join(cluster.directory, "tenants", `${tenant}.kubeconfig`);
  writeFileWhole(
    kubeconfig,
    stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [
        {
          name: tenant,
          cluster: { server, "tls-server-name": servername, "certificate-authority-data": authority },
        },
      ],
      users: [{ name: tenant, user }],
      contexts: [{ name: tenant, context: { cluster: tenant, user: tenant } }],
      "current-context": tenant,
    }),
  );
  const agent = new Agent({
    keepAlive: false,
    servername,
    ca: Buffer.from(authority, "base64"),
    cert: Buffer.from(user["client-certificate-data"], "base64"),
    key: Buffer.from(user["client-key-data"], "base64"),
  });
  return { api: new Api({ server, options: { agent }, where: `the guest ${tenant}` }), kubeconfig };
}
