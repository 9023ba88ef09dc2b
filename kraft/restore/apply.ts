import { setTimeout as sleep } from "node:timers/promises";
import type { WritableHost } from "../../infra/host/host.ts";
import { Failure } from "../failure.ts";
import { duration } from "../moment.ts";
import { nextStep, type Live, type LiveClaim, type LivePersistentVolume, type LiveVolume } from "./live.ts";
import {
  claimManifest,
  fieldManager,
  paths,
  persistentVolumeManifest,
  volumeManifest,
  type Manifest,
  type Parameters,
} from "./objects.ts";
import type { PlannedVolume, RestorePlan } from "./plan.ts";
import { bytesText, claimText } from "./text.ts";

/** What became of one volume. */
export interface Outcome {
  readonly volume: string;
  readonly tenant: string;
  readonly namespace: string;
  readonly claim: string;
  /** `there` was back before; `refused` has something in its way, `failed` may go on with the next run. */
  readonly result: "failed" | "refused" | "restored" | "there";
  /** Why, where it is not back. */
  readonly message: string | null;
}

/** How a restore is done. */
export interface ApplyOptions {
  /** Copies of each volume in the end. */
  readonly replicas: number;
  /** Hears what is going on. */
  readonly note: (text: string) => void;
}

/**
 * Volumes that are restored at once: as many as Longhorn restores on one node of the ProLiant, one more than on an OptiPlex
 * (`concurrentVolumeBackupRestorePerNodeLimit` of its values). The line is the bottleneck, not they.
 */
const atOnce = 3;

/** Milliseconds between two looks at a volume. */
const interval = 1000;

/** Milliseconds for which Longhorn may know nothing of a backup: it reads its target every five minutes. */
const patience = 11 * 60_000;

/** Milliseconds for which the cluster may not answer while volumes are restored. */
const outage = 5 * 60_000;

/** Milliseconds between two words about what is still going on. */
const heartbeat = 60_000;

/**
 * Brings volumes back. It creates and raises, and never deletes; where it is interrupted, the next run goes on from what
 * there is. A volume that is still there is given back to its claim. What is in the way of one volume keeps no other.
 *
 * @throws Failure before anything is touched, where the cluster cannot restore: another backup target, or no classes.
 */
export async function applyRestore(host: WritableHost, plan: RestorePlan, options: ApplyOptions): Promise<Outcome[]> {
  await rightTarget(host, plan.target);
  const classes = await classesOf(host, plan);
  const refusals = await refusedTenants(host, plan);
  const outcomes = new Map<string, Outcome>();
  const ended = (volume: PlannedVolume, result: Outcome["result"], message: string | null): void => {
    const { tenant, namespace, claim } = volume;
    outcomes.set(volume.volume, { volume: volume.volume, tenant, namespace, claim, result, message });
  };
  const queue: PlannedVolume[] = [];
  for (const volume of plan.order) {
    const refusal = refusals.get(volume.tenant);
    if (refusal === undefined) {
      queue.push(volume);
    } else {
      const step = nextStep(volume, await liveOf(host, volume));
      ended(volume, step.step === "done" ? "there" : "refused", step.step === "done" ? null : refusal);
    }
  }
  const waiting = [...queue];
  const running = new Map<string, number>();
  const beat = setInterval(() => {
    for (const [name, started] of running) {
      options.note(`${name}: still on its way after ${duration(Date.now() - started)}`);
    }
  }, heartbeat);
  const worker = async (): Promise<void> => {
    for (let volume = waiting.shift(); volume !== undefined; volume = waiting.shift()) {
      const name = `${volume.tenant}: ${claimText(volume)} (${volume.volume})`;
      const started = Date.now();
      running.set(name, started);
      try {
        const parameters = classes.get(volume.storageClass) ?? {};
        const { result, message } = await restoreVolume(host, volume, parameters, options.replicas, (text) => {
          options.note(`${name}: ${text}`);
        });
        ended(volume, result, message);
        options.note(
          `${name}: ${result === "restored" ? `back after ${duration(Date.now() - started)}` : result === "there" ? "is there" : `REFUSED: ${message ?? ""}`}`,
        );
      } catch (error) {
        if (!(error instanceof Failure)) {
          throw error;
        }
        ended(volume, "failed", error.message);
        options.note(`${name}: FAILED: ${error.message}`);
      } finally {
        running.delete(name);
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: atOnce }, worker));
  } finally {
    clearInterval(beat);
  }
  return plan.order.flatMap(({ volume }) => outcomes.get(volume) ?? []);
}

