import { claimText } from "../../cluster/longhorn.ts";
import { bytesText } from "../cli/bytes.ts";
import { moment } from "../cli/moment.ts";
import type { Style } from "../cli/output.ts";
import type { BackupReport } from "./backup.ts";

/** What was backed up, as the operator reads it. */
export function backupText({ tenant, volumes, ok }: BackupReport, style: Style): string[] {
  const rows = volumes.map((volume) => [
    claimText(tenant, volume.claim),
    ...(volume.ok
      ? [
          "backed up",
          volume.backup,
          moment(new Date(volume.snapshotCreatedAt)),
          `${bytesText(volume.bytes)}, ${bytesText(volume.uploadedBytes)} of it new, ${volume.seconds} s`,
        ]
      : ["FAILED", "-", "-", volume.why]),
  ]);
  const failed = volumes.filter((volume) => !volume.ok).map(({ claim }) => claimText(tenant, claim));
  return [
    ...style.table({ title: `Volumes of ${tenant}`, rows: [["claim", "result", "backup", "as of", ""], ...rows] }),
    "",
    ok ? style.good(`All volumes of ${tenant} are backed up.`) : style.bad(`Not backed up: ${failed.join(", ")}.`),
  ];
}
