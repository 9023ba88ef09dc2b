import { existsSync } from "node:fs";
import { tenantNames } from "../components/plan/names.ts";
import { Failure, messageOf } from "../errors/failure.ts";
import { ConfigError } from "../errors/problem.ts";
import { Api, type ApiAccess } from "./api.ts";
import { credentialsOf, type Kubeconfig, kubeconfigPath, readKubeconfig } from "./kubeconfig.ts";
import { paths } from "./paths.ts";

/** The host cluster of a stack, for reading only. */
export interface Host extends Pick<Api, "get" | "list" | "names"> {
  readonly context: string;
  readonly uid: string;
}

/** The host cluster of a stack, for the few verbs that change something. */
export interface WritableHost extends Host, Pick<Api, "apply" | "merge" | "delete"> {}

/** The host cluster as a stack file names it. */
export interface NamedCluster {
  readonly kubeconfig: string;
  readonly context: string;
  readonly uid: string;
}

/** Which cluster is meant, and where that was written. */
export interface HostAddress {
  readonly cluster: NamedCluster;
  /** The file that names it, for messages. */
  readonly file: string;
  /** Folder that a relative path of the kubeconfig is relative to. */
  readonly directory: string;
  /** What the operator is to do where there is no kubeconfig, and where its certificate has ended. */
  readonly remedy: { readonly missing: string; readonly after: string };
}

/** A cluster as it was reached. */
export class ConnectedHost extends Api implements WritableHost {
  readonly context: string;
  readonly uid: string;
  /** When the client certificate ends by which it was reached; undefined where something else opens it. */
  readonly certificateEnd: Date | undefined;

  constructor(access: ApiAccess, { context, uid }: NamedCluster, end: Date | undefined) {
    super(access);
    this.context = context;
    this.uid = uid;
    this.certificateEnd = end;
  }
}

/**
 * Reaches the cluster of a stack file with the context that it names, and makes sure that it is the right one. Throws a
 * ConfigError where kubeconfig, context or UID do not fit or the certificate has ended, a Failure where no one answers.
 */
export async function connect({ cluster, file, directory, remedy }: HostAddress): Promise<ConnectedHost> {
  const refused = (key: string, found: string, allowed: string, fix: string): ConfigError =>
    new ConfigError(file, [{ key: `kraft:cluster.${key}`, found, allowed, fix }]);
  const quoted = JSON.stringify(cluster.kubeconfig);
  const path = kubeconfigPath(cluster.kubeconfig, directory);
  if (!existsSync(path)) {
    throw refused("kubeconfig", `${quoted}, where there is no file`, "the path of a kubeconfig", remedy.missing);
  }
  let config: Kubeconfig;
  try {
    config = readKubeconfig(path);
  } catch (error) {
    throw refused(
      "kubeconfig",
      `${quoted}, which cannot be read: ${messageOf(error).split("\n")[0] ?? ""}`,
      "a kubeconfig",
      "fetch it anew, see docs/first-steps.md",
    );
  }
  const contexts = (config.contexts ?? []).map(({ name }) => name);
  if (!contexts.includes(cluster.context)) {
    throw refused(
      "context",
      JSON.stringify(cluster.context),
      contexts.length === 0 ? "no context: the kubeconfig has none" : contexts.join(", "),
      "name one of them, or rename it: kubectl config rename-context",
    );
  }
  const where = `context ${cluster.context} of ${cluster.kubeconfig}`;
  const { server, options, certificateEnd } = await credentialsOf(config, path, cluster.context).catch(
    (error: unknown) => {
      throw new Failure(`${where} cannot be used: ${messageOf(error)}`);
    },
  );
  if (server === undefined) {
    throw new Failure(`${where} names no cluster with a server`);
  }
  // The server would say no more than that it does not know who asks.
  if (certificateEnd !== undefined && certificateEnd <= new Date()) {
    throw refused(
      "kubeconfig",
      `${quoted}, whose client certificate ended at ${certificateEnd.toISOString()}`,
      "a kubeconfig whose certificate has not ended",
      remedy.after,
    );
  }
  const host = new ConnectedHost({ server, options, where }, cluster, certificateEnd);
  const system = await host.get(paths.namespaces.named("kube-system"));
  refuseOtherCluster(file, cluster, system?.metadata.uid ?? "");
  return host;
}

/** Refuses, with a ConfigError, a cluster whose UID is not the one in the stack file. */
export function refuseOtherCluster(file: string, cluster: NamedCluster, uid: string): void {
  if (uid !== cluster.uid) {
    throw new ConfigError(file, [
      {
        key: "kraft:cluster.uid",
        found: `${JSON.stringify(cluster.uid)}, but context ${cluster.context} of ${cluster.kubeconfig} is the cluster ${uid}`,
        allowed: "a kubeconfig that points at the cluster of this stack",
        fix: `correct kraft:cluster.kubeconfig or kraft:cluster.context; only if the cluster was rebuilt: pulumi config set --path kraft:cluster.uid ${uid}`,
      },
    ]);
  }
}

/**
 * Sets annotations on a tenant's namespace, or removes those that are null. It is a patch, which fails where the namespace
 * is gone: an apply would create it again, without the tenant boundary.
 */
export function annotateTenant(
  host: WritableHost,
  tenant: string,
  annotations: Readonly<Record<string, string | null>>,
): Promise<void> {
  return host.merge(paths.namespaces.named(tenantNames(tenant).namespace), { metadata: { annotations } });
}
