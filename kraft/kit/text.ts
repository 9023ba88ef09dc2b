import type { Style } from "../cli/output.ts";
import type { KitLine } from "./check.ts";

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
