import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import { codeOf, Failure, messageOf } from "../errors/failure.ts";

/** Whether a call failed because a file system, or the share of it that its user may have, is full. */
export function isFull(error: unknown): boolean {
  return ["ENOSPC", "EDQUOT"].includes(codeOf(error) ?? "");
}

const MiB = 1024 ** 2;

/** Free bytes without which a cluster does not start: etcd takes 64 MiB for each piece of its log, before it writes to it. */
const needed = 128 * MiB;

/** The disk where a folder is, or the next one above it if it is not there, and its free bytes. */
function diskOf(folder: string): { readonly folder: string; readonly free: number } {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return { folder, free: bavail * bsize };
  } catch (error) {
    if (codeOf(error) === "ENOENT" && dirname(folder) !== folder) {
      return diskOf(dirname(folder));
    }
    throw error;
  }
}

/**
 * What is told of an error of a run: where a disk is full, that it is, since the programs of a cluster that cannot write end
 * with messages of all kinds, or with none.
 *
 * @param folders Where the run writes.
 */
export function explainFullDisk(error: unknown, folders: readonly string[]): unknown {
  const full = folders.map(diskOf).find(({ free }) => free < needed);
  if (full === undefined && !isFull(error)) {
    return error;
  }
  return new Failure(
    `The disk ${full === undefined ? "is full" : `of ${full.folder} has only ${Math.floor(full.free / MiB)} MiB left`}: ${messageOf(error)}\n` +
      "Make room and run the command again. What does not start then was cut off while it wrote: remove it with\n" +
      "  npm run local:down",
  );
}
