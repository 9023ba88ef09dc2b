import { guestClaimText } from "../../cluster/longhorn.ts";
import { hoursText } from "../../infra/checks/backup-window.ts";
import { bytesText } from "../cli/bytes.ts";
import { ago } from "../cli/moment.ts";
import { remarkLine, type Style } from "../cli/output.ts";
import type { RestorePlan } from "./plan.ts";
import type { Outcome } from "./volumes.ts";

/** A plan as the operator reads it. */
export function planText(plan: RestorePlan, stack: string, now: Date, style: Style): string[] {
  const { tenants, order, left, problems, warnings } = plan;
  const lines = [style.title(`${stack}: what comes back from ${plan.target}`)];
  const section = (title: string, rows: readonly (readonly string[])[]): void => {
    lines.push("", ...style.table({ title, rows }));
  };
  if (tenants.length > 0) {
    section("Tenants", [
      ["tenant", "volumes", "newest backup", "oldest backup", "download", "on this line"],
      ...tenants.map(({ name, volumes, newestBackup, oldestBackup, downloadBytes, hours }) => [
        name,
        String(volumes.length),
        ago(newestBackup, now, "-"),
        ago(oldestBackup, now, "-"),
        bytesText(downloadBytes),
        hoursOrDash(hours),
      ]),
      ["all", String(order.length), "", "", bytesText(plan.downloadBytes), hoursOrDash(plan.hours)],
    ]);
  }
  if (order.length > 0) {
    section("In this order", [
      ["tenant", "claim", "volume", "size", "backup", "kept", "download"],
      ...order.map((volume) => [
        volume.tenant,
        guestClaimText(volume.tenant, volume.claim),
        volume.volume,
        bytesText(volume.sizeBytes),
        ago(volume.backup.created, now, "-"),
        String(volume.backups),
        bytesText(volume.downloadBytes),
      ]),
    ]);
  }
  if (left.length > 0) {
    section("Stays in the bucket", [
      ["volume", "claim", "because"],
      ...left.map(({ volume, namespace, claim, reason }) => [
        volume,
        claim === null ? "-" : `${namespace ?? ""}/${claim}`,
        reason,
      ]),
    ]);
  }
  if (warnings.length > 0) {
    lines.push("", style.caution("Warnings"), ...warnings.map(remarkLine));
  }
  lines.push("");
  if (problems.length > 0) {
    const count = problems.length === 1 ? "1 thing is wrong" : `${problems.length} things are wrong`;
    lines.push(style.bad(count), ...problems.map(remarkLine));
  } else if (order.length === 0) {
    lines.push("Nothing comes back: there are no backups of this stack's tenants.");
  } else {
    lines.push(style.good("Everything there is can come back."));
  }
  return lines;
}

function hoursOrDash(hours: number | null): string {
  return hours === null ? "-" : hoursText(hours);
}

/** What came back, as the operator reads it. */
export function outcomeText(outcomes: readonly Outcome[], plan: RestorePlan, stack: string, style: Style): string[] {
  const count = (result: Outcome["result"]): number => outcomes.filter((outcome) => outcome.result === result).length;
  const wrong = [
    ...outcomes.flatMap(({ volume, tenant, message }) =>
      message === null ? [] : [`  ${volume} of ${tenant}: ${message}`],
    ),
    ...plan.problems.map(remarkLine),
  ];
  const summary = `${count("restored")} volumes brought back, ${count("there")} were there already.`;
  return wrong.length > 0
    ? unfinishedText(summary, wrong, style, " List volumes that should not come back in kraft:leaveOut.")
    : [
        style.good(summary),
        "",
        "Next: let the guests and the schedules come back",
        `  pulumi config set -s ${stack} kraft:phase run`,
        `  pulumi preview -s ${stack}`,
        `  pulumi up -s ${stack}`,
        `  npx kraft status -s ${stack}`,
      ];
}

/** What the operator reads where not everything came back. `hint` ends the last sentence's line. */
export function unfinishedText(summary: string, wrong: readonly string[], style: Style, hint = ""): string[] {
  return [
    summary,
    "",
    style.bad("Not everything is back"),
    ...wrong,
    "",
    `Run it again when that is fixed: it continues from here.${hint}`,
  ];
}
