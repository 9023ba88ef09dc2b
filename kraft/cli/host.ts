import type { Config } from "../../infra/config/schema.ts";
import { connect, type ConnectedHost } from "../../cluster/client.ts";
import { renewalOf } from "../../infra/renewal.ts";
import type { StackFile } from "../../infra/config/stack-file.ts";

/** Reaches the cluster of a stack file, see `connect`. */
export function hostOf(file: StackFile, cluster: Config["cluster"]): Promise<ConnectedHost> {
  const { name, directory, stack, raw } = file;
  return connect({ cluster, file: name, directory, remedy: renewalOf(stack, raw.values["machines"] !== undefined) });
}
