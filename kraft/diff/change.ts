import { dataGroups } from "../../components/plan/deletion-permission.ts";
import { tenantNames } from "../../components/plan/names.ts";
import { platformNamespaces } from "../../components/plan/network/platform-policies.ts";
import type { FieldChange } from "../../infra/drift/fields.ts";

/** What an object is called, and who owns it. */
export interface Identity {
  /** A tenant's name, or `platform`. */
  readonly owner: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

/** The API group of an object; empty for the core group. */
export function apiGroupOf({ apiVersion }: Pick<Identity, "apiVersion">): string {
  return apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
}

/** What can happen to an object, the most destructive first. */
export const operations = ["delete", "replace", "update", "create"] as const;

export type Operation = (typeof operations)[number];

/** An object and the program's own name for it, for example `tenant-acme-cluster`. */
export interface DeclaredIdentity extends Identity {
  readonly resource: string;
}

/** What happens to one object of the cluster. */
export interface Change extends DeclaredIdentity {
  readonly operation: Operation;
  readonly fields: readonly FieldChange[];
  /** What would be lost with the object; only of one that is deleted or replaced. */
  readonly loss?: string;
  /** The object is no longer declared but stays in the cluster, unmanaged. */
  readonly kept?: true;
  /** Pulumi refuses this: the object is protected. */
  readonly refused?: true;
  /** What somebody did to the object by hand; `up` puts it back. Only of a preview that looks at the cluster. */
  readonly byHand?: "changed" | "deleted";
}

/** A change, with what follows from its operation: what would be lost, what stays, what Pulumi refuses. */
export function change(
  identity: DeclaredIdentity,
  operation: Operation,
  fields: readonly FieldChange[] = [],
  { retainOnDelete, protect }: { readonly retainOnDelete?: boolean; readonly protect?: boolean } = {},
): Change {
  const destructive = isDestructive({ operation });
  return {
    ...identity,
    operation,
    fields,
    loss: destructive ? dataLostWith(identity) : undefined,
    kept: operation === "delete" && retainOnDelete === true ? true : undefined,
    refused: destructive && protect === true ? true : undefined,
  };
}

/** Whether an object is removed, if only to be created anew. */
export function isDestructive({ operation }: Pick<Change, "operation">): boolean {
  return operation === "delete" || operation === "replace";
}

/** The order in which changes are shown: the most destructive first, then by owner, kind and name. */
export function sorted(changes: readonly Change[]): Change[] {
  const key = ({ operation, owner, kind, namespace = "", name }: Change): string =>
    [operations.indexOf(operation), owner, kind, namespace, name].join("\0");
  return [...changes].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

/** Longhorn's kinds that hold volumes and backups or lead to them. Deleting a Backup object deletes it in the bucket. */
const longhornData: ReadonlySet<string> = new Set([
  "Backup",
  "BackupBackingImage",
  "BackupTarget",
  "BackupVolume",
  "BackingImage",
  "Engine",
  "Replica",
  "Snapshot",
  "SystemBackup",
  "Volume",
]);

/**
 * What would be lost if an object were deleted from the cluster, as the end of a sentence; undefined for an object that
 * the program can simply create again.
 */
export function dataLostWith(identity: Identity): string | undefined {
  const { kind, name } = identity;
  const group = apiGroupOf(identity);
  switch (`${group}/${kind}`) {
    case "/Namespace":
      return name === platformNamespaces.longhorn
        ? "Longhorn with every tenant's volumes, and with its Backup objects the backups in the bucket"
        : `everything in the namespace ${name}, with all its volume claims`;
    case "k3k.io/Cluster":
      return "the guest cluster, and every volume claim that K3k made for it";
    case "k3k.io/VirtualClusterPolicy":
      return "the guest's quota, limits and Pod Security, which K3k enforces by it";
    case "/PersistentVolume":
    case "/PersistentVolumeClaim":
      return "the volume";
    case "storage.k8s.io/StorageClass":
      return "the class that its volumes are created and retained by";
    case "/Secret":
      return lostWithSecret(identity);
    case "apiextensions.k8s.io/CustomResourceDefinition":
      return dataGroups.some((data) => name.endsWith(`.${data}`))
        ? `every object of ${name}, for all tenants${name.endsWith(".longhorn.io") ? ", and for backups those in the bucket" : ""}`
        : undefined;
    case "aws:s3/Bucket":
      return "the bucket at Wasabi with every backup of every tenant";
    case "aws:s3/BucketVersioning":
      return "the old versions of deleted backups: whoever has Longhorn's key could then destroy all of them";
    case "aws:iam/User":
    case "aws:iam/AccessKey":
      return "the key to the backups in the bucket: no backup can be written or read";
    case "aws:iam/UserPolicy":
      return "the policy that lets Longhorn's key read and write backups and not destroy them";
    case "pulumi/aws":
      return "the bucket at Wasabi, its user and its key: all of them belong to this provider";
    case "pulumi/kubernetes":
      return "every object of the stack: all of them belong to this provider";
    case "helm.sh/Chart":
      return name === "longhorn" ? "Longhorn itself: its CRDs, and with them volumes and backups" : undefined;
    default:
      return group === "longhorn.io" && longhornData.has(kind) ? "volumes or backups" : undefined;
  }
}

function lostWithSecret({ owner, namespace, name }: Identity): string | undefined {
  if (name === tenantNames(owner).tokenSecret) {
    return "the token that the guest needs to open its own data";
  }
  return namespace === platformNamespaces.longhorn ? "the key to the backups in the bucket" : undefined;
}
