import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, mkdirSync, openSync, readFileSync, renameSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../errors/failure.ts";

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

/** The text of a file, or undefined where it cannot be read. */
export function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** Names the time since this machine was started. */
export function bootId(): string {
  return readOrUndefined("/proc/sys/kernel/random/boot_id")?.trim() ?? "";
}

/** The process that has this number now, or undefined where there is none or only its remains. */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = readOrUndefined(`/proc/${pid}/stat`);
  const parsed = stat === undefined ? undefined : parseProcessStat(stat);
  if (parsed === undefined || parsed.state === "Z" || parsed.state === "X") {
    return undefined;
  }
  return { pid, startTicks: parsed.startTicks, boot: bootId() };
}

export function isSameProcess(recorded: ProcessIdentity, found: ProcessIdentity | undefined): boolean {
  return found?.pid === recorded.pid && found.startTicks === recorded.startTicks && found.boot === recorded.boot;
}

/** Whether the very process that was written down still runs. */
export function isRunning(recorded: ProcessIdentity): boolean {
  return isSameProcess(recorded, identify(recorded.pid));
}

/** A program that goes on running after Kraft's own command has ended. */
export interface ProcessPlan {
  readonly name: string;
  readonly executable: string;
  readonly arguments: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly logFile: string;
}

/** For programs written in Go that handle every CRD: a tenth of the time, for half a gigabyte of memory. */
export const lessGarbageCollection = { GOGC: "300" } as const;

/** A started process as it is written down. */
export interface ProcessRecord extends ProcessIdentity {
  /** Names the plan that it was started by: a process of another plan is started anew. */
  readonly plan: string;
  readonly logFile: string;
  /** In milliseconds since 1970. Records of earlier versions lack it. */
  readonly startedAt?: number;
}

export function planFingerprint(plan: ProcessPlan): string {
  const text = JSON.stringify([plan.executable, plan.arguments, plan.environment ?? {}]);
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/** The last lines of a log that say something. */
export function lastLines(logFile: string): string {
  return readOrUndefined(logFile)?.trimEnd().split("\n").slice(-12).join("\n") ?? "(no log)";
}

/** Starts a process of its own session with its output in a log file; the log of the run before is kept beside it. */
export function startProcess(plan: ProcessPlan): ProcessRecord {
  mkdirSync(dirname(plan.logFile), { recursive: true });
  try {
    renameSync(plan.logFile, `${plan.logFile}.previous`);
  } catch {
    // The first run.
  }
  const log = openSync(plan.logFile, "a", 0o600);
  try {
    const child = spawn(plan.executable, plan.arguments, {
      detached: true,
      stdio: ["ignore", log, log],
      cwd: "/",
      // Not the user's environment: proxies and credentials are not for these processes.
      env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "/", ...plan.environment },
    });
    child.on("error", () => {
      // Reported below: there is no number, or the process is gone.
    });
    child.unref();
    const identity = child.pid === undefined ? undefined : identify(child.pid);
    if (identity === undefined) {
      throw new Failure(`${plan.name} does not start: ${plan.executable}\n${lastLines(plan.logFile)}`);
    }
    return { ...identity, plan: planFingerprint(plan), logFile: plan.logFile, startedAt: Date.now() };
  } finally {
    closeSync(log);
  }
}

function signal(record: ProcessRecord, name: NodeJS.Signals): void {
  try {
    process.kill(record.pid, name);
  } catch {
    // It has ended in the meantime.
  }
}

/**
 * Stops processes that were written down, and only those: first kindly and all at once, then by force.
 *
 * @param graceSeconds how long a process has to end by itself
 */
export async function stopProcesses(records: readonly ProcessRecord[], graceSeconds = 10): Promise<void> {
  const running = records.filter(isRunning);
  for (const record of running) {
    signal(record, "SIGTERM");
  }
  const deadline = Date.now() + graceSeconds * 1000;
  while (running.some(isRunning) && Date.now() < deadline) {
    await sleep(50);
  }
  for (const record of running.filter(isRunning)) {
    signal(record, "SIGKILL");
  }
  while (running.some(isRunning)) {
    await sleep(20);
  }
}

/** Whether a server answers a request without an error. */
export async function answersOk(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(2000) })).ok;
  } catch {
    return false;
  }
}

/** Waits until `ready` says so. Fails with the last lines of the log when the process ends first or time runs out. */
export async function waitUntilReady(
  name: string,
  record: ProcessRecord,
  ready: () => Promise<boolean>,
  timeoutSeconds = 60,
): Promise<void> {
  const deadline = Date.now() + timeoutSeconds * 1000;
  for (;;) {
    if (await ready()) {
      return;
    }
    const running = isRunning(record);
    if (!running || Date.now() > deadline) {
      const what = running ? `is not ready after ${timeoutSeconds} s` : "has ended";
      throw new Failure(`${name} ${what}. The end of ${record.logFile}:\n${lastLines(record.logFile)}`);
    }
    await sleep(100);
  }
}
