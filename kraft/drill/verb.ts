import type { Verb } from "../cli/verb.ts";

/** `kraft drill <tenant>`: proves that a tenant's backups can be restored, by restoring them. */
export const drill: Verb = {
  name: "drill",
  summary: "prove that a tenant's backups can be restored",
  operands: [["[tenant]", "tenant of the stack file"]],
  options: [
    ["--next", "the tenant whose last drill is longest ago"],
    ["--timeout <minutes>", "time limit for each volume, download included; default: 240"],
  ],
  details: [
    "Restores the newest backup of each of the tenant's volumes, one after the other, into a volume that nothing else uses, reads all of it in a pod without network, removes it, and records the result on the tenant's namespace. The tenant's own volumes and backups are not touched. The next drill cleans up after one that was killed.",
    "Exits with 1 if a backup is missing, cannot be restored, or cannot be read to the end.",
  ],
  examples: ["drill acme", "drill acme -s homelab", "drill --next --json"],
  load: () => import("./run.ts"),
};
