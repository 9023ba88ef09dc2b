import { Failure, messageOf } from "../../errors/failure.ts";
import { parse, stringify } from "yaml";
import { certificateEnd } from "../../cluster/certificate.ts";

/** A kubeconfig as its owner gets it. */
export interface TenantKubeconfig {
  /** Where the API server is reached. */
  readonly server: string;
  /** The kubeconfig as YAML. It is a credential. */
  readonly text: string;
  /** When the client certificate in it expires; undefined where there is none. */
  readonly expires: Date | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * The kubeconfig that K3k wrote for a guest, made fit for the tenant.
 *
 * @throws Failure if it has not the shape that K3k writes.
 */
export function tenantKubeconfig(source: string, tenant: string, server: string): TenantKubeconfig {
  return rewriteKubeconfig(source, tenant, server, "K3k");
}

/**
 * A kubeconfig as it was written where the cluster runs, made fit for elsewhere: its server is an address that only
 * counts there, and all of its names are `default`, which would overwrite other clusters when files are merged.
 *
 * The authority in it stays: TLS ends in the cluster itself.
 *
 * @param writer Who wrote it, for messages.
 * @throws Failure if it has not the shape that this writer gives it.
 */
export function rewriteKubeconfig(
  source: string,
  name: string,
  server: string,
  writer: "K3k" | "k3s",
): TenantKubeconfig {
  try {
    return rewritten(source, name, server);
  } catch (error) {
    throw error instanceof Unexpected
      ? new Failure(`${writer}'s kubeconfig is not what ${versions[writer]} write: ${error.message}`)
      : error;
  }
}

const versions = { K3k: "K3k 1.1 and 1.2", k3s: "releases of k3s" } as const;

/** What is not as it should be. It never quotes the file. */
class Unexpected extends Error {}

function rewritten(source: string, name: string, server: string): TenantKubeconfig {
  const config = parsed(source);
  const cluster = only(config, "clusters", "cluster");
  const user = only(config, "users", "user");
  if (typeof cluster["certificate-authority-data"] !== "string") {
    throw new Unexpected("its cluster has no certificate-authority-data");
  }
  const certificate = user["client-certificate-data"];
  const result = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster: { ...cluster, server } }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    "current-context": name,
  };
  return {
    server,
    // Certificates stay on one line.
    text: stringify(result, { lineWidth: 0 }),
    expires: typeof certificate === "string" ? expiry(certificate) : undefined,
  };
}

function parsed(source: string): Fields {
  try {
    return (parse(source) ?? {}) as Fields;
  } catch (error) {
    throw new Unexpected(`it is no YAML: ${messageOf(error).split("\n")[0] ?? ""}`);
  }
}

function only(config: Fields, list: string, field: string): Fields {
  const entries = config[list];
  const [entry] = Array.isArray(entries) && entries.length === 1 ? (entries as (Fields | null)[]) : [];
  const value = entry?.[field];
  if (typeof value !== "object" || value === null) {
    throw new Unexpected(`there is not exactly one entry under ${list}`);
  }
  return value as Fields;
}

function expiry(certificate: string): Date {
  try {
    return certificateEnd(Buffer.from(certificate, "base64"));
  } catch (error) {
    throw new Unexpected(`its client certificate cannot be read: ${messageOf(error)}`);
  }
}
