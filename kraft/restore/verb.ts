import type { Verb } from "../cli/verb.ts";

/** `kraft restore plan|apply`: what comes back from the backups, and bringing it back. */
export const restore: Verb = {
  name: "restore",
  summary: "show what the backups hold, or restore it",
  phases: {
    plan: "say what would come back, how old it is and how long it takes",
    apply: "restore it",
  },
  needsPhase: true,
  options: [["--tenant <tenant>", "only this tenant"]],
  details: [
    "plan reads the bucket alone: no cluster is needed, only the passphrase of the stack file, or the bucket's key in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. It exits with 1 if something is damaged or belongs to no tenant.",
    "apply creates Longhorn's volumes and binds them to their claims. It deletes nothing, and changes nothing that came from elsewhere. Interrupted at any moment, it continues when it is run again.",
  ],
  examples: ["restore plan -s homelab", "restore apply -s homelab", "restore apply -s homelab --tenant acme"],
  old: { phaseOptions: true },
  load: () => import("./run.ts"),
};
