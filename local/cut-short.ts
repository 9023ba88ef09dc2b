import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeFileWhole } from "./state.ts";

function marker(workDir: string): string {
  return join(workDir, "up-began");
}

/** Writes down that an `up` begins. What it does is in no record before it ends. */
export function upBegins(workDir: string): void {
  writeFileWhole(marker(workDir), `${new Date().toISOString()}\n`);
}

/** Takes that note back: all that the `up` did is recorded. */
export function upEnded(workDir: string): void {
  rmSync(marker(workDir), { force: true });
}

/** Whether the last `up` was killed, stopped or failed half-way, so that the cluster may hold what nothing records. */
export function wasCutShort(workDir: string): boolean {
  return existsSync(marker(workDir));
}

/**
 * Marks every Kubernetes object in a state file as one that did not come up, so that the next `up` applies each anew, changed
 * or not. A refresh alone is not enough: the Kubernetes provider compares only the fields that the record knows, and would
 * never see one that the run which was cut short had added.
 *
 * @returns how many it marked; none where nothing was ever recorded
 */
export function distrustRecord(stateFile: string): number {
  if (!existsSync(stateFile)) {
    return 0;
  }
  const state = JSON.parse(readFileSync(stateFile, "utf8")) as {
    readonly checkpoint?: {
      readonly latest?: { readonly resources?: { custom?: boolean; type: string; initErrors?: string[] }[] };
    };
  };
  const objects = (state.checkpoint?.latest?.resources ?? []).filter(
    ({ custom, type }) => custom === true && type.startsWith("kubernetes:"),
  );
  for (const object of objects) {
    object.initErrors = ["the run before this one was cut short"];
  }
  if (objects.length > 0) {
    writeFileWhole(stateFile, JSON.stringify(state));
  }
  return objects.length;
}
