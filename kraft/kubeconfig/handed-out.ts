import { readFileSync } from "node:fs";
import { parse } from "yaml";
import type { ConnectedHost, Host, WritableHost } from "../../cluster/client.ts";
import { guestKubeconfig } from "../../cluster/guest-api.ts";
import { certificateEnd, type Kubeconfig } from "../../cluster/kubeconfig.ts";
import { tenantNames } from "../../components/plan/names.ts";
import { Failure, messageOf } from "../../errors/failure.ts";
import { keysOf, type StackFile } from "../../infra/config/stack-file.ts";
import { moment } from "../cli/moment.ts";
import { type Output } from "../cli/output.ts";
import { invocation } from "../cli/verb.ts";
import { guestApi, withToken } from "./guest.ts";
import { recordHandedOut } from "./record.ts";
import { rewriteKubeconfig } from "./rewrite.ts";

/** A kubeconfig for a tenant. */
export interface TenantKubeconfig {
  /** YAML, and a credential. */
  readonly text: string;
  readonly server: string;
  /** Undefined where it is not known. */
  readonly expires: Date | undefined;
  /** Whether it can be revoked before it expires. */
  readonly revocable: boolean;
}

/** What was asked for on the command line. */
export interface Wanted {
  /** Days until it ends; undefined for K3k's own kubeconfig. */
  readonly days: number | undefined;
  /** See `guestApi`. */
  readonly via: string | undefined;
}

/** The server in a tenant's kubeconfig: the name by which the tenant reaches the guest. */
export function serverOf(file: StackFile, tenant: string): string {
  return `https://${tenant}.api.${keysOf(file, ["domain"]).domain}`;
}

/**
 * The kubeconfig that K3k keeps for a guest, for use outside of the host cluster. Throws a Failure where there is none, or
 * one that has expired.
 */
export async function k3kKubeconfigOf(host: Host, file: StackFile, tenant: string): Promise<TenantKubeconfig> {
  const server = serverOf(file, tenant);
  const { text, expires } = rewriteKubeconfig(await sourceOf(host, tenant), tenant, server, "K3k");
  if (expires !== undefined && expires < new Date()) {
    throw new Failure(
      `the kubeconfig of ${tenant} expired on ${moment(expires)}, and was not handed out\n` +
        `  K3k makes a new one when it reconciles: kubectl -n k3k-system rollout restart deployment k3k`,
    );
  }
  return { text, server, expires, revocable: false };
}

/** A new kubeconfig for a tenant: K3k's own, or one for some days. */
export async function newKubeconfig(
  host: ConnectedHost,
  file: StackFile,
  tenant: string,
  { days, via }: Wanted,
  output: Output,
): Promise<TenantKubeconfig> {
  const own = await k3kKubeconfigOf(host, file, tenant);
  if (days === undefined) {
    return own;
  }
  const guest = await guestApi(own.text, tenant, via);
  const made = await output.during(`asking ${via ?? own.server}`, withToken(guest, own.text, tenant, days));
  return { ...own, ...made, revocable: true };
}

/**
 * Has `kraft status` remind of a kubeconfig's end. It is handed out already, so that a cluster that does not take the note is
 * no failure: the operator hears of it.
 */
export async function noteHandedOut(
  host: WritableHost,
  tenant: string,
  { expires, revocable }: TenantKubeconfig,
  output: Output,
): Promise<void> {
  if (expires === undefined) {
    return;
  }
  try {
    await recordHandedOut(host, tenant, { at: new Date(), ends: expires, revocable });
  } catch (error) {
    if (!(error instanceof Failure)) {
      throw error;
    }
    output.note(`${invocation} status will not remind you of its end, which could not be recorded: ${error.message}`);
  }
}

/** A kubeconfig in a file, as far as it is looked at before it is replaced. */
export interface WrittenKubeconfig {
  readonly server: string | undefined;
  /** The authority that the server's certificate is of, in base64. */
  readonly authority: string | undefined;
  /** Undefined where it is not known. */
  readonly expires: Date | undefined;
  /** Whether it was made for some days. */
  readonly revocable: boolean;
}

/** Reads a kubeconfig of `newKubeconfig`; undefined for a text that is none. */
export function readWritten(text: string): WrittenKubeconfig | undefined {
  try {
    const { clusters, users } = parse(text) as Kubeconfig;
    const { server, "certificate-authority-data": authority } = clusters?.[0]?.cluster ?? {};
    const { token, "client-certificate-data": certificate } = users?.[0]?.user ?? {};
    return {
      server: typeof server === "string" ? server : undefined,
      authority: typeof authority === "string" ? authority : undefined,
      expires:
        typeof token === "string"
          ? tokenEnd(token)
          : typeof certificate === "string"
            ? certificateEnd(Buffer.from(certificate, "base64"))
            : undefined,
      revocable: typeof token === "string",
    };
  } catch {
    return undefined;
  }
}

/** When a token of a ServiceAccount ends (RFC 7519, `exp`); undefined where it does not say. */
function tokenEnd(token: string): Date | undefined {
  const payload = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8")) as {
    readonly exp?: unknown;
  };
  return typeof payload.exp === "number" ? new Date(payload.exp * 1000) : undefined;
}

/** The kubeconfig in a file; a Failure where there is none for this server. */
export function writtenAt(path: string, tenant: string, server: string): WrittenKubeconfig {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new Failure(
      `${path} cannot be renewed: ${messageOf(error)}\n  name the file with the tenant's kubeconfig, or leave out --renew`,
    );
  }
  const written = readWritten(text);
  if (written?.server !== server) {
    throw new Failure(
      `${path} has no kubeconfig of ${tenant} (${server}), and was left as it is\n  name the file that has it, or replace it with --force`,
    );
  }
  return written;
}

/** The kubeconfig in the Secret that K3k keeps for a guest. */
async function sourceOf(host: Host, tenant: string): Promise<string> {
  const text = await guestKubeconfig(host, tenant);
  if (text === undefined) {
    const { namespace, kubeconfigSecret } = tenantNames(tenant);
    throw new Failure(
      `there is no kubeconfig yet: Secret ${kubeconfigSecret} in namespace ${namespace} does not exist, or has no key kubeconfig.yaml\n` +
        `  K3k writes it once the guest's API server answers. See what delays it: ${invocation} status`,
    );
  }
  return text;
}
