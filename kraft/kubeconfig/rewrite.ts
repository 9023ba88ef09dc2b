import { X509Certificate } from "node:crypto";
import { parse, stringify } from "yaml";
import { Failure, messageOf } from "../failure.ts";

/** A kubeconfig as a tenant gets it. */
export interface TenantKubeconfig {
  /** Where the guest's API server is reached. */
  readonly server: string;
  /** The kubeconfig as YAML. It is a credential. */
  readonly text: string;
  /** When the client certificate in it expires; undefined where there is none. */
  readonly expires: Date | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * The kubeconfig that K3k wrote for a guest, made fit for the tenant: K3k's server is an address inside the host cluster,
 * and all of its names are `default`, which would overwrite the tenant's other clusters when they merge their files.
 *
 * The authority in it stays: TLS ends in the guest itself.
 *
 * @throws Failure if it has not the shape that K3k writes.
 */
export function tenantKubeconfig(source: string, tenant: string, server: string): TenantKubeconfig {
  const config = parsed(source);
  const cluster = only(config, "clusters", "cluster");
  const user = only(config, "users", "user");
  if (typeof cluster["certificate-authority-data"] !== "string") {
    throw unexpected("its cluster has no certificate-authority-data");
  }
  const certificate = user["client-certificate-data"];
  const rewritten = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: tenant, cluster: { ...cluster, server } }],
    users: [{ name: tenant, user }],
    contexts: [{ name: tenant, context: { cluster: tenant, user: tenant } }],
    "current-context": tenant,
  };
  return {
    server,
    // Certificates stay on one line.
    text: stringify(rewritten, { lineWidth: 0 }),
    expires: typeof certificate === "string" ? expiry(certificate) : undefined,
  };
}

function parsed(source: string): Fields {
  try {
    return (parse(source) ?? {}) as Fields;
  } catch (error) {
    throw unexpected(`it is no YAML: ${messageOf(error).split("\n")[0] ?? ""}`);
  }
}

function only(config: Fields, list: string, field: string): Fields {
  const entries = config[list];
  const [entry] = Array.isArray(entries) && entries.length === 1 ? (entries as (Fields | null)[]) : [];
  const value = entry?.[field];
  if (typeof value !== "object" || value === null) {
    throw unexpected(`there is not exactly one entry under ${list}`);
  }
  return value as Fields;
}

function expiry(certificate: string): Date {
  try {
    return new X509Certificate(Buffer.from(certificate, "base64")).validToDate;
  } catch (error) {
    throw unexpected(`its client certificate cannot be read: ${messageOf(error)}`);
  }
}

function unexpected(what: string): Failure {
  return new Failure(`K3k's kubeconfig is not what K3k 1.1 and 1.2 write: ${what}`);
}
