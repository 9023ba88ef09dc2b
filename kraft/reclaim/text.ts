import { bytesText } from "../cli/bytes.ts";
import { distance } from "../cli/moment.ts";
import type { Style } from "../cli/output.ts";
import { backupMissing, type Released } from "./reclaim.ts";

/** The volumes that nobody claims, as the operator reads them. */
export function releasedText(volumes: readonly Released[], now: Date, style: Style): string[] {
  if (volumes.length === 0) {
    return ["No volume without a claim holds any disk."];
  }
  const ago = (time: string | null, otherwise: string): string =>
    time === null ? otherwise : distance(new Date(time), now);
  const rows = volumes.map((found) => [
    found.tenant ?? "-",
    found.claim ?? "-",
    found.volume,
    `${bytesText(found.usedBytes)} of ${bytesText(found.bytes)}`,
    ago(found.releasedAt, "not known"),
    ago(found.lastBackupAt, "never"),
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
