import { quantityOf } from "../../../cluster/quantity.ts";
import { duration } from "../../cli/moment.ts";
import { type Status, subjects, type TenantStatus, type Use, type VolumeStatus } from "../report.ts";
import { guestText, sizeText, useText, volumeText } from "../words.ts";
import { type Bar, type PageTable, problemsOf, type Section, timeCell } from "./page.ts";

/** Every tenant: the guest, what is used, volumes, backups and drills. */
export function tenantSection(status: Status, now: Date): Section {
  return {
    title: "Tenants",
    blocks: status.tenants.length === 0 ? [{ text: "There are none." }] : [],
    sections: status.tenants.map((tenant) => ({
      title: tenant.name,
      blocks: [
        { problems: problemsOf(status, subjects.tenant(tenant.name)) },
        {
          facts: [
            ["Guest", guestText(tenant)],
            ["Backups proven restorable", timeCell(tenant.lastProvenRestorableAt, now, "never")],
            ["Kubeconfig ends", timeCell(tenant.kubeconfigEndsAt, now, "not known")],
          ],
        },
        useTable(tenant),
        volumeTable(
          `Volumes of ${tenant.name}`,
          status.backups.volumes.filter((volume) => volume.tenant === tenant.name),
          status,
          now,
        ),
      ],
    })),
  };
}

function useTable({ name, quota }: TenantStatus): PageTable {
  const rows: readonly (readonly [string, Use | null])[] = [
    ["CPU", quota.cpu],
    ["memory", quota.memory],
    ["volumes", quota.storage],
    ["pods", quota.pods],
  ];
  return {
    caption: `What ${name} uses of the allowance`,
    headings: ["", "used", "share"],
    rows: rows.map(([what, use]) => [what, useText(use), (use && useBar(what, use)) ?? "-"]),
  };
}

/** Undefined for amounts that cannot be compared. */
function useBar(what: string, use: Use): Bar | undefined {
  const [used, hard] = [quantityOf(use.used), quantityOf(use.hard)];
  if (used === undefined || hard === undefined || hard === 0) {
    return undefined;
  }
  const share = used / hard;
  return {
    alternative: `${what}: ${Math.round(share * 100)} %`,
    parts: [{ kind: "used", share: Math.min(1, share) }],
    marks: [],
  };
}

/** Volumes with their last backup, and how often one is due. */
export function volumeTable(caption: string, volumes: readonly VolumeStatus[], status: Status, now: Date): PageTable {
  return {
    caption,
    headings: ["claim", "size", "state", "last backup", "due every"],
    rows: volumes.map((volume) => [
      volume.claim ?? volume.name,
      sizeText(volume),
      { text: volumeText(volume), problems: problemsOf(status, subjects.volume(volume)) },
      timeCell(volume.lastBackupAt, now, "never"),
      volume.backupEveryHours === null ? "-" : duration(volume.backupEveryHours * 3_600_000),
    ]),
  };
}
