import { Api } from "../../cluster/api.ts";
import { credentialsOf, type Kubeconfig, kubeconfigPath, readKubeconfig } from "../../cluster/kubeconfig.ts";
import { readLiveNodes } from "../../cluster/live-nodes.ts";
import { paths } from "../../cluster/paths.ts";
import { Failure, messageOf } from "../../errors/failure.ts";
import type { FoundNode } from "./measure.ts";

/** A cluster that runs already, and its nodes as they report themselves. */
export interface FoundCluster {
  readonly context: string;
  readonly uid: string;
  /** `longhornMebibytes` is 0 where Longhorn does not say yet. */
  readonly nodes: readonly FoundNode[];
}

/**
 * Asks the cluster of a kubeconfig for its UID and its nodes. Changes nothing. Throws a Failure where the file cannot be used or
 * nobody answers.
 *
 * @param context Default: the only one of the file.
 */
export async function findCluster(kubeconfig: string, directory: string, context?: string): Promise<FoundCluster> {
  const path = kubeconfigPath(kubeconfig, directory);
  let config: Kubeconfig;
  try {
    config = readKubeconfig(path);
  } catch (error) {
    throw new Failure(
      `${path} is no kubeconfig that can be read: ${messageOf(error).split("\n")[0] ?? ""}\n` +
        "  copy it from a node of your k3s: docs/first-steps.md, step 4",
    );
  }
  const names = (config.contexts ?? []).map(({ name }) => name);
  const chosen = context ?? (names.length === 1 ? names[0] : undefined);
  if (chosen === undefined || !names.includes(chosen)) {
    throw new Failure(
      `${path} ${context === undefined ? "has not one context but several" : `has no context ${context}`}\n` +
        `  name one with --context: ${names.join(", ") || "it has none"}`,
    );
  }
  const { server, options } = await credentialsOf(config, path, chosen);
  const where = `context ${chosen} of ${kubeconfig}`;
  if (server === undefined) {
    throw new Failure(`${where} names no cluster with a server`);
  }
  const api = new Api({ server, options, where });
  const [system, nodes] = await Promise.all([api.get(paths.namespaces.named("kube-system")), readLiveNodes(api)]);
  return {
    context: chosen,
    uid: system?.metadata.uid ?? "",
    nodes: nodes.map(({ name, addresses, threads = 0, memoryGiB = 0, longhornGiB = 0 }) => ({
      name,
      address: addresses.find((address) => !address.includes(":")) ?? "",
      hardware: {
        threads,
        memoryMebibytes: Math.floor(memoryGiB * 1024),
        longhornMebibytes: Math.floor(longhornGiB * 1024),
        networkDrivers: [],
        model: undefined,
      },
    })),
  };
}
