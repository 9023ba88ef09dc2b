import type { Config } from "../infra/config/schema.ts";
import { connect, type WritableHost } from "../infra/host/host.ts";
import type { StackFile } from "./stack-file.ts";

/** Reaches the cluster of a stack file, see `connect`. */
export function hostOf(file: StackFile, cluster: Config["cluster"]): Promise<WritableHost> {
  const { name, directory, stack } = file;
  return connect({ cluster, file: name, directory, embedded: stack.distribution === "embedded" });
}
