import type { S3Key } from "../../components/plan/backup-store.ts";
import { defaultReplicas } from "../../components/plan/storage.ts";
import type { BackupStore } from "../../infra/catalogue/catalogue.ts";
import { locationOf, tenantsOf } from "../../infra/config/model-of.ts";
import { keysOf, type StackFile } from "../../infra/config/stack-file.ts";
import type { RestoreInputs } from "./plan.ts";

/**
 * What a restore needs of a stack file; a ConfigError if these keys are wrong. Nothing else in it matters here: after a fire
 * the cluster's UID in it is that of the lost cluster.
 */
export function inputsOf(file: StackFile): RestoreInputs & { readonly replicas: number } {
  const { tenants, leaveOut, line, storage } = keysOf(file, ["tenants", "leaveOut", "line", "storage"]);
  return {
    tenants: tenantsOf(tenants),
    leaveOut,
    line,
    replicas: storage?.replicas ?? defaultReplicas(file.stack.nodes.length),
  };
}

/** Where a stack's backups are. */
export function storeOf(file: StackFile, { accessKeyId, secretAccessKey }: S3Key): BackupStore {
  return { ...locationOf(keysOf(file, ["backup"]).backup), accessKeyId, secretAccessKey };
}
