import { linkSync, mkdirSync, readlinkSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { codeOf, Failure } from "../errors/failure.ts";
import { isFull } from "./full-disk.ts";
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
  const [pid, startTicks, boot] = text.split(" ");
  if (boot !== undefined) {
    return { pid: Number(pid), startTicks: startTicks ?? "", boot };
  }
  try {
    return JSON.parse(text) as ProcessIdentity;
  } catch {
    return undefined;
  }
}

/** What is in a lock; undefined where there is none. */
function readLock(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return readOrUndefined(path);
  }
}

/** Makes a name for something; false where that name is taken. */
function tryName(make: () => void): boolean {
  try {
    make();
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") {
      return false;
    }
    throw error;
  }
}

function tryLink(from: string, to: string): boolean {
  return tryName(() => {
    linkSync(from, to);
  });
}

/** The lock appears whole, with its owner in it, or not at all. */
function tryCreate(path: string, mine: ProcessIdentity): boolean {
  const draft = `${path}.${process.pid}`;
  try {
    writeFileSync(draft, JSON.stringify(mine));
    return tryLink(draft, path);
  } catch (error) {
    if (!isFull(error)) {
      throw error;
    }
    // On a full disk a cluster must still be removed: a link of less than 60 bytes needs no block, only a name (on ext4,
    // XFS and tmpfs).
    return tryName(() => {
      symlinkSync(`${mine.pid} ${mine.startTicks} ${mine.boot}`, path);
    });
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
  if (readLock(aside) !== seen) {
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
  const mine = ownIdentity();
  let waiting = false;
  while (!tryCreate(path, mine)) {
    const text = readLock(path);
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
