import { tenantNames } from "../../components/plan/names.ts";
import { dataGroups } from "../../cluster/live-state.ts";
import { platformNamespaces } from "../../components/plan/network/platform-policies.ts";

/** What an object is called, and whose it is. */
export interface Identity {
  /** A tenant's name, or `platform`. */
  readonly owner: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

/** Kinds of Longhorn that hold volumes and backups, or the way to them. Deleting a Backup deletes it in the bucket. */
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
 * What would be lost with an object if it were deleted from the cluster, as the end of a sentence; undefined for an object
 * that can be made again from the program.
 */
export function lossWith({ owner, apiVersion, kind, namespace, name }: Identity): string | undefined {
  const [group = ""] = apiVersion.includes("/") ? apiVersion.split("/") : [""];
  switch (`${group}/${kind}`) {
    case "/Namespace":
      return name === platformNamespaces.longhorn
        ? "Longhorn with every tenant's volumes, and with its Backup objects the backups in the bucket"
        : `everything in the namespace ${name}, with all its volume claims`;
    case "k3k.io/Cluster":
      return "the guest cluster, and every volume claim that K3k made for it";
    case "k3k.io/VirtualClusterPolicy":
      return "K3k's hold on the namespace: quota, limits and Pod Security of the guest";
    case "/PersistentVolume":
    case "/PersistentVolumeClaim":
      return "the volume";
    case "storage.k8s.io/StorageClass":
      return "the class that volumes are made and kept by";
    case "/Secret":
      return lossWithSecret(owner, namespace, name);
    case "apiextensions.k8s.io/CustomResourceDefinition":
      return dataGroups.some((data) => name.endsWith(`.${data}`))
        ? `every object of ${name}, for all tenants${name.endsWith(".longhorn.io") ? ", and for backups those in the bucket" : ""}`
        : undefined;
    case "aws:s3/Bucket":
      return "the bucket at Wasabi with every backup of every tenant";
    case "aws:s3/BucketVersioning":
      return "the versions of what is deleted in the bucket: whoever has Longhorn's key could destroy the backups";
    case "aws:iam/User":
    case "aws:iam/AccessKey":
      return "the key to the backups in the bucket: no backup is made, and none comes back";
    case "aws:iam/UserPolicy":
      return "the right of Longhorn's key to write and read backups, and what keeps it from destroying them";
    case "pulumi/aws":
      return "the bucket at Wasabi, its user and its key: all of them belong to this provider";
    case "pulumi/kubernetes":
      return "every object of the stack: all of them belong to this provider";
    case "helm.sh/Chart":
      return name === "longhorn" ? "Longhorn itself: its CRDs, and with them volumes and backups" : undefined;
    default:
      return group === "longhorn.io" && longhornData.has(kind) ? "volumes or backups of Longhorn" : undefined;
  }
}

function lossWithSecret(owner: string, namespace: string | undefined, name: string): string | undefined {
  if (name === tenantNames(owner).tokenSecret) {
    return "the token without which the guest cannot open its own data";
  }
  return namespace === platformNamespaces.longhorn ? "the key to the backups in the bucket" : undefined;
}
