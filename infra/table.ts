import { stripVTControlCharacters } from "node:util";

/** Figures in rows and columns; the first row holds the headings. */
export interface Table {
  readonly title: string;
  readonly rows: readonly (readonly string[])[];
}

const gap = 2;

/** Lines with aligned columns, without spaces at their ends. */
export function table(rows: readonly (readonly string[])[], indent = "  "): string[] {
  return tableRows(rows, indent).flat();
}

/** The lines of each row, with aligned columns, within a width: cells are wrapped as far as their words allow. */
export function tableRows(rows: readonly (readonly string[])[], indent = "  ", width = Infinity): string[][] {
  const widths = columnWidths(rows, width - indent.length);
  return rows.map((row) => {
    const cells = row.map((cell, column) => wrap(cell, widths[column] ?? 0));
    const height = Math.max(1, ...cells.map((lines) => lines.length));
    return Array.from({ length: height }, (_, line) =>
      `${indent}${cells.map((lines, column) => padded(lines[line] ?? "", widths[column] ?? 0)).join(" ".repeat(gap))}`.trimEnd(),
    );
  });
}

/** The width of each column: that of its longest cell, or less for the widest ones until all of them fit. */
function columnWidths(rows: readonly (readonly string[])[], room: number): number[] {
  const columns = Array.from({ length: Math.max(0, ...rows.map((row) => row.length)) }, (_, column) =>
    rows.map((row) => row[column] ?? ""),
  );
  const longest = (texts: readonly string[]): number => Math.max(0, ...texts.map(columnsOf));
  const widths = columns.map(longest);
  const least = columns.map((cells) => longest(cells.flatMap((cell) => cell.split(" "))));
  let excess = widths.reduce((sum, width) => sum + width, (columns.length - 1) * gap) - room;
  for (; excess > 0; excess -= 1) {
    const wrappable = widths.filter((width, column) => width > (least[column] ?? 0));
    if (wrappable.length === 0) {
      break;
    }
    const widest = widths.findIndex(
      (width, column) => width === Math.max(...wrappable) && width > (least[column] ?? 0),
    );
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

function padded(text: string, width: number): string {
  return `${text}${" ".repeat(Math.max(0, width - columnsOf(text)))}`;
}

export function tablesText(tables: readonly Table[]): string {
  return tables.map(({ title, rows }) => [title, ...table(rows)].join("\n")).join("\n\n");
}

/** How many columns a text takes on a terminal: colours take none. */
export function columnsOf(text: string): number {
  return stripVTControlCharacters(text).length;
}

/** A text broken between words into lines of at most `width` columns. A word that is longer stays whole. */
export function wrap(text: string, width: number): string[] {
  if (columnsOf(text) <= width) {
    return [text];
  }
  const [first = "", ...words] = text.split(/\s+/);
  const lines = [first];
  for (const word of words) {
    const longer = `${lines.at(-1) ?? ""} ${word}`;
    if (columnsOf(longer) > width) {
      lines.push(word);
    } else {
      lines[lines.length - 1] = longer;
    }
  }
  return lines;
}
