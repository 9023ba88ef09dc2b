/** Figures in rows and columns; the first row holds the headings. */
export interface Table {
  readonly title: string;
  readonly rows: readonly (readonly string[])[];
}

/** Lines with aligned columns, without spaces at their ends. */
export function table(rows: readonly (readonly string[])[], indent = "  "): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    `${indent}${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd(),
  );
}

/** Tables as text, each under its title. */
export function tablesText(tables: readonly Table[]): string {
  return tables.map(({ title, rows }) => [title, ...table(rows)].join("\n")).join("\n\n");
}
