import type { Verb } from "../cli/verb.ts";

/** `kraft backup <tenant>`: a backup of every volume of a tenant, now. */
export const backup: Verb = {
  name: "backup",
  summary: "back up every volume of a tenant now",
  operands: [["<tenant>", "tenant of the stack file"]],
  options: [
    ["--volume <name>", "only this Longhorn volume, even if its claim is deleted"],
    ["--timeout <minutes>", "time limit for the whole run; default: 720"],
  ],
  details: [
    "Takes a snapshot of all volumes at once, then uploads one after the other, and waits until that is done. If you interrupt it, Longhorn finishes the upload that has begun. Exits with 1 if any volume could not be backed up; the others are.",
  ],
  examples: ["backup acme", "backup acme --volume pvc-0a1b2c3d -s homelab"],
  load: () => import("./run.ts"),
};
