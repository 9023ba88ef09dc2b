import type { Host, WritableHost } from "../../cluster/client.ts";
import { defaultTarget, guestClaimText } from "../../cluster/longhorn.ts";
import type { RestorableVolume } from "../../cluster/manifests.ts";
import { condition } from "../../cluster/objects.ts";
import { paths } from "../../cluster/paths.ts";
import { isRestored, type RestoreResult, restoreVolume } from "../../cluster/restore.ts";
import type { Goal, Step } from "../../cluster/restore-step.ts";
import { Failure } from "../../errors/failure.ts";
import { bytesText } from "../cli/bytes.ts";
import { duration } from "../cli/moment.ts";
import type { PlannedVolume } from "./plan.ts";

export interface Outcome {
  readonly volume: string;
  readonly tenant: string;
  readonly namespace: string;
  readonly claim: string;
  /** `there` was there before; `refused` has something in its way; `failed` may continue in the next run. */
  readonly result: RestoreResult["result"] | "failed";
  /** Why it is not there; null where it is. */
  readonly message: string | null;
}

export interface VolumesOrder {
  /** Owner of the fields in the API server. */
  readonly fieldManager: string;
  readonly goal: (volume: PlannedVolume) => Goal;
  /** Tenants of whom nothing may be touched, and why. */
  readonly refused?: ReadonlyMap<string, string>;
  /** What to do where the cluster lacks a storage class. */
  readonly remedy: string;
  /** Called with what is going on. */
  readonly note: (text: string) => void;
}

/**
 * Volumes that are worked on at once: as many as Longhorn restores on one node of the ProLiant, one more than on an OptiPlex
 * (`concurrentVolumeBackupRestorePerNodeLimit` of its values). The line is the bottleneck, not they.
 */
const atOnce = 3;

/** Milliseconds between two notes about what is still going on. */
const heartbeat = 60_000;

/**
 * Restores volumes in their order, a few at once. What fails for one volume keeps no other from being restored. Where the
 * cluster lacks a storage class, it throws a Failure before anything is touched.
 */
export async function restoreVolumes(
  host: WritableHost,
  volumes: readonly PlannedVolume[],
  order: VolumesOrder,
): Promise<Outcome[]> {
  const classes = await storageClasses(host, volumes, order.remedy);
  const outcomes = new Map<PlannedVolume, Outcome>();
  const running = new Map<PlannedVolume, number>();
  const note = (volume: PlannedVolume, text: string): void => {
    order.note(`${volume.tenant}: ${guestClaimText(volume.tenant, volume.claim)} (${volume.volume}): ${text}`);
  };
  const beat = setInterval(() => {
    for (const [volume, started] of running) {
      note(volume, `still going on after ${duration(Date.now() - started)}`);
    }
  }, heartbeat);
  const queue = volumes.values();
  const worker = async (): Promise<void> => {
    for (const planned of queue) {
      const started = Date.now();
      running.set(planned, started);
      const wanted = { ...planned, parameters: classes.get(planned.storageClass) ?? {} };
      const ended = await attempt(host, wanted, order.goal(planned), order, (step) => {
        const text = stepText(planned, step);
        if (text !== "") {
          note(planned, text);
        }
      });
      running.delete(planned);
      const { volume, tenant, namespace, claim } = planned;
      outcomes.set(planned, { volume, tenant, namespace, claim, ...ended });
      note(planned, endText(ended, Date.now() - started));
    }
  };
  try {
    await Promise.all(Array.from({ length: atOnce }, worker));
  } finally {
    clearInterval(beat);
  }
  return volumes.flatMap((volume) => outcomes.get(volume) ?? []);
}

type Ended = Pick<Outcome, "message" | "result">;

async function attempt(
  host: WritableHost,
  wanted: RestorableVolume,
  goal: Goal,
  { fieldManager, refused }: VolumesOrder,
  onStep: (step: Step) => void,
): Promise<Ended> {
  const refusal = refused?.get(wanted.tenant);
  try {
    if (refusal === undefined) {
      return await restoreVolume(host, wanted, goal, { fieldManager, onStep });
    }
    return (await isRestored(host, wanted, goal))
      ? { result: "there", message: null }
      : { result: "refused", message: refusal };
  } catch (error) {
    if (!(error instanceof Failure)) {
      throw error;
    }
    return { result: "failed", message: error.message };
  }
}

function endText({ result, message }: Ended, milliseconds: number): string {
  if (result === "restored") {
    return `done after ${duration(milliseconds)}`;
  }
  return result === "there" ? "is there" : `${result.toUpperCase()}: ${message ?? ""}`;
}

/** A step as the operator reads it; empty for those that take no time. */
function stepText({ downloadBytes, backup }: PlannedVolume, step: Step): string {
  if ("said" in step) {
    return step.said === "" ? "" : `Longhorn tries again, after: ${step.said}`;
  }
  const texts: Partial<Record<Step["step"], string>> = {
    create: `restoring ${bytesText(downloadBytes)} of ${backup.name}`,
    activate: "it has the last backup, and is activated",
    release: "the volume is retained: its claim is created again",
  };
  return texts[step.step] ?? "";
}

/** Whether every volume is there. */
export function allThere(outcomes: readonly Outcome[]): boolean {
  return outcomes.every(({ result }) => result === "restored" || result === "there");
}

/** Tenants of whom all `volumes` are restored, the guest's own datastore too: their guest may start. */
export function wholeTenants(volumes: readonly PlannedVolume[], outcomes: readonly Outcome[]): string[] {
  return [...new Set(volumes.map(({ tenant }) => tenant))].filter(
    (name) =>
      volumes.some(({ tenant, isDatastore }) => tenant === name && isDatastore) &&
      allThere(outcomes.filter(({ tenant }) => tenant === name)),
  );
}

/** Makes sure that Longhorn's backup target of that name has the URL that Kraft read from; else says the remedy. */
export async function requireBackupTarget(host: Host, name: string, url: string, remedy: string): Promise<void> {
  const live = await host.get(paths.backupTargets.named(name));
  const known = live?.spec?.backupTargetURL ?? "";
  if (known !== url) {
    throw new Failure(
      `Longhorn's backup target ${name === defaultTarget ? "" : `${name} `}is ${known === "" ? "not set yet" : known}, and the backups that were read are in ${url}\n` +
        `  ${remedy}`,
    );
  }
  if (live?.status?.available !== true) {
    const why = condition(live?.status, "Unavailable")?.message ?? "";
    throw new Failure(
      `Longhorn cannot reach its backup target ${url}${why === "" ? "" : `: ${why}`}\n` +
        "  It tries again every five minutes; see npx kraft status.",
    );
  }
}

/** Parameters of every storage class that volumes need, by its name. Where one is missing, it says the remedy. */
export async function storageClasses(
  host: Host,
  volumes: readonly { readonly storageClass: string }[],
  remedy: string,
): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>> {
  const names = [...new Set(volumes.map(({ storageClass }) => storageClass))];
  const found = await Promise.all(names.map((name) => host.get(paths.storageClasses.named(name))));
  const missing = names.filter((_, index) => found[index] === undefined);
  if (missing.length > 0) {
    throw new Failure(`the cluster has no storage class ${missing.join(", ")}\n  ${remedy}`);
  }
  return new Map(names.map((name, index) => [name, found[index]?.parameters ?? {}]));
}
