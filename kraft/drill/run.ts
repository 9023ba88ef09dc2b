import { claimText } from "../../cluster/longhorn.ts";
import { Failure, UsageError } from "../../errors/failure.ts";
import { tenantsOf } from "../../infra/config/stack-file.ts";
import { bytesText } from "../cli/bytes.ts";
import { stackFileOf } from "../cli/choice.ts";
import { reach } from "../cli/host.ts";
import { distance, moment } from "../cli/moment.ts";
import type { Style } from "../cli/output.ts";
import { interruptible, minutesOf } from "../cli/time-limit.ts";
import type { Run } from "../cli/verb.ts";
import { drill, type DrillReport } from "./drill.ts";
import { nextTenant } from "./record.ts";

interface Given {
  readonly tenant?: string;
  readonly next?: true;
  readonly timeout?: string;
}

export const run: Run<Given> = async (given, output) => {
  const { tenant: named, next } = given;
  if ((named === undefined) === (next === undefined)) {
    throw new UsageError("name a tenant or use --next\n  allowed: either a tenant or --next");
  }
  const limit = minutesOf("--timeout", given.timeout, 240);
  const file = stackFileOf(given, named);
  const host = await reach(file, output);
  const tenant = named ?? nextTenant(tenantsOf(file), await host.list("/api/v1/namespaces"));
  if (tenant === undefined) {
    throw new Failure(`${file.name} has no tenant: there is nothing to restore`);
  }
  const report = await interruptible((signal) =>
    drill(host, {
      stack: file.stack.name,
      tenant,
      limit,
      signal,
      progress: (text) => {
        output.note(`${tenant}: ${text}`);
      },
    }),
  );
  return { json: report, text: drillText(report, new Date(), output.style), ok: report.ok };
};

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
