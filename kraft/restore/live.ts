import { groupLabel, restoringGroup } from "./objects.ts";
import type { PlannedVolume } from "./plan.ts";

/** Metadata of an object, as far as a restore looks at it. */
interface Metadata {
  readonly name: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Longhorn's Volume. */
export interface LiveVolume {
  readonly metadata: Metadata;
  readonly spec: { readonly fromBackup?: string; readonly size?: string };
  readonly status?: {
    readonly state?: string;
    readonly robustness?: string;
    readonly restoreInitiated?: boolean;
    readonly restoreRequired?: boolean;
    readonly conditions?:
      readonly { readonly type: string; readonly reason?: string; readonly message?: string }[] | null;
  };
}

/** A PersistentVolume. */
export interface LivePersistentVolume {
  readonly metadata: Metadata;
  readonly spec: {
    readonly claimRef?: { readonly namespace?: string; readonly name?: string };
    readonly csi?: { readonly driver?: string; readonly volumeHandle?: string };
  };
  readonly status?: { readonly phase?: string };
}

/** A PersistentVolumeClaim. */
export interface LiveClaim {
  readonly metadata: Metadata;
  readonly spec: { readonly volumeName?: string };
  readonly status?: { readonly phase?: string };
}

/** What the cluster has of one volume. */
export interface Live {
  readonly volume: LiveVolume | undefined;
  readonly persistentVolume: LivePersistentVolume | undefined;
  readonly claim: LiveClaim | undefined;
}

/** What is to be done next about one volume. */
export type Step =
  | BindingStep
  | { readonly step: "begin" | "claim" | "free" }
  | { readonly step: "wait"; readonly for: "Longhorn to begin" }
  | { readonly step: "refuse"; readonly reason: string };

/** What is to be done next about a volume that is whole. */
export type BindingStep =
  | { readonly step: "bind" | "done" }
  | { readonly step: "finish"; readonly size: string }
  | { readonly step: "wait"; readonly for: "its binding" | "the restore" };

/**
 * The next step towards a volume that is back, from whatever an earlier run left: it is judged anew every time, so that
 * a run may end anywhere. Nothing that exists is ever changed unless it came from this very backup.
 */
export function nextStep(planned: PlannedVolume, live: Live): Step {
  const { volume } = live;
  if (isStanding(planned, live)) {
    return standingStep(live);
  }
  const occupied = occupation(planned, live);
  if (occupied !== undefined) {
    return { step: "refuse", reason: occupied };
  }
  if (volume === undefined) {
    return { step: "begin" };
  }
  const failure = restoreFailure(volume);
  if (failure !== undefined) {
    return {
      step: "refuse",
      reason: `Longhorn could not restore it: ${failure}; delete the volume that failed, which touches no backup, and run this again: kubectl -n longhorn-system delete volumes.longhorn.io ${planned.volume}`,
    };
  }
  const { restoreInitiated, restoreRequired } = volume.status ?? {};
  if (restoreInitiated !== true) {
    return { step: "wait", for: "Longhorn to begin" };
  }
  if (restoreRequired !== false) {
    return { step: "wait", for: "the restore" };
  }
  return bindingStep(planned, volume, live);
}

/** The next step of a volume that is whole: towards its claim, and out of the group that no schedule knows. */
export function bindingStep(
  planned: PlannedVolume,
  volume: LiveVolume,
  { persistentVolume, claim }: Pick<Live, "claim" | "persistentVolume">,
): BindingStep {
  if (persistentVolume === undefined || claim === undefined) {
    // Longhorn still lets go of it.
    return volume.status?.state === "detached" ? { step: "bind" } : { step: "wait", for: "the restore" };
  }
  if (claim.status?.phase !== "Bound") {
    return { step: "wait", for: "its binding" };
  }
  return volume.metadata.labels?.[groupLabel(restoringGroup)] === undefined
    ? { step: "done" }
    : { step: "finish", size: volume.spec.size ?? String(planned.sizeBytes) };
}

/**
 * Whether the volume itself is still there, and its PersistentVolume is for this very claim: that of a tenant who was
 * archived, or whose claim was deleted. It holds all that the backup does, and what was written since.
 */
function isStanding(planned: PlannedVolume, { volume, persistentVolume, claim }: Live): boolean {
  const { claimRef, csi } = persistentVolume?.spec ?? {};
  return (
    [volume, persistentVolume, claim].every((object) => object?.metadata.deletionTimestamp === undefined) &&
    volume !== undefined &&
    volume.spec.fromBackup !== planned.backup.url &&
    volume.status?.restoreRequired !== true &&
    csi?.volumeHandle === planned.volume &&
    claimRef?.namespace === planned.namespace &&
    claimRef.name === planned.claim &&
    (claim === undefined || claim.spec.volumeName === planned.volume)
  );
}

/** Binds a volume that is there to its claim again. */
function standingStep({ persistentVolume, claim }: Live): Step {
  if (claim === undefined) {
    return { step: persistentVolume?.status?.phase === "Released" ? "free" : "claim" };
  }
  return claim.status?.phase === "Bound" ? { step: "done" } : { step: "wait", for: "its binding" };
}

/** Why something that exists stands in the way. */
export function occupation(planned: PlannedVolume, { volume, persistentVolume, claim }: Live): string | undefined {
  for (const [kind, object] of [
    ["volume", volume],
    ["PersistentVolume", persistentVolume],
    ["claim", claim],
  ] as const) {
    if (object?.metadata.deletionTimestamp !== undefined) {
      return `the ${kind} ${object.metadata.name} is being deleted: wait until it is gone, or find out what holds it`;
    }
  }
  const { fromBackup = "" } = volume?.spec ?? {};
  if (volume !== undefined && fromBackup !== planned.backup.url) {
    const origin = fromBackup === "" ? "and came from no backup" : `and came from ${fromBackup}`;
    return `a volume of this name exists ${origin}: it was left as it is`;
  }
  if (persistentVolume !== undefined) {
    const { claimRef, csi } = persistentVolume.spec;
    if (csi?.volumeHandle !== planned.volume) {
      return `a PersistentVolume of this name exists for something else: it was left as it is`;
    }
    if (claimRef?.namespace !== planned.namespace || claimRef.name !== planned.claim) {
      return `its PersistentVolume belongs to the claim ${claimRef?.namespace ?? "?"}/${claimRef?.name ?? "?"}: it was left as it is`;
    }
    const { phase } = persistentVolume.status ?? {};
    if (phase === "Released" || phase === "Failed") {
      return `its PersistentVolume is ${phase}, since its claim was deleted: free it for a new one with kubectl patch pv ${planned.volume} --type=json -p '[{"op":"remove","path":"/spec/claimRef/uid"}]'`;
    }
  }
  if (claim !== undefined && claim.spec.volumeName !== planned.volume) {
    const other = claim.spec.volumeName ?? "";
    return `the claim ${planned.namespace}/${planned.claim} exists ${other === "" ? "without a volume" : `with the volume ${other}`}: it was left as it is`;
  }
  return claim?.status?.phase === "Lost"
    ? `the claim ${planned.namespace}/${planned.claim} has lost its volume: delete the claim and run this again`
    : undefined;
}

/**
 * What Longhorn says of a restore that failed for good (`RestoreFailure` in controller/volume_controller.go). Never of a
 * volume that was whole once, whatever became of it: it holds what was written since.
 */
export function restoreFailure({ status }: LiveVolume): string | undefined {
  if (status?.restoreRequired !== true) {
    return undefined;
  }
  const condition = status.conditions?.find(({ type }) => type === "Restore");
  const failed =
    condition?.reason === "RestoreFailure" || (status.robustness === "faulted" && status.state === "detached");
  return failed ? (condition?.message ?? "every copy of it is faulted") : undefined;
}
