import { tenantNames } from "../components/plan/names.ts";
import { drillLabel } from "../components/plan/drill.ts";
import { platformNamespaces } from "../components/plan/network/platform-policies.ts";
import type { Metadata } from "../kraft/status/objects.ts";

/** Longhorn's namespace in the API. */
export const longhornPath = `/apis/longhorn.io/v1beta2/namespaces/${platformNamespaces.longhorn}`;

/** `apiVersion` of all of Longhorn's objects. */
export const longhornVersion = "longhorn.io/v1beta2";

/** Longhorn's CSI driver. */
export const longhornDriver = "driver.longhorn.io";

/** Metadata with what tells one object from another of the same name. */
export interface StoredMetadata extends Metadata {
  readonly uid?: string;
}

/** What Longhorn knows of the claim that a volume is for. A restored volume has it from its backup, until it has a PV. */
export interface KubernetesStatus {
  readonly pvName?: string;
  readonly pvStatus?: string;
  readonly namespace?: string;
  readonly pvcName?: string;
  /** When the claim was last there; empty while it is. */
  readonly lastPVCRefAt?: string;
  readonly workloadsStatus?: readonly object[] | null;
  readonly lastPodRefAt?: string;
}

/** Longhorn's Volume. */
export interface Volume {
  readonly metadata: StoredMetadata;
  readonly spec?: {
    readonly size?: string;
    readonly fromBackup?: string;
    readonly encrypted?: boolean;
    readonly backupTargetName?: string;
  };
  readonly status?: {
    readonly state?: string;
    readonly robustness?: string;
    readonly actualSize?: number;
    readonly restoreRequired?: boolean;
    readonly restoreInitiated?: boolean;
    readonly lastBackup?: string;
    /** When the snapshot of the last backup was taken, not when its upload ended. */
    readonly lastBackupAt?: string;
    readonly kubernetesStatus?: KubernetesStatus;
    readonly conditions?:
      | readonly {
          readonly type: string;
          readonly status: string;
          readonly reason?: string;
          readonly message?: string;
        }[]
      | null;
  };
}

/** Longhorn's Backup. */
export interface Backup {
  readonly metadata: StoredMetadata;
  readonly status?: {
    readonly state?: string;
    readonly error?: string;
    readonly progress?: number;
    readonly url?: string;
    readonly volumeName?: string;
    readonly snapshotCreatedAt?: string;
    readonly backupCreatedAt?: string;
    /** Bytes, as text. */
    readonly size?: string;
    readonly volumeSize?: string;
    readonly newlyUploadDataSize?: string;
    readonly labels?: Readonly<Record<string, string>> | null;
  };
}

/** A PersistentVolume. */
export interface PersistentVolume {
  readonly metadata: StoredMetadata;
  readonly spec?: {
    readonly capacity?: { readonly storage?: string };
    readonly volumeMode?: string;
    readonly storageClassName?: string;
    readonly claimRef?: { readonly namespace?: string; readonly name?: string };
    readonly csi?: { readonly driver?: string; readonly volumeHandle?: string; readonly fsType?: string };
  };
  readonly status?: { readonly phase?: string };
}

/** The claim that a backup is of, as Longhorn noted it with the backup; undefined where it did not. */
export function claimOfBackup(backup: Backup): KubernetesStatus | undefined {
  const text = backup.status?.labels?.["KubernetesStatus"];
  if (text === undefined) {
    return undefined;
  }
  try {
    return JSON.parse(text) as KubernetesStatus;
  } catch (error) {
    if (error instanceof SyntaxError) {
      return undefined;
    }
    throw error;
  }
}

/** Whether a drill made it. Such a volume names the tenant's claim too, as its backup does. */
export function isOfDrill({ metadata }: { readonly metadata: Metadata }): boolean {
  return metadata.labels?.[drillLabel] !== undefined;
}

/** The volumes that claims of a tenant are bound to, by name. */
export function volumesOfTenant(volumes: readonly Volume[], tenant: string): Volume[] {
  const { namespace } = tenantNames(tenant);
  return volumes
    .filter((volume) => {
      const status = volume.status?.kubernetesStatus;
      return !isOfDrill(volume) && status?.namespace === namespace && status.pvStatus === "Bound";
    })
    .sort((a, b) => (claimOf(a) < claimOf(b) ? -1 : 1));
}

/** Name of the claim on the host that a volume is or was for. */
export function claimOf({ status, metadata }: Volume): string {
  const name = status?.kubernetesStatus?.pvcName ?? "";
  return name === "" ? metadata.name : name;
}

/** What the operator reads in place of a claim's name on the host. */
export function claimText(tenant: string, claim: string): string {
  return claim === tenantNames(tenant).datastoreClaim ? "datastore" : claim;
}
