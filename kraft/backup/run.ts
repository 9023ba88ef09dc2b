import { claimText } from "../../cluster/longhorn.ts";
import { bytesText } from "../cli/bytes.ts";
import { stackFileOf } from "../cli/choice.ts";
import { reach } from "../cli/host.ts";
import { moment } from "../cli/moment.ts";
import type { Style } from "../cli/output.ts";
import { interruptible, minutesOf } from "../cli/time-limit.ts";
import type { Run } from "../cli/verb.ts";
import { backUp, type BackupReport } from "./backup.ts";

interface Given {
  readonly tenant: string;
  readonly volume?: string;
  readonly timeout?: string;
}

export const run: Run<Given> = async (given, output) => {
  const { tenant, volume } = given;
  const limit = minutesOf("--timeout", given.timeout, 720);
  const file = stackFileOf(given, tenant);
  const host = await reach(file, output);
  const report = await interruptible((signal) =>
    backUp(host, {
      stack: file.stack.name,
      tenant,
      volumes: volume === undefined ? undefined : [volume],
      patience: { until: Date.now() + limit, signal },
      progress: (text) => {
        output.note(`${tenant}: ${text}`);
      },
    }),
  );
  return { json: report, text: backupText(report, output.style), ok: report.ok };
};

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
