// Removes the embedded cluster of a test that was ended before it could: as a module it sees to that, and by itself it is the
// process that does it, once the test's has ended.
//
//   node test/cluster/abandoned.ts <directory>
import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { removeHostCluster } from "../../local/host-cluster.ts";

/** What a terminal or a runner sends, and the exit code that says so. */
const signals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/**
 * Has a cluster and the folder around it removed when this process ends, be it by a signal. SIGKILL is beyond it.
 *
 * @returns takes the order back, for who removes it themselves
 */
export function removeIfAbandoned(directory: string): () => void {
  const listeners = Object.entries(signals).map(
    ([signal, code]) =>
      [
        signal,
        () => {
          process.exit(code);
        },
      ] as const,
  );
  // In a process of its own, which does not hold up this one: the cluster may be locked by whom it waits for.
  const remove = (): void => {
    spawn(process.execPath, [import.meta.filename, directory], { detached: true, stdio: "ignore" }).unref();
  };
  process.once("exit", remove);
  for (const [signal, listener] of listeners) {
    // Not once: a runner and a terminal both send it, and the second would end this process in the middle of its end.
    process.on(signal, listener);
  }
  return () => {
    process.off("exit", remove);
    for (const [signal, listener] of listeners) {
      process.off(signal, listener);
    }
  };
}

/** Removes a cluster, and the folder around it. */
export async function removeCluster(directory: string): Promise<void> {
  await removeHostCluster(directory);
  rmSync(dirname(directory), { recursive: true, force: true });
}

if (import.meta.main) {
  await removeCluster(process.argv[2] ?? "");
}
