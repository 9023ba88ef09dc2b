import { claimOf, claimText, defaultTarget, isStandby, nonEmpty } from "../../cluster/longhorn.ts";
import type { Volume } from "../../cluster/objects.ts";
import type { DnsName } from "../check/dns.ts";
import type { Move } from "./clusters.ts";

/** How far a move is. */
export type Stage = "before" | "stale" | "copying" | "cutover" | "arrived" | "running";

export interface VolumeProgress {
  readonly claim: string;
  readonly volume: string;
  /** When its last backup was made in the cluster that the tenant leaves; null where there is none. */
  readonly lastBackup: string | null;
  /** What the other cluster has of it: a standby copy, an activated one, or one that is bound to its claim. */
  readonly there: "nothing" | "a copy that follows" | "a copy that lives" | "its claim's own";
}

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

/** Something that has to be true before the tenant is deleted from the cluster that they left. */
export interface Check {
  readonly what: string;
  /** Null where it could not be found out. */
  readonly ok: boolean | null;
  readonly found: string;
  /** What to do where it is not so; null where it is. */
  readonly fix: string | null;
}

/**
 * Whether nothing depends on the cluster that the tenant left any more, with what DNS says of the tenant's names, compared
 * with the stack that they came to.
 */
export function doneChecks({ tenant, source, target }: Move, names: readonly DnsName[]): Check[] {
  const arrived = target.tenant?.arrivedFrom === source.stack;
  const backedUp = target.volumes.filter(
    ({ spec, status }) =>
      (spec?.backupTargetName ?? defaultTarget) === defaultTarget && nonEmpty(status?.lastBackup) !== undefined,
  );
  const hasGuest = source.tenant?.guest === true;
  const stopped = !hasGuest || source.tenant.suspendedAt !== undefined;
  const checks: readonly Check[] = [
    {
      what: `its data is on ${target.stack}`,
      ok: arrived,
      found: arrived ? "all of it" : "not all of it",
      fix: `npx kraft move ${tenant} cutover -s ${target.stack}`,
    },
    {
      what: `its guest runs on ${target.stack}`,
      ok: target.guestPhase === "Ready",
      found: target.guestPhase ?? "no guest, or K3k has not seen it yet",
      fix: `pulumi up -s ${target.stack}, then npx kraft status -s ${target.stack}`,
    },
    {
      what: `${target.stack} has backups of its own of every volume`,
      ok: target.volumes.length > 0 && backedUp.length === target.volumes.length,
      found: `${backedUp.length} of ${target.volumes.length}`,
      fix: `npx kraft backup ${tenant} -s ${target.stack}`,
    },
    ...names.map(({ name, ok, found, expected, record }) => ({
      what: `${name} leads to ${target.stack}`,
      ok,
      found,
      fix: record === null ? `expected ${expected}` : `create ${record}`,
    })),
    {
      what: `it is stopped on ${source.stack}`,
      ok: stopped,
      found: stopped ? (hasGuest ? "suspended" : "no guest") : "active",
      fix: `state: suspended for ${tenant} in Pulumi.${source.stack}.yaml, then pulumi up -s ${source.stack}`,
    },
  ];
  return checks.map((check) => ({ ...check, fix: check.ok === true ? null : check.fix }));
}
