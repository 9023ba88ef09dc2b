import { backupAge, backupsOf, withTenant } from "../monitoring/figures.ts";
import { backupIntervals } from "../monitoring/rules.ts";
import { lateAfterIntervals } from "../storage.ts";
import { limits, lines, number, page, timeline } from "./panels.ts";

/** Longhorn's numbers of a backup's states (longhorn-manager 1.12.0, metrics_collector/backup_collector.go). */
const backupStates = { completed: 3, failed: 4 } as const;

/** Age of each volume's last backup, in intervals of the schedule that made it. */
const ageInIntervals = Object.entries(backupIntervals)
  .map(([job, hours]) => `((${backupAge()}) / ${hours * 3600} and on (volume) ${backupsOf(job)})`)
  .join(" or ");

/** Longhorn's words for a volume's copies, each with the number that a state is drawn as. */
const robustness = ["unknown", "healthy", "degraded", "faulted"] as const;
const copies = robustness.map((state, index) => `${index} * longhorn_volume_robustness{state="${state}"}`).join(" or ");

/** Backups as a time line: when each volume was backed up, and what its copies were like. */
export const backups = page({
  uid: "kraft-backups",
  title: "Backups",
  description: "When each volume was backed up, against its schedule, and how its copies are",
  past: "7d",
  panels: [
    number({
      title: "Volumes that were ever backed up",
      description: "Of all that Longhorn has. One that is new waits for its first schedule.",
      size: [8, 4],
      queries: {
        part: "count(max by (volume) (longhorn_volume_last_backup_at > 0)) / count(max by (volume) (longhorn_volume_last_backup_at))",
      },
      unit: "part",
      limits: [
        [null, "yellow"],
        [1, "green"],
      ],
    }),
    number({
      title: "Oldest last backup",
      description: "In intervals of its schedule",
      size: [8, 4],
      queries: { intervals: `max(${ageInIntervals})` },
      unit: "number",
      limits: limits(1.1, lateAfterIntervals),
      none: "none was made",
    }),
    number({
      title: "Failed backups",
      description: "Those that Longhorn still lists as failed",
      size: [8, 4],
      queries: { failed: `sum(max by (volume, backup) (longhorn_backup_state) == bool ${backupStates.failed})` },
      unit: "number",
      limits: [
        [null, "green"],
        [1, "red"],
      ],
      none: "none was made",
    }),
    timeline({
      title: "Last backup against its schedule",
      description: `Its age in intervals: it is due from 1 on, and late from ${lateAfterIntervals} on, which BackupLate tells.`,
      size: [24, 9],
      queries: { "{{tenant}} {{pvc}}": withTenant(ageInIntervals, "pvc_namespace") },
      unit: "number",
      limits: limits(1.1, lateAfterIntervals),
      none: "none was made",
    }),
    timeline({
      title: "Copies of each volume",
      description:
        "Degraded is a copy too few, faulted none that is healthy. Unknown is a volume that is mounted nowhere.",
      size: [24, 9],
      queries: {
        "{{tenant}} {{pvc}}": withTenant(`max by (volume, pvc, pvc_namespace) (${copies})`, "pvc_namespace"),
      },
      unit: "number",
      limits: [
        [null, "text"],
        [1, "green"],
        [2, "yellow"],
        [3, "red"],
      ],
      states: Object.fromEntries(robustness.map((state, index) => [index, state])),
    }),
    lines({
      title: "Age of the last backup",
      description: "It falls to nothing whenever one is made.",
      size: [12, 8],
      queries: { "{{tenant}} {{pvc}}": withTenant(backupAge(), "pvc_namespace") },
      unit: "seconds",
      none: "none was made",
    }),
    lines({
      title: "Backups that are kept",
      description: "By the schedule that made them",
      size: [12, 8],
      queries: {
        "{{recurring_job}}": `count by (recurring_job) (max by (recurring_job, volume, backup) (longhorn_backup_state) == ${backupStates.completed})`,
      },
      unit: "number",
      none: "none was made",
    }),
  ],
});
