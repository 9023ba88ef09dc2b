/** A table as GitHub's Markdown. */
export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [header, header.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/**
 * Text as code in a table. In code GitHub looks for neither mentions, links nor HTML; what could end the code or the cell
 * is replaced, for the objects may come from a stranger.
 */
export function code(text: string): string {
  return `\`${text.replaceAll("`", "'").replace(/\s+/g, " ").replaceAll("|", "\\|")}\``;
}

/** Text as a block, behind a fence that it cannot end. */
export function fenced(text: string, language = ""): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}

/** The beginning of a text in so many bytes, up to the end of a line and without a block that the cut leaves open. */
export function cutAfterLine(text: string, limit: number): string {
  const bytes = Buffer.from(text).subarray(0, limit);
  const whole = bytes.subarray(0, Math.max(0, bytes.lastIndexOf("\n"))).toString();
  const fences = [...whole.matchAll(/^`{3,}/gm)];
  return fences.length % 2 === 1 ? whole.slice(0, fences.at(-1)?.index) : whole;
}
