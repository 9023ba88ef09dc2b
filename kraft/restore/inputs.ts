import { wasabiEndpoint } from "../../components/plan/longhorn-values.ts";
import { defaultReplicas } from "../../components/plan/storage.ts";
import type { BackupStore } from "../../infra/catalogue/catalogue.ts";
import { keysOf, type StackFile } from "../../infra/config/stack-file.ts";
import type { RestoreInputs } from "./plan.ts";

/**
 * What a restore needs of a stack file. Whatever else is wrong with it does not matter here: after a fire the cluster's UID
 * in it is that of the lost cluster.
 *
 * @throws ConfigError naming what is wrong with the keys that do matter.
 */
export function inputsOf(file: StackFile): RestoreInputs & { readonly replicas: number } {
  const { tenants, leaveOut, line, storage } = keysOf(file, ["tenants", "leaveOut", "line", "storage"]);
  return {
    tenants: Object.entries(tenants)
      .map(([name, { size, quota = {}, state = "active", tier = "standard", from }]) => ({
        name,
        size,
        quota,
        state,
        tier,
        from,
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    leaveOut: leaveOut ?? [],
    line,
    replicas: storage?.replicas ?? defaultReplicas(file.stack.nodes.length),
  };
}

/** Where a stack's backups are. */
export function storeOf(
  file: StackFile,
  { accessKeyId, secretAccessKey }: Pick<BackupStore, "accessKeyId" | "secretAccessKey">,
): BackupStore {
  const { bucket, region, prefix, endpoint } = keysOf(file, ["backup"]).backup;
  return { bucket, region, prefix, endpoint: endpoint ?? wasabiEndpoint(region), accessKeyId, secretAccessKey };
}
