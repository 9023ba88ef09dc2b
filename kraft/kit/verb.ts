import type { Style } from "../cli/output.ts";
import type { KitLine } from "./check.ts";
import { exitCodes, type Verb } from "../cli/verb.ts";

interface Options {
  readonly write?: true;
  readonly force?: true;
}

/**
 * `kraft kit <folder> [stack]`: the recovery kit, what a rebuild needs beside the repository.
 *
 * With `--json`: `{ stack, folder, ok, date, lines: [{ what, ok, found, fix }] }`; `date` is the day to write into
 * `kraft:expiry.recoveryKit`, or null.
 */
export const kit: Verb<Options> = {
  name: "kit",
  summary: "check the recovery kit outside the house, or write it",
  details:
    "Tries everything in the folder that a rebuild needs, with what is in the folder alone: it opens the secrets, and reads\n" +
    "the backups. With --write it writes what is missing first, for which the passphrase must be in the environment.\n" +
    "Whoever has the folder can read and delete all backups: keep it locked away.",
  examples: ["kit /media/stick/kraft homelab", "kit /media/stick/kraft homelab --write"],
  define(command) {
    command
      .argument("<folder>", "the kit: a folder on a stick, or in a second place")
      .argument("[stack]", "stack that it is for")
      .option("--write", "write what it lacks")
      .option("--force", "with --write: replace what is different");
  },
  async run({ operands: [folder = "", name], options, output }) {
    const [{ chosenStackFile, directoryOf }, { checkKit }, { writeKit }, { UsageError }] = await Promise.all([
      import("../cli/choice.ts"),
      import("./check.ts"),
      import("./write.ts"),
      import("../../errors/failure.ts"),
    ]);
    if (options.force === true && options.write !== true) {
      throw new UsageError("--force says what --write may do\n  allowed: together with --write");
    }
    const file = chosenStackFile(name, directoryOf(options));
    if (options.write === true) {
      const work = writeKit(folder, file, process.env, options.force === true);
      const { files, stateFailure } = await output.during(`writing ${folder}`, work);
      output.note(files.length === 0 ? `${folder} has everything already.` : `Written: ${files.join(", ")}.`);
      output.note("WHOEVER HAS THIS FOLDER CAN READ AND DELETE EVERY BACKUP: keep it locked away, and encrypted.");
      if (stateFailure !== undefined) {
        output.note(`Pulumi's state was not exported: ${stateFailure}`);
      }
    }
    const now = new Date();
    const lines = await output.during(`trying what is in ${folder}`, checkKit(folder, file, now));
    const ok = lines.every((line) => line.ok);
    const date = ok ? now.toISOString().slice(0, 10) : null;
    if (options.json === true) {
      output.printJson({ stack: file.stack.name, folder, ok, date, lines });
    } else {
      output.print(kitText(lines, file.stack.name, folder, date, output.style));
    }
    return ok ? exitCodes.fine : exitCodes.wrong;
  },
};

function kitText(
  lines: readonly KitLine[],
  stack: string,
  folder: string,
  date: string | null,
  style: Style,
): string[] {
  const rows = lines.map(({ what, ok, found }) => [ok ? "ok" : "WRONG", what, found]);
  const fixes = lines.flatMap(({ what, fix }) => (fix === null ? [] : [`  ${what}: ${fix}`]));
  return [
    ...style.table({ title: `Recovery kit of ${stack} in ${folder}`, rows: [["", "what", "found"], ...rows] }),
    "",
    ...(date === null
      ? [style.bad("A rebuild could not rely on it"), ...fixes]
      : [
          style.good("A rebuild has all it needs."),
          "Write the day of this check into the stack file; a preview reminds you after 90 days:",
          `  pulumi config set -s ${stack} --path kraft:expiry.recoveryKit ${date}`,
        ]),
  ];
}
