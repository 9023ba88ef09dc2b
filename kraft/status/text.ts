import { scheduleTable } from "../../infra/schedule.ts";
import type { Table } from "../../infra/table.ts";
import { ago, distance, moment } from "../cli/moment.ts";
import { remarkLine, type Style } from "../cli/output.ts";
import type { Status, TenantStatus, Use } from "./report.ts";

const gibibyte = 1024 ** 3;

/** A status as the operator reads it, with schedules in the time zone `zone`. */
export function statusText(status: Status, description: string, style: Style, zone: string): string[] {
  const now = new Date(status.at);
  const { problems, notes } = status;
  const count = problems.length === 1 ? "1 thing is wrong" : `${problems.length} things are wrong`;
  return [
    style.title(`${status.stack}: ${description}`),
    `  context ${status.cluster.context}, ${moment(now)}`,
    ...tablesOf(status, now, zone).flatMap((table) =>
      table.rows.length > 1 ? ["", ...style.table(table)] : ["", style.title(table.title), "  none"],
    ),
    "",
    targetLine(status, now),
    "",
    ...(notes.length === 0 ? [] : [style.title("Moving"), ...notes.map(remarkLine), ""]),
    ...(problems.length === 0 ? [style.good("All is well.")] : [style.bad(count), ...problems.map(remarkLine)]),
  ];
}

/** The parts of a status, each under the headings of its columns. */
function tablesOf(status: Status, now: Date, zone: string): Table[] {
  const { nodes, platform, tenants, backups, certificates } = status;
  return [
    {
      title: "Nodes",
      rows: [
        ["node", "state", "kubelet"],
        ...nodes.map(({ name, present, ready, schedulable, version }) => [
          name,
          present ? `${ready ? "ready" : "NOT READY"}${schedulable ? "" : ", no new pods"}` : "MISSING",
          version ?? "",
        ]),
      ],
    },
    {
      title: "Platform",
      rows: [
        ["namespace", "name", "kind", "ready"],
        ...platform.map(({ namespace, name, kind, ready, wanted }) => [namespace, name, kind, `${ready}/${wanted}`]),
      ],
    },
    {
      title: "Tenants",
      rows: [
        ["tenant", "guest", "CPU", "memory", "volumes", "pods", "proven restorable"],
        ...tenants.map((tenant) => [
          tenant.name,
          guestText(tenant),
          ...[tenant.quota.cpu, tenant.quota.memory, tenant.quota.storage, tenant.quota.pods].map(useText),
          ago(tenant.lastProvenRestorableAt, now, "never"),
        ]),
      ],
    },
    scheduleTable(backups.schedules, zone, now),
    {
      title: "Volumes",
      rows: [
        ["tenant", "claim", "size", "state", "last backup"],
        ...backups.volumes.map(({ tenant, claim, name, bytes, state, robustness, standby, lastBackupAt }) => [
          tenant ?? "-",
          claim ?? name,
          bytes === null ? "-" : `${Math.round((bytes / gibibyte) * 10) / 10}Gi`,
          standby ? "following" : state === "attached" ? robustness : state,
          ago(lastBackupAt, now, "never"),
        ]),
      ],
    },
    {
      title: "Certificates",
      rows: [
        ["namespace", "certificate", "hosts", "state", "expires"],
        ...certificates.map(({ namespace, name, hosts, ready, notAfter }) => [
          namespace,
          name,
          hosts.length > 2 ? `${hosts.slice(0, 2).join(", ")} and ${hosts.length - 2} more` : hosts.join(", "),
          ready ? "ready" : "NOT READY",
          ago(notAfter, now, "-"),
        ]),
      ],
    },
  ];
}

function guestText({ state, phase, awaitedFrom, movedTo }: TenantStatus): string {
  if (movedTo !== null) {
    return `moved to ${movedTo.stack}`;
  }
  if (awaitedFrom !== null) {
    return `moving from ${awaitedFrom}`;
  }
  return state === null || state === "active" ? (phase ?? "-") : state;
}

function useText(use: Use | null): string {
  return use === null ? "-" : `${use.used} of ${use.hard}`;
}

function targetLine({ backups: { target } }: Status, now: Date): string {
  if (target === null) {
    return "Backup target: none";
  }
  const synced = target.lastSyncedAt === null ? "" : `, looked at ${distance(new Date(target.lastSyncedAt), now)}`;
  return `Backup target: ${target.url}, ${target.available ? "available" : "NOT AVAILABLE"}${synced}`;
}
