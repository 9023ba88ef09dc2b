import { movedAtAnnotation } from "../../components/plan/move.ts";
import { labelled, paths } from "../../cluster/paths.ts";
import { volumeManifest, type Manifest, type Parameters } from "../restore/objects.ts";
import type { PlannedVolume } from "../restore/plan.ts";

/** The objects by which a volume follows another, and comes to life. All of them are pure. */

/** Whose fields these are in the API server. */
export const fieldManager = "kraft-move";

/** Where Longhorn keeps what it knows of a volume that moves (its labels: types/types.go of longhorn-manager 1.12). */
export const movePaths = {
  engines: (volume: string) => labelled(paths.engines.all, `longhornvolume=${volume}`),
  backupVolumes: (target: string, volume: string) =>
    labelled(paths.backupVolumes.all, `backup-target=${target}`, `backup-volume=${volume}`),
  backupVolume: paths.backupVolumes.named,
} as const;

/** What a volume is: a copy that follows, alive, or whole and the target cluster's own. */
export type Life =
  | { readonly is: "following" }
  | { readonly is: "alive"; readonly at: string }
  | { readonly is: "own"; readonly at: string; readonly replicas: number; readonly size: string };

/**
 * Longhorn's volume on its way. What it backs up to is the other stack's target until it is whole, since Longhorn looks
 * there for the last backup (`checkAndFinishVolumeRestore` in controller/volume_controller.go); nothing is written there
 * meanwhile, since the volume is in no schedule. Then it backs up where all volumes of its cluster do.
 *
 * @param source Longhorn's name of the target that the backups are in.
 */
export function copyManifest(volume: PlannedVolume, parameters: Parameters, source: string, life: Life): Manifest {
  // A volume that follows has the block size of the backup, and Longhorn never changes one.
  const { backupBlockSize: _, ...others } = parameters;
  const { path, object } = volumeManifest(volume, others, life.is === "own" ? life : undefined);
  const { metadata, spec } = object as {
    readonly metadata: Readonly<Record<string, unknown>>;
    readonly spec: Readonly<Record<string, unknown>>;
  };
  const { frontend, ...rest } = spec;
  return {
    path,
    object: {
      ...object,
      metadata: { ...metadata, ...(life.is === "following" ? {} : { annotations: { [movedAtAnnotation]: life.at } }) },
      spec: {
        ...rest,
        // With a capital: `json:"Standby"` in k8s/pkg/apis/longhorn/v1beta2/volume.go.
        Standby: life.is === "following",
        frontend: life.is === "following" ? "" : frontend,
        backupTargetName: life.is === "own" ? rest["backupTargetName"] : source,
      },
    },
  };
}
