import { UsageError } from "../../errors/failure.ts";
import { bytesText } from "../cli/bytes.ts";
import { stackFileOf } from "../cli/choice.ts";
import { reach } from "../cli/host.ts";
import { ago } from "../cli/moment.ts";
import type { Style } from "../cli/output.ts";
import type { Run } from "../cli/verb.ts";
import { backupMissing, reclaim, type Released, released, see } from "./reclaim.ts";

interface Given {
  readonly volume?: string;
  readonly confirm?: readonly string[];
  readonly withoutBackup?: true;
}

/** Milliseconds for the deletion of one volume. */
const limit = 5 * 60_000;

export const run: Run<Given> = async (given, output) => {
  const now = new Date();
  const volume = confirmed(given, now);
  const file = stackFileOf(given);
  const host = await reach(file, output);
  const stack = file.stack.name;
  if (volume === undefined) {
    const volumes = released(await see(host), now);
    return { json: { stack, volumes }, text: releasedText(volumes, now, output.style) };
  }
  const deleted = await output.during(
    `deleting ${volume}`,
    reclaim(host, volume, given.withoutBackup === true, { until: Date.now() + limit }),
  );
  return {
    json: { stack, deleted },
    text: [`${volume} is deleted, ${bytesText(deleted.usedBytes)} on each copy. Its backups are kept.`],
  };
};

/** The volume to delete, undefined where none is named; a UsageError unless the confirmation is exactly right. */
export function confirmed({ volume, confirm, withoutBackup }: Given, now: Date): string | undefined {
  if (volume === undefined) {
    if (confirm !== undefined || withoutBackup !== undefined) {
      throw new UsageError("--confirm and --without-backup belong to --volume\n  allowed: together with --volume");
    }
    return undefined;
  }
  const today = now.toISOString().slice(0, 10);
  if (confirm?.length !== 2 || confirm[0] !== volume || confirm[1] !== today) {
    throw new UsageError(
      `${volume} would be deleted for good, and is not confirmed\n  allowed: --volume ${volume} --confirm ${volume} ${today}`,
    );
  }
  return volume;
}

/** The volumes that nobody claims, as the operator reads them. */
export function releasedText(volumes: readonly Released[], now: Date, style: Style): string[] {
  if (volumes.length === 0) {
    return ["No volume without a claim holds any disk."];
  }
  const rows = volumes.map((found) => [
    found.tenant ?? "-",
    found.claim ?? "-",
    found.volume,
    `${bytesText(found.usedBytes)} of ${bytesText(found.bytes)}`,
    ago(found.releasedAt, now, "not known"),
    ago(found.lastBackupAt, now, "never"),
    found.lastBackupAt === null || backupMissing(found) === undefined ? "" : style.caution("not since"),
  ]);
  const today = now.toISOString().slice(0, 10);
  return [
    ...style.table({
      title: "Volumes without a claim",
      rows: [["tenant", "claim was", "volume", "holds on each copy", "claim deleted", "last backup", ""], ...rows],
    }),
    "",
    "To delete one for good; its backups stay:",
    `  npx kraft reclaim --volume <volume> --confirm <volume> ${today}`,
  ];
}