/** Goes from step to step until the volume is back, or something is in its way. */
async function restoreVolume(
  host: WritableHost,
  volume: PlannedVolume,
  parameters: Parameters,
  replicas: number,
  note: (text: string) => void,
): Promise<Pick<Outcome, "message" | "result">> {
  let changed = false;
  let begun = Date.now();
  let quietSince = Date.now();
  const apply = async (manifest: Manifest): Promise<void> => {
    changed = true;
    await host.apply(manifest.path, manifest.object, fieldManager);
  };
  for (;;) {
    let live: Live;
    try {
      live = await liveOf(host, volume);
      quietSince = Date.now();
    } catch (error) {
      // A node that restarts takes its API server with it; hours of download need not end for that.
      if (!(error instanceof Failure) || Date.now() - quietSince > outage) {
        throw error;
      }
      await sleep(interval);
      continue;
    }
    const next = nextStep(volume, live);
    switch (next.step) {
      case "done":
        return { result: changed ? "restored" : "there", message: null };
      case "refuse":
        return { result: "refused", message: next.reason };
      case "begin":
        if ((await host.get(paths.backup(volume.backup.name))) === undefined) {
          checkPatience(begun, `Longhorn does not know the backup ${volume.backup.name}`);
          await sleep(interval);
          break;
        }
        note(`restoring ${bytesText(volume.downloadBytes)} of ${volume.backup.name}`);
        await apply(volumeManifest(volume, parameters));
        begun = Date.now();
        break;
      case "wait":
        if (next.for !== "the restore") {
          checkPatience(begun, `waited for ${next.for}`);
        } else {
          begun = Date.now();
        }
        changed = true;
        await sleep(interval);
        break;
      case "bind":
        await apply(persistentVolumeManifest(volume, parameters));
        await apply(claimManifest(volume));
        begun = Date.now();
        break;
      case "free":
        note("the volume itself is still there: its claim is made anew");
        changed = true;
        await host.merge(paths.persistentVolume(volume.volume), {
          spec: { claimRef: { uid: null, resourceVersion: null } },
        });
        begun = Date.now();
        break;
      case "claim":
        await apply(claimManifest(volume));
        begun = Date.now();
        break;
      case "finish":
        await apply(volumeManifest(volume, parameters, { replicas, size: next.size }));
        break;
    }
  }
}

function checkPatience(since: number, what: string): void {
  if (Date.now() - since > patience) {
    throw new Failure(`${what} for ${duration(patience)}\n  See what Longhorn says: npm run kraft -- status`);
  }
}

/** What the cluster has of a volume. */
async function liveOf(host: WritableHost, { volume, namespace, claim }: PlannedVolume): Promise<Live> {
  const [live, persistentVolume, liveClaim] = await Promise.all([
    host.get<LiveVolume>(paths.volume(volume)),
    host.get<LivePersistentVolume>(paths.persistentVolume(volume)),
    host.get<LiveClaim>(paths.claim(namespace, claim)),
  ]);
  return { volume: live, persistentVolume, claim: liveClaim };
}

interface BackupTarget {
  readonly spec?: { readonly backupTargetURL?: string };
  readonly status?: {
    readonly available?: boolean;
    readonly conditions?: readonly { readonly type: string; readonly message?: string }[] | null;
  };
}

/** Longhorn must read the same backups that were looked at. */
async function rightTarget(host: WritableHost, target: string): Promise<void> {
  const live = await host.get<BackupTarget>(paths.backupTarget);
  const url = live?.spec?.backupTargetURL ?? "";
  if (url !== target) {
    throw new Failure(
      `Longhorn's backup target is ${url === "" ? "not set yet" : url}, and the backups that were read are in ${target}\n` +
        "  Bring the platform up first, with kraft:phase restore: pulumi up",
    );
  }
  if (live?.status?.available !== true) {
    const why = live?.status?.conditions?.find(({ type }) => type === "Unavailable")?.message ?? "";
    throw new Failure(
      `Longhorn cannot reach its backup target ${target}${why === "" ? "" : `: ${why}`}\n` +
        "  It looks again every five minutes; see npm run kraft -- status.",
    );
  }
}

/** Parameters of every class that is needed. */
async function classesOf(host: WritableHost, { order }: RestorePlan): Promise<ReadonlyMap<string, Parameters>> {
  const names = [...new Set(order.map(({ storageClass }) => storageClass))];
  const found = await Promise.all(
    names.map(async (name) => {
      const live = await host.get<{ readonly parameters?: Parameters }>(paths.storageClass(name));
      return [name, live] as const;
    }),
  );
  const missing = found.flatMap(([name, live]) => (live === undefined ? [name] : []));
  if (missing.length > 0) {
    throw new Failure(
      `the cluster has no storage class ${missing.join(", ")}\n  Bring the platform up first, with kraft:phase restore: pulumi up`,
    );
  }
  return new Map(found.map(([name, live]) => [name, live?.parameters ?? {}]));
}

/** Tenants of whom nothing may be touched, and why. */
async function refusedTenants(host: WritableHost, plan: RestorePlan): Promise<ReadonlyMap<string, string>> {
  const refused = new Map(plan.refused.map((name) => [name, "its volumes do not fit its quota"]));
  await Promise.all(
    plan.tenants.map(async ({ name, namespace }) => {
      const [live, clusters] = await Promise.all([
        host.get(paths.namespace(namespace)),
        host.list<{ readonly metadata: { readonly name: string } }>(paths.clusters(namespace)),
      ]);
      if (live === undefined) {
        refused.set(
          name,
          `namespace ${namespace} does not exist: bring the platform up first, with kraft:phase restore`,
        );
      } else if (clusters.length > 0) {
        refused.set(
          name,
          `the guest ${clusters.map(({ metadata }) => metadata.name).join(", ")} exists and may have made empty volumes already: nothing of ${name} was touched`,
        );
      }
    }),
  );
  return refused;
}

/** Whether all is back. */
export function allBack(outcomes: readonly Outcome[]): boolean {
  return outcomes.every(({ result }) => result === "restored" || result === "there");
}
