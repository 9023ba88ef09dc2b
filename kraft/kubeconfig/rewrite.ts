import { parse, stringify } from "yaml";
import { certificateEnd } from "../../cluster/kubeconfig.ts";
import { Failure, messageOf } from "../../errors/failure.ts";
import { distance, moment } from "../cli/moment.ts";

type Fields = Readonly<Record<string, unknown>>;

const versions = { K3k: "K3k 1.1 and 1.2", k3s: "releases of k3s" } as const;

/**
 * A kubeconfig for use outside the cluster that wrote it: with a server that is reachable from there, and with a name in
 * place of `default`, which would overwrite other clusters when files are merged. The certificate authority stays, since
 * TLS ends in the cluster itself. A Failure says what is not as its writer makes it, without quoting it.
 */
export function rewriteKubeconfig(source: string, name: string, server: string, writer: keyof typeof versions) {
  const unexpected = (what: string): Failure =>
    new Failure(`${writer}'s kubeconfig is not what ${versions[writer]} write: ${what}`);
  const attempt = <Value>(what: string, read: () => Value): Value => {
    try {
      return read();
    } catch (error) {
      throw unexpected(`${what}: ${messageOf(error).split("\n")[0] ?? ""}`);
    }
  };
  const config = attempt("it is not YAML", () => (parse(source) ?? {}) as Fields);
  const only = (list: string, field: string): Fields => {
    const entries = config[list];
    const [entry] = Array.isArray(entries) && entries.length === 1 ? (entries as (Fields | null)[]) : [];
    const value = entry?.[field];
    if (typeof value !== "object" || value === null) {
      throw unexpected(`there is not exactly one entry under ${list}`);
    }
    return value as Fields;
  };
  const cluster = only("clusters", "cluster");
  const user = only("users", "user");
  if (typeof cluster["certificate-authority-data"] !== "string") {
    throw unexpected("its cluster has no certificate-authority-data");
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
    /** YAML, and a credential. Certificates stay on one line. */
    text: stringify(result, { lineWidth: 0 }),
    /** When its client certificate expires; undefined where there is none. */
    expires:
      typeof certificate === "string"
        ? attempt("its client certificate cannot be read", () => certificateEnd(Buffer.from(certificate, "base64")))
        : undefined,
  };
}

/** How long a kubeconfig is valid, as the rest of a sentence about it. */
export function validityText(expires: Date | undefined, now: Date): string {
  return expires === undefined
    ? "has no client certificate: when it expires is not known"
    : `is valid until ${moment(expires)} (${distance(expires, now)})`;
}
