import { setTimeout as sleep } from "node:timers/promises";
import type { WritableHost } from "../../cluster/client.ts";
import type { BackupVolume } from "../../cluster/objects.ts";
import { checkPatience, classesOf, interval, liveOf, untilAnswered } from "../restore/cluster.ts";
import { claimManifest, paths, persistentVolumeManifest, type Manifest, type Parameters } from "../restore/objects.ts";
import type { PlannedVolume } from "../restore/plan.ts";
import { bytesText } from "../cli/bytes.ts";
import { eachVolume, type Ended, type Outcome } from "../restore/workers.ts";
import { copyManifest, fieldManager, movePaths, type Life } from "./objects.ts";
import { nextMoveStep, restoreErrors, type Goal, type LiveCopy } from "./step.ts";

/** Milliseconds between two requests to look at the backups: each reads the target anew. */
const askAgain = 30_000;

/** What volumes are brought, and how far. */
export interface BringOrder {
  /** Stack that they come from, and Longhorn's name of the target with its backups. */
  readonly source: string;
  /** In the order in which they come. */
  readonly volumes: readonly PlannedVolume[];
  readonly goal: (volume: PlannedVolume) => Goal;
  /** Copies of each volume in the end. */
  readonly replicas: number;
  /** Hears what is going on. */
  readonly note: (text: string) => void;
}

/**
 * Brings volumes over from another cluster's backups, up to a goal. It creates and raises, and never deletes; where it is
 * interrupted, the next run goes on from what there is.
 *
 * @throws Failure before anything is touched, where the cluster lacks a class.
 */
export async function bring(host: WritableHost, order: BringOrder): Promise<Outcome[]> {
  const { volumes, note } = order;
  const classes = await classesOf(host, volumes, "Bring the platform up first: pulumi up");
  const outcomes = await eachVolume(volumes, note, (volume, say) =>
    bringVolume(host, volume, classes.get(volume.storageClass) ?? {}, order, say),
  );
  return volumes.flatMap(({ volume }) => outcomes.get(volume) ?? []);
}

async function bringVolume(
  host: WritableHost,
  volume: PlannedVolume,
  parameters: Parameters,
  { source, goal: goalOf, replicas }: BringOrder,
  note: (text: string) => void,
): Promise<Ended> {
  const goal = goalOf(volume);
  let changed = false;
  let begun = Date.now();
  let asked = -Infinity;
  let trouble = "";
  const apply = async ({ path, object }: Manifest): Promise<void> => {
    changed = true;
    await host.apply(path, object, fieldManager);
  };
  const become = (life: Life): Promise<void> => apply(copyManifest(volume, parameters, source, life));
  const at = goal.phase === "cutover" ? goal.at : "";
  for (;;) {
    const live = await untilAnswered(() => copyOf(host, source, volume));
    const next = nextMoveStep(volume, live, goal);
    switch (next.step) {
      case "done":
        return { result: changed ? "restored" : "there", message: null };
      case "refuse":
        return { result: "refused", message: next.reason };
      case "ask":
        checkPatience(begun, `Longhorn does not know the backup ${next.for}`);
        if (Date.now() - asked > askAgain) {
          asked = Date.now();
          await askToLook(host, source, live.backupVolume);
        }
        await sleep(interval);
        break;
      case "begin":
        note(`copying ${bytesText(volume.downloadBytes)} of ${volume.backup.name}`);
        await become({ is: "following" });
        begun = Date.now();
        break;
      case "wait":
        if (next.for === "the restore") {
          begun = Date.now();
          // A key that may not write locks, a bucket that is gone: nothing else would say why it takes so long.
          trouble = said(restoreErrors(live.engine), trouble, note);
        } else {
          checkPatience(begun, `waited for ${next.for}`);
        }
        changed = true;
        await sleep(interval);
        break;
      case "activate":
        note("its last backup is here: it comes to life");
        await become({ is: "alive", at });
        begun = Date.now();
        break;
      case "bind":
        await apply(persistentVolumeManifest(volume, parameters));
        await apply(claimManifest(volume));
        begun = Date.now();
        break;
      case "finish":
        await become({ is: "own", at, replicas, size: next.size });
        break;
    }
  }
}

/** Says what Longhorn says, once. */
function said(now: string, before: string, note: (text: string) => void): string {
  if (now !== "" && now !== before) {
    note(`Longhorn tries again, after: ${now}`);
  }
  return now;
}

/** What a cluster has of a volume that moves to it. */
export async function copyOf(host: WritableHost, source: string, volume: PlannedVolume): Promise<LiveCopy> {
  const [live, [engine], [backupVolume], backup] = await Promise.all([
    liveOf(host, volume),
    host.list(movePaths.engines(volume.volume)),
    host.list(movePaths.backupVolumes(source, volume.volume)),
    host.get(paths.backup(volume.backup.name)),
  ]);
  return { ...live, engine, backupVolume, backupKnown: backup !== undefined };
}

/** Asks Longhorn to look at the backups of a volume now; at the whole target where it does not know the volume yet. */
async function askToLook(host: WritableHost, source: string, backupVolume: BackupVolume | undefined): Promise<void> {
  const path =
    backupVolume === undefined ? paths.backupTarget(source) : movePaths.backupVolume(backupVolume.metadata.name);
  const { status } = (await host.get<{ readonly status?: { readonly lastSyncedAt?: string | null } }>(path)) ?? {};
  const synced = Date.parse(status?.lastSyncedAt ?? "");
  // Kubernetes keeps times to the second, and Longhorn looks only where it was asked later than it last did.
  const at = Math.max(Date.now(), Number.isNaN(synced) ? 0 : synced + 1000);
  await host.merge(path, { spec: { syncRequestedAt: `${new Date(at).toISOString().slice(0, 19)}Z` } });
}
