import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { Agent, type RequestOptions } from "node:https";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { parse } from "yaml";

type Settings = Readonly<Record<string, unknown>>;

/** A kubeconfig, as far as it is looked at. */
export interface Kubeconfig {
  readonly contexts?:
    readonly { readonly name: string; readonly context?: { cluster?: string; user?: string } }[] | null;
  readonly clusters?: readonly { readonly name: string; readonly cluster?: Settings }[] | null;
  readonly users?: readonly { readonly name: string; readonly user?: Settings }[] | null;
}

/** How a context of a kubeconfig reaches its API server. */
export interface Credentials {
  readonly server: string | undefined;
  readonly options: RequestOptions;
  /** When the client certificate ends; undefined where something else opens the cluster. */
  readonly certificateEnd: Date | undefined;
}

/** `~/` is the home folder; other paths are relative to the stack file, as for Pulumi. */
export function kubeconfigPath(path: string, directory: string, home: string = homedir()): string {
  return path.startsWith("~/") ? join(home, path.slice(2)) : resolve(directory, path);
}

/** @throws where the file is no kubeconfig. */
export function readKubeconfig(path: string): Kubeconfig {
  const config: unknown = parse(readFileSync(path, "utf8"));
  if (typeof config !== "object" || config === null) {
    throw new Error("it is no kubeconfig");
  }
  return config;
}

/**
 * The server and credentials of a context; throws where it cannot be used. Credentials in the kubeconfig itself, as K3s
 * and Talos write them, are read here; files, commands and proxies need the library, which takes 0.6 s to load.
 */
export async function credentialsOf(config: Kubeconfig, path: string, context: string): Promise<Credentials> {
  const { cluster: clusterName, user: userName } = config.contexts?.find(({ name }) => name === context)?.context ?? {};
  const cluster = config.clusters?.find(({ name }) => name === clusterName)?.cluster;
  const user = config.users?.find(({ name }) => name === userName)?.user;
  const { server, options } =
    (cluster && user && ownCredentials(cluster, user)) ?? (await libraryCredentials(path, context));
  const { cert } = options;
  return { server, options, certificateEnd: cert === undefined ? undefined : certificateEnd(cert as string | Buffer) };
}

/** Undefined where there are other settings than these. */
function ownCredentials(cluster: Settings, user: Settings): Omit<Credentials, "certificateEnd"> | undefined {
  const { server, "certificate-authority-data": authority, ...moreOfCluster } = cluster;
  const { token, "client-certificate-data": certificate, "client-key-data": key, ...moreOfUser } = user;
  if (
    Object.keys({ ...moreOfCluster, ...moreOfUser }).length > 0 ||
    typeof server !== "string" ||
    !server.startsWith("https:")
  ) {
    return undefined;
  }
  const decoded = (data: unknown): Buffer | undefined =>
    typeof data === "string" && data !== "" ? Buffer.from(data, "base64") : undefined;
  const identity = { ca: decoded(authority), cert: decoded(certificate), key: decoded(key) };
  return {
    server,
    options: {
      ...identity,
      // A connection that is kept may be one to a node that has restarted meanwhile.
      agent: new Agent({ ...identity, keepAlive: false }),
      headers: typeof token === "string" ? { authorization: `Bearer ${token}` } : {},
    },
  };
}

async function libraryCredentials(path: string, context: string): Promise<Omit<Credentials, "certificateEnd">> {
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  config.loadFromFile(path);
  config.setCurrentContext(context);
  const options: RequestOptions = {};
  // The library's types come with another version of Node's.
  await config.applyToHTTPSOptions(options as Parameters<typeof config.applyToHTTPSOptions>[0]);
  return { server: config.getCurrentCluster()?.server, options };
}

/** When a certificate (PEM or DER) ends; of several in a row, the first one, its owner's. Throws for anything else. */
export function certificateEnd(certificate: string | Buffer): Date {
  return new X509Certificate(certificate).validToDate;
}
