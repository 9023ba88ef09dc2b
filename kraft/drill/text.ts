import { claimText } from "../../cluster/longhorn.ts";
import { bytesText } from "../cli/bytes.ts";
import { distance, moment } from "../cli/moment.ts";
import type { Style } from "../cli/output.ts";
import type { DrillReport } from "./drill.ts";

const datastores = { etcd: "with etcd's files", sqlite: "with a SQLite datastore", none: "" } as const;

/** A drill's report as the operator reads it. */
export function drillText(report: DrillReport, now: Date, style: Style): string[] {
  const { tenant, volumes, unchecked, removedLeftovers, strange } = report;
  const rows = volumes.map((volume) => [
    claimText(tenant, volume.claim),
    volume.ok ? "restored and read" : "FAILED",
    volume.backup ?? "no backup",
    volume.ok
      ? `taken ${distance(new Date(volume.snapshotCreatedAt), now)}: ${volume.files} files, ${bytesText(volume.bytes)} ${datastores[volume.datastore]}`.trimEnd()
      : volume.why,
  ]);
  return [
    ...(removedLeftovers === 0
      ? []
      : [`Deleted first: ${removedLeftovers} objects that an interrupted drill had left.`]),
    ...strange.map(({ what, why }) => style.caution(`Not touched: ${what} has a drill's label, but ${why}.`)),
    ...style.table({ title: `Backups of ${tenant}`, rows: [["claim", "result", "backup", ""], ...rows] }),
    ...unchecked.map(({ claim, why }) => style.caution(`Not checked: ${claimText(tenant, claim)} ${why}.`)),
    "",
    report.provenAt === null
      ? style.bad(`Nothing is proven: not all backups of ${tenant} could be restored and read.`)
      : style.good(`Proven restorable on ${moment(new Date(report.provenAt))}.`),
  ];
}
