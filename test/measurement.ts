import { readdirSync, readFileSync } from "node:fs";
import { readState } from "../local/state.ts";

/** What was measured, and what was promised: no more than the goal. */
export type Measurement = readonly [what: string, measured: number, unit: string, goal: number | undefined];

/** Prints measurements, and lets the process fail where a promise is not kept. */
export function report(rows: readonly Measurement[]): void {
  for (const [what, measured, unit, goal] of rows) {
    const verdict = goal === undefined ? "" : measured <= goal ? `kept: at most ${goal}` : `MISSED: at most ${goal}`;
    console.log(`${what.padEnd(60)} ${measured.toFixed(1).padStart(7)} ${unit.padEnd(6)} ${verdict}`.trimEnd());
  }
  if (rows.some(([, measured, , goal]) => goal !== undefined && measured > goal)) {
    process.exitCode = 1;
  }
}

/** Milliseconds between two looks. */
const interval = 1000;

/**
 * The most memory at one time of an embedded cluster's processes and of this one, each with all that it has started. Pages
 * that several processes share count once (the proportional set size of proc_pid_smaps(5)).
 */
export class PeakMemory {
  gibibytes = 0;
  readonly #directory: () => string;
  readonly #timer: NodeJS.Timeout;

  /** @param directory The folder of the cluster. */
  constructor(directory: () => string) {
    this.#directory = directory;
    this.#timer = setInterval(() => {
      this.gibibytes = Math.max(this.gibibytes, this.#now());
    }, interval);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #now(): number {
    const parents = new Map<number, number>();
    for (const entry of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      parents.set(Number(entry), Number(/^PPid:\s+(\d+)/m.exec(read(`/proc/${entry}/status`))?.[1] ?? 0));
    }
    const cluster = Object.values(readState(this.#directory())?.processes ?? {}).map(({ pid }) => pid);
    const roots = new Set([process.pid, ...cluster]);
    const belongs = (pid: number): boolean => roots.has(pid) || (pid > 1 && belongs(parents.get(pid) ?? 0));
    const kibibytes = [...parents.keys()]
      .filter(belongs)
      .map((pid) => Number(/^Pss:\s+(\d+) kB/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0));
    return kibibytes.reduce((total, value) => total + value, 0) / 1024 / 1024;
  }
}

/** Empty for a process that has just ended. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
