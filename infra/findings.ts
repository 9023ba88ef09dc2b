import { backupProblems, backupTables, backupWarnings } from "./checks/backup-window.ts";
import { capacityProblems, capacityTable, capacityWarnings } from "./checks/capacity.ts";
import { certificateTables, certificateWarnings } from "./checks/certificates.ts";
import { costTables } from "./checks/cost.ts";
import { expiryTables, expiryWarnings } from "./checks/expiry.ts";
import { k3kWarnings } from "./checks/versions.ts";
import type { Model } from "./model.ts";
import type { Problem, Warning } from "./problem.ts";
import type { Table } from "./table.ts";

export type { Table } from "./table.ts";

/** What the checks say about one stack. */
export interface Findings {
  readonly tables: readonly Table[];
  /** Any of them refuses the stack. */
  readonly problems: readonly Problem[];
  readonly warnings: readonly Warning[];
}

/**
 * Runs every check over one stack. Nothing is read but the arguments: no cluster, no clock.
 *
 * @param today The day against which dates are held.
 */
export function findings(model: Model, today: Date): Findings {
  return {
    tables: [
      capacityTable(model),
      ...backupTables(model),
      ...certificateTables(model),
      ...costTables(model),
      ...expiryTables(model.expiry, today),
    ],
    problems: [...capacityProblems(model), ...backupProblems(model)],
    warnings: [
      ...k3kWarnings(model.k3k, model.stack),
      ...capacityWarnings(model),
      ...backupWarnings(model),
      ...certificateWarnings(model),
      ...expiryWarnings(model.expiry, today),
    ],
  };
}
