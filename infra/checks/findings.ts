import { backupTargetUrl } from "../../components/plan/longhorn-values.ts";
import { schedulesOf } from "../../components/plan/storage.ts";
import type { Problem } from "../../errors/problem.ts";
import type { Load, Model } from "../model.ts";
import { machineZone, scheduleTable } from "../schedule.ts";
import { alertWarnings } from "./alerts.ts";
import { backupProblems, backupTables, backupWarnings } from "./backup-window.ts";
import { capacityProblems, capacityTable, capacityWarnings } from "./capacity.ts";
import { certificateTables, certificateWarnings } from "./certificates.ts";
import { costTables } from "./cost.ts";
import { expiryTables, expiryWarnings } from "./expiry.ts";
import { nodeWarnings } from "./nodes.ts";
import { publicPortTables } from "./public-ports.ts";
import { recoveryProblems, recoveryTables } from "./recovery.ts";
import { startWarnings } from "./start-time.ts";
import { declaredVersions, k3kWarnings, supportProblems } from "./support.ts";

/**
 * Runs every check over one stack, without cluster or clock; without a time zone in its file, in that of the machine.
 */
export function findings(model: Model, today: Date) {
  return {
    tables: [
      capacityTable(model),
      scheduleTable(schedulesOf(backupTargetUrl(model.backup)), model.timezone ?? machineZone(), today),
      ...backupTables(model),
      ...recoveryTables(model),
      ...certificateTables(model),
      ...publicPortTables(model),
      ...costTables(model),
      ...expiryTables(model.expiry, today),
    ],
    problems: [...loadProblems(model), ...supportProblems(declaredVersions(model))],
    warnings: [
      ...k3kWarnings(model.k3k, model.stack),
      ...capacityWarnings(model),
      ...nodeWarnings(model),
      ...startWarnings(model),
      ...backupWarnings(model),
      ...certificateWarnings(model),
      ...alertWarnings(model),
      ...expiryWarnings(model.expiry, today),
    ],
  };
}

/** What the hardware or the line cannot carry. */
export function loadProblems(load: Load): Problem[] {
  return [...capacityProblems(load), ...backupProblems(load), ...recoveryProblems(load)];
}
