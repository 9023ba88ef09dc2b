import { readFileSync } from "node:fs";

/**
 * Which process a number meant when it was written down. Numbers are used again: the start time, in clock ticks since
 * the boot that `boot` names, tells the process from a later one with its number.
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTicks: string;
  readonly boot: string;
}

/** State and start time in the text of `/proc/<pid>/stat` (proc_pid_stat(5), fields 3 and 22). */
export function parseProcessStat(text: string): { readonly state: string; readonly startTicks: string } | undefined {
  // The second field is the command in parentheses and may itself hold spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, startTicks] = [fields[0], fields[19]];
  return state === undefined || startTicks === undefined ? undefined : { state, startTicks: startTicks.trim() };
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** The process that has this number now, or undefined where there is none or only its remains. */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = read(`/proc/${pid}/stat`);
  const parsed = stat === undefined ? undefined : parseProcessStat(stat);
  if (parsed === undefined || parsed.state === "Z" || parsed.state === "X") {
    return undefined;
  }
  return { pid, startTicks: parsed.startTicks, boot: read("/proc/sys/kernel/random/boot_id")?.trim() ?? "" };
}

export function isSameProcess(recorded: ProcessIdentity, found: ProcessIdentity | undefined): boolean {
  return found?.pid === recorded.pid && found.startTicks === recorded.startTicks && found.boot === recorded.boot;
}

/** Whether the very process that was written down still runs. */
export function isRunning(recorded: ProcessIdentity): boolean {
  return isSameProcess(recorded, identify(recorded.pid));
}
