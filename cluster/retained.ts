import { guestName, tenantNames, tenantOfNamespace } from "../components/plan/names.ts";
import { defaultStorageClass, tiers } from "../components/plan/storage.ts";
import { groupLabel, isInUse, isOfDrill, isStandby, isUnused, isWhole, longhornDriver, nonEmpty } from "./longhorn.ts";
import { type RestorableVolume, restoringLabel } from "./manifests.ts";
import type { Claim, PersistentVolume, Volume } from "./objects.ts";

/**
 * A volume that outlived its claim: Kraft's storage classes retain volumes. Which claim it was for is known from its
 * PersistentVolume, and from Longhorn where that is gone, too.
 */
export interface RetainedVolume {
  /** Longhorn's Volume. */
  readonly volume: string;
  readonly namespace: string;
  /** Name of the claim on the host. */
  readonly claim: string;
  /** When Longhorn made the volume, as RFC 3339, like all times here. */
  readonly createdAt?: string;
  /** When its claim was last there; undefined where Longhorn has not noticed its end. */
  readonly claimEndedAt?: string;
  /** When the last pod with it was gone; undefined while there is one, and where there never was. */
  readonly lastUsedAt?: string;
  /** Whether a pod uses it still. */
  readonly isInUse: boolean;
  /** Whether nothing was ever written to it. */
  readonly isUnused: boolean;
  /** Whether every copy of it is lost. */
  readonly isFaulted: boolean;
  /** Whether it has been chosen already: its PersistentVolume waits for a claim of this name. */
  readonly isFreed: boolean;
  readonly hasPersistentVolume: boolean;
  readonly lastBackupAt?: string;
  readonly sizeBytes: number;
  readonly storageClass: string;
  readonly accessMode: "rwo" | "rwop" | "rwx";
  readonly isBlock: boolean;
  readonly encrypted: boolean;
}

/**
 * The volumes that were for claims of tenants and that no claim is bound to. Neither a drill's nor one that follows another
 * stack's backups, nor one that is being restored: those have never been anybody's.
 */
export function retainedVolumes(
  volumes: readonly Volume[],
  persistentVolumes: readonly PersistentVolume[],
  claims: readonly Claim[],
): RetainedVolume[] {
  const over = new Map(
    persistentVolumes
      .filter(({ spec }) => spec?.csi?.driver === longhornDriver)
      .map((persistentVolume) => [persistentVolume.spec?.csi?.volumeHandle ?? "", persistentVolume]),
  );
  return volumes.flatMap((volume) => {
    const persistentVolume = over.get(volume.metadata.name);
    const known = volume.status?.kubernetesStatus;
    const { namespace, name } = persistentVolume?.spec?.claimRef ?? {
      namespace: nonEmpty(known?.namespace),
      name: nonEmpty(known?.pvcName),
    };
    const isNobodys =
      isOfDrill(volume) ||
      isStandby(volume) ||
      !isWhole(volume) ||
      volume.metadata.labels?.[restoringLabel] !== undefined;
    if (isNobodys || namespace === undefined || name === undefined || tenantOfNamespace(namespace) === undefined) {
      return [];
    }
    const claim = claims.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
    const names = [volume.metadata.name, persistentVolume?.metadata.name];
    return claim?.spec?.volumeName !== undefined && names.includes(claim.spec.volumeName)
      ? []
      : [describe(volume, persistentVolume, namespace, name)];
  });
}

function describe(
  volume: Volume,
  persistentVolume: PersistentVolume | undefined,
  namespace: string,
  claim: string,
): RetainedVolume {
  const { metadata, spec, status } = volume;
  const known = status?.kubernetesStatus;
  const [accessMode = ""] = persistentVolume?.spec?.accessModes ?? [];
  const longhornMode = spec?.accessMode === "rwx" || spec?.accessMode === "rwop" ? spec.accessMode : "rwo";
  return {
    volume: metadata.name,
    namespace,
    claim,
    createdAt: metadata.creationTimestamp,
    claimEndedAt: nonEmpty(known?.lastPVCRefAt),
    lastUsedAt: nonEmpty(known?.lastPodRefAt),
    isInUse: isInUse(volume),
    isUnused: isUnused(volume),
    isFaulted: status?.robustness === "faulted",
    isFreed: persistentVolume?.status?.phase === "Available",
    hasPersistentVolume: persistentVolume !== undefined,
    lastBackupAt: nonEmpty(status?.lastBackupAt),
    sizeBytes: Number(spec?.size ?? 0),
    storageClass: persistentVolume?.spec?.storageClassName ?? classOf(volume),
    accessMode:
      ({ ReadWriteMany: "rwx", ReadWriteOncePod: "rwop", ReadWriteOnce: "rwo" } as const)[accessMode] ?? longhornMode,
    isBlock: persistentVolume?.spec?.volumeMode === "Block",
    encrypted: spec?.encrypted === true,
  };
}

/** The class whose schedules a volume has. */
function classOf({ metadata }: Volume): string {
  const tier = tiers.find(({ group }) => metadata.labels?.[groupLabel(group)] !== undefined);
  return tier?.storageClass ?? defaultStorageClass;
}

/** A retained volume, to be bound to its claim again. It comes from no backup. */
export function restorableOf(
  tenant: string,
  retained: Pick<
    RetainedVolume,
    "accessMode" | "claim" | "encrypted" | "isBlock" | "namespace" | "sizeBytes" | "storageClass" | "volume"
  >,
  parameters: Readonly<Record<string, string>>,
): RestorableVolume {
  const { volume, namespace, claim, sizeBytes, storageClass, accessMode, isBlock, encrypted } = retained;
  return {
    ...{ volume, namespace, claim, tenant, sizeBytes, storageClass, parameters, accessMode, isBlock, encrypted },
    guest: guestName(tenantNames(tenant).cluster, claim) ?? null,
    backup: { name: "", url: "" },
    dataEngine: "v1",
  };
}
