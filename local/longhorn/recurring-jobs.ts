import { randomUUID } from "node:crypto";
import { Cron } from "croner";
import { groupLabel } from "../../cluster/longhorn.ts";
import type { RecurringJob } from "../../cluster/objects.ts";
import { paths } from "../../cluster/paths.ts";
import { platformNamespaces } from "../../components/plan/network/platform-policies.ts";
import { isBeingDeleted, type LonghornApi } from "./longhorn-api.ts";
import { forEachOf } from "./longhorn-stand-in.ts";
import { type Backup, type Labels, longhornApi, type Snapshot, type Volume } from "./objects.ts";
import { defaultTarget, targetLabels } from "./targets.ts";
import { whyNotReady } from "./volumes.ts";

/** Label of snapshots and backups with the name of the job that made them (types.RecurringJobLabel of longhorn-manager). */
const jobLabel = "RecurringJob";

/** Milliseconds between two looks at the schedules, which name minutes. */
const lookEvery = 5000;

/** A volume's turn in a run of a job. */
interface Turn {
  readonly job: RecurringJob;
  readonly volume: string;
  /** The Snapshot, and of a job that backs up the Backup, once they are asked for. */
  name?: string;
}

/**
 * Longhorn's recurring jobs: snapshots and backups of the volumes of their groups, the oldest away when there are more than
 * they retain. A run that was due while this program did not run is not caught up on. The other tasks have nothing to do
 * here: no snapshot is the system's own, a file system is as small as its data, and there is no system backup.
 */
export class RecurringJobs {
  readonly #longhorn: LonghornApi;
  readonly #clock: () => Date;
  #looked: Date;
  readonly #turns: Turn[] = [];

  /** @param clock For tests: what time it is. */
  constructor(longhorn: LonghornApi, clock: () => Date = () => new Date()) {
    this.#longhorn = longhorn;
    this.#clock = clock;
    this.#looked = clock();
  }

