import { report } from "../../errors/problem.ts";
import type { Style } from "../cli/output.ts";
import type { Checked } from "./checked.ts";

/** The findings about a stack as text. */
export function checkText(checked: Checked, style: Style): string[] {
  const { stack, description, file, tables, warnings, problems } = checked;
  const [headline = "", ...details] = problems.length === 0 ? [] : report(file, problems).split("\n");
  return [
    style.title(`${stack}: ${description}`),
    ...tables.flatMap((table) => ["", ...style.table(table)]),
    ...(warnings.length === 0
      ? []
      : [
          "",
          style.caution(count(warnings.length, "warning")),
          ...warnings.map(({ key, message }) => `  ${key}: ${message}`),
        ]),
    "",
    ...(problems.length === 0
      ? [style.good(`${file} has no problems.`)]
      : // A check never changes anything.
        [style.bad(headline.replace(" Nothing was changed.", "")), ...details]),
  ];
}

function count(number: number, what: string): string {
  return number === 1 ? `1 ${what}` : `${number} ${what}s`;
}
