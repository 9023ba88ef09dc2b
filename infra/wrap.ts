import { stripVTControlCharacters } from "node:util";

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
