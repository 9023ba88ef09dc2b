import type { Verb } from "../cli/verb.ts";

/** `kraft kit <folder>`: the recovery kit, what a rebuild needs beside the repository. */
export const kit: Verb = {
  name: "kit",
  summary: "check the recovery kit outside the house, or write it",
  operands: [["<folder>", "the kit: a folder on a stick, or in a second place"]],
  options: [
    ["--write", "write what is missing"],
    ["--force", "with --write: replace what differs"],
  ],
  details: [
    "Tries everything in the folder that a rebuild needs, using the folder alone: it opens the secrets and reads the backups. With --write it first writes what is missing, for which the passphrase must be in the environment.",
    "Whoever has the folder can read and delete all backups: keep it locked away.",
  ],
  examples: ["kit /media/stick/kraft -s homelab", "kit /media/stick/kraft -s homelab --write"],
  old: { stackOperand: true },
  load: () => import("./run.ts"),
};
