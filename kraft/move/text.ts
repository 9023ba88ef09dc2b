import { distance } from "../cli/moment.ts";
import type { Style } from "../cli/output.ts";
import type { MoveReport } from "./phases.ts";
import type { Check, Position } from "./position.ts";

/** Whose move it is. */
export interface Named {
  readonly tenant: string;
  readonly from: string;
  readonly to: string;
}

const stages: Readonly<Record<Position["stage"], string>> = {
  before: "nothing is copied yet",
  stale: "copies of an earlier move live there, and are in the way of another",
  copying: "copies follow the backups; the tenant runs where they are",
  cutover: "the cutover has begun and is not complete: the guest starts nowhere",
  arrived: "everything is there; the guest has not started yet",
  running: "the guest is there",
};

/** Where a move stands, as the operator reads it. */
export function positionText({ tenant, from, to }: Named, position: Position, now: Date, style: Style): string[] {
  const rows = position.volumes.map(({ claim, volume, lastBackup, there }) => [
    claim,
    volume,
    lastBackup === null ? "-" : distance(new Date(lastBackup), now),
    there,
  ]);
  return [
    style.title(`${tenant}: from ${from} to ${to}`),
    stages[position.stage],
    "",
    ...style.table({ title: "Volumes", rows: [["claim", "volume", `backup on ${from}`, `on ${to}`], ...rows] }),
    ...nextText(position.next),
  ];
}

/** What a phase came to, as the operator reads it. */
export function reportText(report: MoveReport, next: readonly string[], style: Style): string[] {
  const { phase, tenant, from, to, ok, volumes } = report;
  if (!ok) {
    return [
      style.bad(`Not everything of ${tenant} is on ${to}`),
      ...volumes.flatMap(({ volume, claim, message }) =>
        message === null ? [] : [`  ${claim} (${volume}): ${message}`],
      ),
      "",
      "Run it again when that is mended: it goes on from here.",
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
      : [style.good(`${tenant} lives on ${to}.`), ...nextText(next)]),
  ];
}

function nextText(next: readonly string[]): string[] {
  return next.length === 0 ? [] : ["", "Next:", ...next.map((line) => `  ${line}`)];
}
