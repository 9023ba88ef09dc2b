import type { ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** Ends a process and everything that it has started, at once, and waits for its end. */
export async function killWithDescendants(child: ChildProcess): Promise<void> {
  const { pid } = child;
  if (pid === undefined || child.exitCode !== null) {
    return;
  }
  const ended = new Promise((resolve) => child.once("exit", resolve));
  for (const process_ of [pid, ...descendants(pid)]) {
    kill(process_);
  }
  await ended;
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    // Ended by itself since it was seen.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") {
      throw error;
    }
  }
}

/** Every process that a process has started, from any of its threads, and those that they have. */
function descendants(pid: number): number[] {
  const children = threads(pid)
    .flatMap((thread) => childrenOf(pid, thread).split(" "))
    .filter((text) => text !== "")
    .map(Number);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

function threads(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    // Ended meanwhile: then it has no children.
    return [];
  }
}

function childrenOf(pid: number, thread: string): string {
  try {
    return readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8");
  } catch {
    // As above.
    return "";
  }
}
