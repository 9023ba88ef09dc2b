import { UsageError } from "../../errors/failure.ts";
import { stackFileOf } from "../cli/choice.ts";
import type { Style } from "../cli/output.ts";
import type { Run } from "../cli/verb.ts";
import { checkKit, type KitLine } from "./check.ts";
import { writeKit } from "./write.ts";

export const run: Run<{ readonly folder: string; readonly write?: true; readonly force?: true }> = async (
  given,
  output,
) => {
  const { folder, write = false, force = false } = given;
  if (force && !write) {
    throw new UsageError("--force lets --write replace files\n  allowed: together with --write");
  }
  const file = stackFileOf(given);
  if (write) {
    const work = writeKit(folder, file, process.env, force);
    const { files, stateFailure } = await output.during(`writing ${folder}`, work);
    output.note(files.length === 0 ? `${folder} is complete already.` : `Written: ${files.join(", ")}.`);
    output.note("WHOEVER HAS THIS FOLDER CAN READ AND DELETE EVERY BACKUP: keep it locked away, and encrypted.");
    if (stateFailure !== undefined) {
      output.note(`Pulumi's state was not exported: ${stateFailure}`);
    }
  }
  const now = new Date();
  const lines = await output.during(`trying what is in ${folder}`, checkKit(folder, file, now));
  const ok = lines.every((line) => line.ok);
  /** The day to write into `kraft:expiry.recoveryKit`. */
  const date = ok ? now.toISOString().slice(0, 10) : null;
  const stack = file.stack.name;
  return { json: { stack, folder, ok, date, lines }, text: kitText(lines, stack, folder, date, output.style), ok };
};

/** What was found in a kit, as the operator reads it. */
export function kitText(
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