  async step(): Promise<void> {
    const now = this.#clock();
    if (now.getTime() - this.#looked.getTime() >= lookEvery) {
      const jobs = await this.#longhorn.api.list(paths.recurringJobs.all);
      const volumes = await this.#longhorn.list<Volume>("Volume");
      for (const job of jobs.filter((candidate) => isDue(candidate, this.#looked, now))) {
        this.#turns.push(...volumes.filter((volume) => isOf(job, volume)).map((volume) => turnOf(job, volume)));
      }
      this.#looked = now;
    }
    const begun = this.#turns.filter(({ name }) => name !== undefined);
    await forEachOf(begun, (turn) => this.#goOn(turn));
    // One volume at a time: the line is what is scarce, and Kraft's jobs ask for no more than two.
    const [next] = this.#turns;
    if (next !== undefined && next.name === undefined) {
      await this.#begin(next);
    }
  }

  async #begin(turn: Turn): Promise<void> {
    const { job, volume: name } = turn;
    const volume = (await this.#longhorn.list<Volume>("Volume")).find(({ metadata }) => metadata.name === name);
    if (volume === undefined || isBeingDeleted(volume) || whyNotReady(volume) !== undefined) {
      this.#end(turn);
      return;
    }
    const made = `${job.metadata.name.slice(0, 8).replace(/[-.]+$/, "")}-${randomUUID()}`;
    const labels = { [jobLabel]: job.metadata.name };
    await this.#longhorn.create(`${longhornApi}/snapshots`, {
      apiVersion: "longhorn.io/v1beta2",
      kind: "Snapshot",
      metadata: { name: made, namespace: platformNamespaces.longhorn },
      spec: { volume: name, createSnapshot: true, labels },
    });
    if (job.spec?.task === "backup") {
      await this.#longhorn.create(`${longhornApi}/backups`, {
        apiVersion: "longhorn.io/v1beta2",
        kind: "Backup",
        metadata: {
          name: `backup-${randomUUID().replaceAll("-", "").slice(0, 16)}`,
          namespace: platformNamespaces.longhorn,
          labels: targetLabels(volume.spec.backupTargetName ?? defaultTarget, name),
        },
        spec: {
          snapshotName: made,
          labels: { ...labels, KubernetesStatus: JSON.stringify(volume.status?.kubernetesStatus ?? {}) },
        },
      });
    }
    turn.name = made;
  }

  async #goOn(turn: Turn): Promise<void> {
    const [snapshots, backups] = await Promise.all([
      this.#longhorn.list<Snapshot>("Snapshot"),
      this.#longhorn.list<Backup>("Backup"),
    ]);
    const snapshot = snapshots.find(({ metadata }) => metadata.name === turn.name);
    const backup = backups.find(({ spec }) => spec.snapshotName === turn.name);
    const isBackup = turn.job.spec?.task === "backup";
    const state = backup?.status?.state;
    if (
      snapshot !== undefined &&
      (isBackup
        ? backup !== undefined && state !== "Completed" && state !== "Error"
        : snapshot.status?.readyToUse !== true)
    ) {
      return;
    }
    this.#end(turn);
    const retain = Math.max(1, turn.job.spec?.retain ?? 1);
    const made = snapshots.filter(
      ({ spec, metadata }) =>
        spec.volume === turn.volume &&
        spec.labels?.[jobLabel] === turn.job.metadata.name &&
        metadata.deletionTimestamp === undefined,
    );
    const stale = isBackup
      ? // Only the last one's snapshot is kept, which the next backup is compared with (setting auto-cleanup-recurring-job-backup-snapshot).
        state === "Completed"
        ? made.filter(({ metadata }) => metadata.name !== turn.name)
        : made.filter(({ metadata }) => metadata.name === turn.name)
      : oldest(made, retain, ({ status }) => status?.creationTime ?? "");
    await forEachOf(stale, ({ metadata }) => this.#longhorn.delete("Snapshot", metadata.name));
    if (state === "Completed") {
      const own = backups.filter(
        ({ metadata, status }) =>
          metadata.labels?.["backup-volume"] === turn.volume &&
          status?.state === "Completed" &&
          status.labels?.[jobLabel] === turn.job.metadata.name &&
          metadata.deletionTimestamp === undefined,
      );
      await forEachOf(
        oldest(own, retain, ({ status }) => status?.snapshotCreatedAt ?? ""),
        ({ metadata }) => this.#longhorn.delete("Backup", metadata.name),
      );
    }
  }

  #end(turn: Turn): void {
    this.#turns.splice(this.#turns.indexOf(turn), 1);
  }
}

/** Whether a schedule named a minute after one time and until another. */
function isDue({ spec }: RecurringJob, after: Date, until: Date): boolean {
  const next = new Cron(spec?.cron ?? "", { timezone: "UTC", paused: true }).nextRun(after);
  return (spec?.task === "backup" || spec?.task === "snapshot") && next !== null && next <= until;
}

/** Whether a job is for a volume: by its name, by a group, or by `default`, in which every volume is that names none. */
export function isOf({ metadata, spec }: RecurringJob, volume: Volume): boolean {
  const labels: Labels = volume.metadata.labels ?? {};
  const jobs = Object.keys(labels).filter(
    (name) => labels[name] === "enabled" && /^recurring-job(-group)?\.longhorn\.io\//.test(name),
  );
  const groups = spec?.groups ?? [];
  return jobs.length === 0
    ? groups.includes("default")
    : jobs.includes(`recurring-job.longhorn.io/${metadata.name}`) ||
        groups.some((group) => jobs.includes(groupLabel(group)));
}

function turnOf(job: RecurringJob, { metadata }: Volume): Turn {
  return { job, volume: metadata.name };
}

/** All but the newest. */
function oldest<Thing>(things: readonly Thing[], kept: number, time: (thing: Thing) => string): readonly Thing[] {
  const sorted = [...things].sort((a, b) => time(a).localeCompare(time(b)));
  return sorted.slice(0, Math.max(0, sorted.length - kept));
}
