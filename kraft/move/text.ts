import { ago } from "../cli/moment.ts";
import type { Style } from "../cli/output.ts";
import type { MoveReport } from "./phases.ts";
import type { Check, Progress, VolumeProgress } from "./progress.ts";

/** Whose move it is. */
export interface Named {
  readonly tenant: string;
  readonly from: string;
  readonly to: string;
}

const stages: Readonly<Record<Progress["stage"], string>> = {
  before: "nothing is copied yet",
  stale: "copies of an earlier move are active there, and are in the way of another",
  copying: "copies follow the backups; the tenant runs where they are",
  cutover: "the cutover has begun and is not complete: the guest starts nowhere",
  arrived: "everything is there; the guest has not started yet",
  running: "the guest is there",
};

const copies: Readonly<Record<VolumeProgress["there"], string>> = {
  nothing: "nothing",
  "a copy that follows": "a standby copy",
  "a copy that lives": "an activated copy",
  "its claim's own": "bound to its claim",
};

/** How far a move is, as the operator reads it. */
export function progressText({ tenant, from, to }: Named, progress: Progress, now: Date, style: Style): string[] {
  const rows = progress.volumes.map(({ claim, volume, lastBackup, there }) => [
    claim,
    volume,
    ago(lastBackup, now, "-"),
    copies[there],
  ]);
  return [
    style.title(`${tenant}: from ${from} to ${to}`),
    stages[progress.stage],
    "",
    ...style.table({ title: "Volumes", rows: [["claim", "volume", `backup on ${from}`, `on ${to}`], ...rows] }),
    ...nextText(progress.next),
  ];
}

/** The result of a phase, as the operator reads it. */
export function reportText(report: MoveReport, next: readonly string[], style: Style): string[] {
  const { phase, tenant, from, to, ok, volumes } = report;
  if (!ok) {
    return [
      style.bad(`Not everything of ${tenant} is on ${to}`),
      ...volumes.flatMap(({ volume, claim, message }) =>
        message === null ? [] : [`  ${claim} (${volume}): ${message}`],
      ),
      "",
      "Fix this and run the same command again: it continues from here.",
    ];
  }
  const done = {
    copy: `${volumes.length} volumes of ${tenant} are copied to ${to}, and follow the backups of ${from}.`,
    cutover: `Everything of ${tenant} is on ${to}, as it was when it stopped on ${from}.`,
    back: `${tenant} may start on ${from} again. The copies on ${to} stay as they are, see docs/moving.md.`,
    done: "",
  }[phase];
  return [style.good(done), ...nextText(next)];
}

/** What `done` found. */
export function checksText(
  { tenant, from, to }: Named,
  checks: readonly Check[],
  next: readonly string[],
  style: Style,
) {
  const rows = checks.map(({ what, ok, found }) => [what, ok === null ? "not known" : ok ? "yes" : "no", found]);
  const open = checks.flatMap(({ what, fix }) => (fix === null ? [] : [`  ${what}: ${fix}`]));
  return [
    ...style.table({ title: `${tenant}: from ${from} to ${to}`, rows: [["so that it is done", "", "found"], ...rows] }),
    "",
    ...(open.length > 0
      ? [style.bad(open.length === 1 ? "1 thing is open" : `${open.length} things are open`), ...open]
      : [style.good(`${tenant} is on ${to} for good.`), ...nextText(next)]),
  ];
}

function nextText(next: readonly string[]): string[] {
  return next.length === 0 ? [] : ["", "Next:", ...next.map((line) => `  ${line}`)];
}
