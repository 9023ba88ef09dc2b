import { connect, type ConnectedHost } from "../../cluster/client.ts";
import type { Config } from "../../infra/config/schema.ts";
import { keysOf, type StackFile } from "../../infra/config/stack-file.ts";
import { renewalOf } from "../../infra/kubeconfig-renewal.ts";
import type { Output } from "./output.ts";

/** Connects to the cluster of a stack file, and says so where that takes long. */
export function reach(file: StackFile, output: Output): Promise<ConnectedHost> {
  const { cluster } = keysOf(file, ["cluster"]);
  return output.during(`asking the cluster ${cluster.context}`, hostOf(file, cluster));
}

/** Connects to the cluster of a stack file, see `connect`. */
export function hostOf(
  file: StackFile,
  cluster: Config["cluster"] = keysOf(file, ["cluster"]).cluster,
): Promise<ConnectedHost> {
  const { name, directory, stack, raw } = file;
  return connect({ cluster, file: name, directory, remedy: renewalOf(stack, raw.values["machines"] !== undefined) });
}
