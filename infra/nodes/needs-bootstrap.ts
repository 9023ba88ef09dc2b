import type { Stack } from "../../stacks/index.ts";
import { placeholder } from "../config/keys/values.ts";
import type { RawConfig } from "../config/parse.ts";
import { record } from "../config/pulumi-files.ts";

/**
 * Whether only the machines can be declared yet: Kraft is to set them up, and the cluster that they will form has no UID
 * in the stack file, so that there is no kubeconfig for anything else.
 */
export function needsBootstrap(stack: Stack | undefined, raw: RawConfig): stack is Stack {
  const { machines, cluster } = raw.values;
  const { uid } = record(cluster);
  return (
    (stack?.distribution === "k3s" || stack?.distribution === "talos") &&
    Object.keys(record(machines)).length > 0 &&
    (typeof uid !== "string" || placeholder.clusterUid.test(uid))
  );
}
