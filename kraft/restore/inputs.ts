import type { S3Key } from "../../components/plan/backup-store.ts";
import { defaultReplicas } from "../../components/plan/storage.ts";
import { type BackupStore, type Catalogue, readCatalogue } from "../../infra/catalogue/catalogue.ts";
import { locationOf, tenantsOf } from "../../infra/config/model-of.ts";
import { keysOf, type StackFile } from "../../infra/config/stack-file.ts";
import type { Output } from "../cli/output.ts";
import { bucketKey } from "../secrets/stack-secrets.ts";
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

/** How a stack's backups are read, with its key from the environment or its file. Standard error says where, meanwhile. */
export async function catalogueReader(
  file: StackFile,
  output: Output,
): Promise<(options?: Parameters<typeof readCatalogue>[1]) => Promise<Catalogue>> {
  const store = storeOf(file, await bucketKey(file, process.env));
  const where = `reading the backups in ${store.bucket} at ${store.endpoint}`;
  return (options) => output.during(where, readCatalogue(store, options));
}
