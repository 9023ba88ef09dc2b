import { connect, type ConnectedHost, type Host } from "../../cluster/client.ts";
import type { Path } from "../../cluster/paths.ts";
import type { Config } from "../../infra/config/schema.ts";
import { keysOf, type StackFile } from "../../infra/config/stack-file.ts";
import { renewalOf } from "../../infra/kubeconfig-renewal.ts";
import type { Output } from "./output.ts";

/** Connects to the cluster of a stack file, and says so where that takes long. */
export function reach(file: StackFile, output: Output): Promise<ConnectedHost> {
  const { cluster } = keysOf(file, ["cluster"]);
  return output.during(`asking the cluster ${cluster.context}`, hostOf(file, cluster));
}

/** The objects of some collections, by the names of these. */
export type Listed<Collections> = {
  readonly [Name in keyof Collections]: Collections[Name] extends Path<infer Kind> ? readonly Kind[] : never;
};

/** Reads some collections at once. A kind that the cluster does not have yet has no objects. */
export async function listAll<Collections extends Readonly<Record<string, Path<unknown>>>>(
  host: Host,
  collections: Collections,
): Promise<Listed<Collections>> {
  const lists = await Promise.all(
    Object.entries(collections).map(async ([name, path]) => [name, await host.list(path)] as const),
  );
  return Object.fromEntries(lists) as Listed<Collections>;
}

/** Connects to the cluster of a stack file, see `connect`. */
export function hostOf(
  file: StackFile,
  cluster: Config["cluster"] = keysOf(file, ["cluster"]).cluster,
): Promise<ConnectedHost> {
  const { name, directory, stack, raw } = file;
  return connect({ cluster, file: name, directory, remedy: renewalOf(stack, raw.values["machines"] !== undefined) });
}
