import { linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { codeOf, Failure } from "../errors/failure.ts";
import { identify, isRunning, type ProcessIdentity, readOrUndefined } from "./processes.ts";
import type { Reporter } from "./terminal.ts";

function ownIdentity(): ProcessIdentity {
  const identity = identify(process.pid);
  if (identity === undefined) {
    throw new Failure("Kraft's embedded cluster needs Linux: /proc is missing.");
  }
  return identity;
}

function owner(text: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(text) as ProcessIdentity;
  } catch {
    return undefined;
  }
}

/** Gives a file a second name; false where that name is taken. */
function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") {
      return false;
    }
    throw error;
  }
}

/** The lock's file appears whole, with its owner in it, or not at all. */
function tryCreate(path: string, text: string): boolean {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, text);
  try {
    return tryLink(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Takes away the lock of a dead process, unless somebody else did in the meantime and holds a new one. */
function removeStale(path: string, seen: string): void {
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (codeOf(error) === "ENOENT") {
      return;
    }
    throw error;
  }
  if (readOrUndefined(aside) !== seen) {
    tryLink(aside, path);
  }
  rmSync(aside, { force: true });
}

/** Tells the user which process is waited for, and what it is doing. */
export function announceWait(reporter: Reporter, work: string): (pid: number) => void {
  return (pid) => {
    reporter.line(`process ${pid} ${work}; waiting for it`);
  };
}

/**
 * Runs `action` while holding the lock at `path`. A lock whose process is dead is taken over.
 *
 * @param onWait called once, with the number of the process that holds the lock, before waiting for it
 */
export async function withLock<Result>(
  path: string,
  onWait: (pid: number) => void,
  action: () => Promise<Result> | Result,
): Promise<Result> {
  mkdirSync(dirname(path), { recursive: true });
  const mine = JSON.stringify(ownIdentity());
  let waiting = false;
  while (!tryCreate(path, mine)) {
    const text = readOrUndefined(path);
    if (text === undefined) {
      continue;
    }
    const holder = owner(text);
    if (holder === undefined || !isRunning(holder)) {
      removeStale(path, text);
      continue;
    }
    if (!waiting) {
      onWait(holder.pid);
      waiting = true;
    }
    await sleep(500);
  }
  try {
    return await action();
  } finally {
    rmSync(path, { force: true });
  }
}
