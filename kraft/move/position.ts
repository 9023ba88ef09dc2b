import type { DnsName } from "../check/dns.ts";
import { claimOf, claimText, isStandby } from "../../cluster/longhorn.ts";
import type { Volume } from "../../cluster/objects.ts";
import type { Parties } from "./parties.ts";

/** How far a move is. */
export type Stage = "before" | "stale" | "copying" | "cutover" | "arrived" | "running";

/** A volume on its way. */
export interface Way {
  readonly claim: string;
  readonly volume: string;
  /** When its last backup was made where the tenant leaves; null where there is none. */
  readonly lastBackup: string | null;
  /** What the other cluster has of it. */
  readonly there: "nothing" | "a copy that follows" | "a copy that lives" | "its claim's own";
}

/** Where a move stands. */
export interface Position {
  readonly stage: Stage;
  readonly volumes: readonly Way[];
  /** What to do next, a line each. */
  readonly next: readonly string[];
}

/** Something that should be so before the tenant is forgotten where they were. */
export interface Check {
  readonly what: string;
  /** Null where it could not be found out. */
  readonly ok: boolean | null;
  readonly found: string;
  /** What to do where it is not so; null where it is. */
  readonly fix: string | null;
}

/** Where a move stands, judged by the two clusters alone. */
export function positionOf(parties: Parties): Position {
  const { source, target } = parties;
  const volumes = (source.volumes.length > 0 ? source.volumes : target.volumes).map((volume) => wayOf(parties, volume));
  const stage = stageOf(parties, volumes);
  return { stage, volumes, next: nextOf(stage, parties, source.stack, target.stack) };
}

function stageOf({ source, target }: Parties, volumes: readonly Way[]): Stage {
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

function nextOf(stage: Stage, { tenant, source: { tenant: left } }: Parties, from: string, to: string): string[] {
  const move = (phase: string): string => `npm run kraft -- move ${tenant} ${phase} --stack ${to}`;
  switch (stage) {
    case "before":
      return [move("copy")];
    case "stale":
      return [`delete the copies on ${to}: docs/moving.md`, move("copy")];
    case "copying":
      return [
        ...(left?.suspendedAt === undefined
          ? [
              `state: suspended for ${tenant} in Pulumi.${from}.yaml, and pulumi up -s ${from}: from here on the tenant is down`,
            ]
          : []),
        move("cutover"),
      ];
    case "cutover":
      return [move("cutover"), `or give it up: ${move("back")}`];
    case "arrived":
      return [`pulumi up -s ${to}: the guest starts there`, `lead its names there, see docs/moving.md`, move("done")];
    case "running":
      return [move("done")];
  }
}

function wayOf({ tenant, target }: Parties, volume: Volume): Way {
  const { name } = volume.metadata;
  const copy = target.known.find(({ metadata }) => metadata.name === name);
  return {
    claim: claimText(tenant, claimOf(volume)),
    volume: name,
    lastBackup:
      volume.status?.lastBackup === undefined || volume.status.lastBackup === ""
        ? null
        : (volume.status.lastBackupAt ?? null),
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

/**
 * Whether nothing hangs on the cluster that the tenant left any more.
 *
 * @param names What DNS says of the tenant's names, held against the stack that they came to.
 */
export function doneChecks({ tenant, source, target }: Parties, names: readonly DnsName[]): Check[] {
  const check = (what: string, ok: boolean | null, found: string, fix: string): Check => ({
    what,
    ok,
    found,
    fix: ok === true ? null : fix,
  });
  const arrived = target.tenant?.arrivedFrom === source.stack;
  const own = target.volumes.filter(
    ({ spec, status }) => (spec?.backupTargetName ?? "default") === "default" && (status?.lastBackup ?? "") !== "",
  );
  const stopped = source.tenant?.guest !== true || source.tenant.suspendedAt !== undefined;
  return [
    check(
      `its data is on ${target.stack}`,
      arrived,
      arrived ? "all of it" : "not all of it",
      `npm run kraft -- move ${tenant} cutover --stack ${target.stack}`,
    ),
    check(
      `its guest runs on ${target.stack}`,
      target.guestPhase === "Ready",
      target.guestPhase ?? "no guest, or K3k has not seen it yet",
      `pulumi up -s ${target.stack}, then npm run kraft -- status ${target.stack}`,
    ),
    check(
      `${target.stack} has backups of its own of every volume`,
      target.volumes.length > 0 && own.length === target.volumes.length,
      `${own.length} of ${target.volumes.length}`,
      `npm run kraft -- backup ${tenant} --stack ${target.stack}`,
    ),
    ...names.map(({ name, ok, found, expected, record }) =>
      check(
        `${name} leads to ${target.stack}`,
        ok,
        found,
        record === null ? `expected ${expected}` : `create ${record}`,
      ),
    ),
    check(
      `it is stopped on ${source.stack}`,
      stopped,
      stopped ? (source.tenant?.guest === true ? "suspended" : "no guest") : "active",
      `state: suspended for ${tenant} in Pulumi.${source.stack}.yaml, then pulumi up -s ${source.stack}`,
    ),
  ];
}
