import { claimOf, claimText, isStandby, nonEmpty } from "../../cluster/longhorn.ts";
import type { Volume } from "../../cluster/objects.ts";
import type { Move } from "./clusters.ts";

/** How far a move is. */
export type Stage = "before" | "stale" | "copying" | "cutover" | "arrived" | "running";

/** How far one volume is. */
export interface VolumeProgress {
  readonly claim: string;
  readonly volume: string;
  /** When its last backup was made in the cluster that the tenant leaves; null where there is none. */
  readonly lastBackup: string | null;
  /** What the other cluster has of it: a standby copy, an activated one, or one that is bound to its claim. */
  readonly there: "nothing" | "a copy that follows" | "a copy that lives" | "its claim's own";
}

/** How far a move is, and what is next. */
export interface Progress {
  readonly stage: Stage;
  readonly volumes: readonly VolumeProgress[];
  /** What to do next, a line each. */
  readonly next: readonly string[];
}

/** How far a move is, from the live state of the two clusters alone. */
export function progressOf(move: Move): Progress {
  const { source, target } = move;
  const volumes = (source.volumes.length > 0 ? source.volumes : target.volumes).map((volume) =>
    volumeProgress(move, volume),
  );
  const stage = stageOf(move, volumes);
  return { stage, volumes, next: nextOf(stage, move) };
}

function stageOf({ source, target }: Move, volumes: readonly VolumeProgress[]): Stage {
  if (target.tenant?.arrivedFrom === source.stack) {
    return target.tenant.guest ? "running" : "arrived";
  }
  if (source.tenant?.movedTo?.to === target.stack) {
    return "cutover";
  }
  if (volumes.some(({ there }) => there === "a copy that lives" || there === "its claim's own")) {
    return "stale";
  }
  return volumes.some(({ there }) => there === "a copy that follows") ? "copying" : "before";
}

function nextOf(stage: Stage, { tenant, source, target }: Move): string[] {
  const from = source.stack;
  const to = target.stack;
  const run = (phase: string): string => `npx kraft move ${tenant} ${phase} -s ${to}`;
  const suspend = `state: suspended for ${tenant} in Pulumi.${from}.yaml, and pulumi up -s ${from}: from here on the tenant is down`;
  switch (stage) {
    case "before":
      return [run("copy")];
    case "stale":
      return [`delete the copies on ${to}: docs/moving.md`, run("copy")];
    case "copying":
      return [...(source.tenant?.suspendedAt === undefined ? [suspend] : []), run("cutover")];
    case "cutover":
      return [run("cutover"), `or cancel it: ${run("back")}`];
    case "arrived":
      return [
        `pulumi up -s ${to}: the guest starts there`,
        `point its DNS names there, see docs/moving.md`,
        run("done"),
      ];
    case "running":
      return [run("done")];
  }
}

function volumeProgress({ tenant, target }: Move, volume: Volume): VolumeProgress {
  const { metadata, status } = volume;
  const copy = target.allVolumes.find((candidate) => candidate.metadata.name === metadata.name);
  return {
    claim: claimText(tenant, claimOf(volume)),
    volume: metadata.name,
    lastBackup: nonEmpty(status?.lastBackup) === undefined ? null : (status?.lastBackupAt ?? null),
    there:
      copy === undefined
        ? "nothing"
        : isStandby(copy)
          ? "a copy that follows"
          : target.volumes.includes(copy)
            ? "its claim's own"
            : "a copy that lives",
  };
}
