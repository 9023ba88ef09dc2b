import { readFileSync } from "node:fs";
import { join } from "node:path";

/** In the order in which a shell reads them: `node.sh` calls what the others define. */
const parts = ["guard.sh", "common.sh", "upgrade.sh", "configure.sh", "node.sh"] as const;
const folder = join(import.meta.dirname, "..", "..", "nodes", "talos");

/** The line between the two secrets: a comment, should it ever be read as YAML. */
const divider = "# kraft: here begins the patch";

/** The script's standard input: what `talosctl gen secrets` wrote, and a patch that holds secrets. Secret. */
export function secretInput(secrets: string, patch: string): string {
  return `${secrets.trimEnd()}\n${divider}\n${patch.trimEnd()}\n`;
}

/** How long the script waits for a machine that it has just seen, and how it asks meanwhile. */
export const waitingTimes = {
  /** Seconds for a restart: a DL380 Gen8 counts its memory for minutes before it starts anything. */
  START_SECONDS: "1200",
  /** Seconds in which the etcd of a machine that runs has to answer. */
  ETCD_SECONDS: "60",
  PAUSE_SECONDS: "5",
  HEALTH_TIMEOUT: "15m",
} as const;

/**
 * The program that keeps one machine on Talos as it was declared, for `bash -c`. All it knows is in its environment:
 * what `TalosNodes` puts there, and `waitingTimes`; only what is secret comes by standard input, see `secretInput`.
 */
export function talosScript(): string {
  const texts = parts.map((name) => readFileSync(join(folder, name), "utf8"));
  return ["set -euo pipefail", `DIVIDER=${JSON.stringify(divider)}`, ...texts, "guarded main", ""].join("\n");
}
