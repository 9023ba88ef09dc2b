import { guestClaimText } from "../../cluster/longhorn.ts";
import { bytesText } from "../cli/bytes.ts";
import { ago, distance, moment } from "../cli/moment.ts";
import { remarkLine, type Style } from "../cli/output.ts";
import { unfinishedText } from "../restore/text.ts";
import type { Outcome } from "../restore/volumes.ts";
import type { ClaimPlan } from "./claim.ts";
import type { BoundVolume, RecoverPlan } from "./plan.ts";

/** A plan as the operator reads it. */
export function planText(plan: RecoverPlan, stack: string, now: Date, style: Style): string[] {
  const { tenant, namespace, bound, restored, there, left, problems, warnings } = plan;
  const lines = [style.title(`${tenant} on ${stack}: what brings it back`)];
  const section = (title: string, rows: readonly (readonly string[])[]): void => {
    lines.push("", ...style.table({ title, rows }));
  };
  if (plan.makesNamespace && plan.refused === null && bound.length + restored.length > 0) {
    lines.push(`Namespace ${namespace} is gone: it is made again first.`);
  }
  if (bound.length > 0) {
    section("Bound to their claims again, as they are: nothing is downloaded", [
      ["claim", "volume", "last used", "claim deleted", "last backup"],
      ...bound.map(({ claim, volume, lastUsedAt, claimEndedAt, lastBackupAt }) => [
        guestClaimText(tenant, claim),
        volume,
        ago(lastUsedAt, now, "-"),
        claimEndedAt === null ? "-" : distance(new Date(claimEndedAt), now),
        ago(lastBackupAt, now, "never"),
      ]),
    ]);
    lines.push(...bound.flatMap((volume) => whyLines(tenant, volume)));
  }
  if (restored.length > 0) {
    section("Lost: from the newest backup", [
      ["claim", "volume", "size", "backup", "download"],
      ...restored.map((volume) => [
        guestClaimText(volume.tenant, volume.claim),
        volume.volume,
        bytesText(volume.sizeBytes),
        ago(volume.backup.created, now, "-"),
        bytesText(volume.downloadBytes),
      ]),
    ]);
  }
  if (left.length > 0) {
    section("Retained, and left as they are", [
      ["claim", "volume", "because"],
      ...left.map(({ claim, volume, reason }) => [guestClaimText(tenant, claim), volume, reason]),
    ]);
  }
  if (warnings.length > 0) {
    lines.push("", style.caution("Warnings"), ...warnings.map(remarkLine));
  }
  lines.push("");
  if (problems.length > 0) {
    lines.push(style.bad("Not everything can come back"), ...problems.map(remarkLine), "");
  }
  if (plan.refused !== null) {
    lines.push(style.bad("Not yet"), `  ${plan.refused}`);
  } else if (bound.length + restored.length > 0) {
    lines.push("Next", `  npx kraft recover ${tenant} apply -s ${stack}`);
  } else if (problems.length === 0) {
    lines.push(style.good(nothingToDo(there.length)));
  }
  return lines;
}

/** Why that one of several, and what it takes the place of. */
function whyLines(tenant: string, { claim, volume, because, replaces }: BoundVolume): string[] {
  return [
    ...(because === null ? [] : [`  ${guestClaimText(tenant, claim)}: ${volume}, since ${because}`]),
    ...(replaces === null
      ? []
      : [
          `  ${guestClaimText(tenant, claim)}: in place of ${replaces}, to which nothing was ever written, and which is kept`,
        ]),
  ];
}

function nothingToDo(there: number): string {
  return there === 0
    ? "Nothing comes back: nothing of this tenant is retained or backed up."
    : `Nothing is lost: ${there === 1 ? "the claim has its volume" : `all ${there} claims have their volumes`}.`;
}

/** What came back, as the operator reads it. */
export function outcomeText(outcomes: readonly Outcome[], plan: RecoverPlan, stack: string, style: Style): string[] {
  const wrong = [
    ...outcomes.flatMap(({ claim, volume, message }) =>
      message === null ? [] : [`  ${guestClaimText(plan.tenant, claim)} (${volume}): ${message}`],
    ),
    ...plan.problems.map(remarkLine),
  ];
  const summary =
    outcomes.length === 0
      ? nothingToDo(plan.there.length)
      : `${plan.tenant}: ${outcomes.filter(({ message }) => message === null).length} of ${outcomes.length} volumes have their claims again.`;
  return wrong.length > 0
    ? unfinishedText(summary, wrong, style)
    : [
        style.good(summary),
        "",
        "Next: start the guest. It keeps its token",
        `  pulumi preview -s ${stack}`,
        `  pulumi up -s ${stack}`,
        `  npx kraft status -s ${stack}`,
      ];
}

/** What one claim gets, as the operator reads it. */
export function claimPlanText(plan: ClaimPlan, stack: string, now: Date, style: Style, command: string): string[] {
  const { tenant, claim, backup, backups, retained } = plan;
  const lines = [
    style.title(`${tenant} on ${stack}: ${guestClaimText(tenant, claim)}`),
    backup === null
      ? `gets the retained volume ${plan.volume}, as it is`
      : `gets ${plan.volume}, restored from ${backup.name} of ${moment(new Date(backup.created))} (${distance(new Date(backup.created), now)})`,
    plan.current === null ? "has no volume now" : `has ${plan.current} now, which is kept under this name`,
  ];
  if (backups.length > 0) {
    const rows = backups.map(({ name, volume, created }) => [
      `${name === backup?.name ? "> " : "  "}${name}`,
      moment(new Date(created)),
      volume,
    ]);
    lines.push("", ...style.table({ title: "Its backups", rows: [["  backup", "made", "of volume"], ...rows] }));
  }
  if (retained.length > 0) {
    const rows = retained.map(({ volume, claimEndedAt }) => [
      volume,
      claimEndedAt === null ? "-" : moment(new Date(claimEndedAt)),
    ]);
    lines.push("", ...style.table({ title: "Retained volumes", rows: [["volume", "claim deleted"], ...rows] }));
  }
  return [
    ...lines,
    "",
    ...(plan.isThere
      ? [style.good("It has it already.")]
      : plan.refused === null
        ? ["Next", `  ${command}`]
        : [style.bad("Not yet"), `  ${plan.refused}`]),
  ];
}

/** What became of one claim, as the operator reads it. */
export function claimOutcomeText(
  { message, volume }: Outcome,
  { tenant, claim, current }: ClaimPlan,
  stack: string,
  style: Style,
): string[] {
  const name = guestClaimText(tenant, claim);
  if (message !== null) {
    return [
      style.bad(`${name} of ${tenant} does not have ${volume} yet`),
      `  ${message}`,
      "",
      "Run it again when that is fixed: it continues from here.",
    ];
  }
  const kept = current === null || current === volume ? [] : [`${current} is kept, until you delete it.`];
  return [
    style.good(`${name} of ${tenant} has ${volume}.`),
    ...kept,
    "",
    `Next: let the tenant run again, without \`state\` in the stack file`,
    `  pulumi preview -s ${stack}`,
    `  pulumi up -s ${stack}`,
    "Once the tenant confirms the data, back it up; a week later delete the old volume",
    `  npx kraft backup ${tenant} -s ${stack}`,
    `  npx kraft reclaim -s ${stack}`,
  ];
}
