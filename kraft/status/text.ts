import { scheduleTable } from "../../infra/schedule.ts";
import type { Table } from "../../infra/table.ts";
import { ago, moment } from "../cli/moment.ts";
import { remarkLine, type Style } from "../cli/output.ts";
import type { Status } from "./report.ts";
import { certificateText, guestText, nodeText, sizeText, targetText, useText, verdict, volumeText } from "./words.ts";

/** A status as the operator reads it, with schedules in the time zone `zone`. */
export function statusText(status: Status, description: string, style: Style, zone: string): string[] {
  const now = new Date(status.at);
  const { problems, notes } = status;
  return [
    style.title(`${status.stack}: ${description}`),
    `  context ${status.cluster.context}, ${moment(now)}`,
    ...tablesOf(status, now, zone).flatMap((table) =>
      table.rows.length > 1 ? ["", ...style.table(table)] : ["", style.title(table.title), "  none"],
    ),
    "",
    `Backup target: ${targetText(status, now)}`,
    "",
    ...(notes.length === 0 ? [] : [style.title("Moving"), ...notes.map(remarkLine), ""]),
    ...(problems.length === 0
      ? [style.good(verdict(status))]
      : [style.bad(verdict(status)), ...problems.map(remarkLine)]),
  ];
}

/** The parts of a status, each under the headings of its columns. */
function tablesOf(status: Status, now: Date, zone: string): Table[] {
  const { nodes, platform, tenants, backups, certificates } = status;
  return [
    {
      title: "Nodes",
      rows: [["node", "state", "kubelet"], ...nodes.map((node) => [node.name, nodeText(node), node.version ?? ""])],
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
        ...backups.volumes.map((volume) => [
          volume.tenant ?? "-",
          volume.claim ?? volume.name,
          sizeText(volume),
          volumeText(volume),
          ago(volume.lastBackupAt, now, "never"),
        ]),
      ],
    },
    {
      title: "Certificates",
      rows: [
        ["namespace", "certificate", "hosts", "state", "expires"],
        ...certificates.map((certificate) => {
          const { namespace, name, hosts, notAfter } = certificate;
          const shown =
            hosts.length > 2 ? `${hosts.slice(0, 2).join(", ")} and ${hosts.length - 2} more` : hosts.join(", ");
          return [namespace, name, shown, certificateText(certificate), ago(notAfter, now, "-")];
        }),
      ],
    },
  ];
}
