import { type Markup, markup } from "./markup.ts";
import type { Bar, BarPart } from "./page.ts";

/** Width and height of a bar in its own units; the page stretches it. Parts are set apart by a gap. */
const [width, height, gap] = [200, 10, 0.6];

/** A bar as a picture. The figures are in the cells beside it, or in its alternative text. */
export function barMarkup({ alternative, parts, marks }: Bar): Markup {
  let left = 0;
  const rectangles = parts.map(({ kind, share }) => {
    const start = left;
    left += share * width;
    return share === 0
      ? []
      : markup`<rect class="${kind}" x="${figure(start)}" y="0" width="${figure(Math.max(gap, share * width - gap))}" height="${height}"/>`;
  });
  const lines = marks.map((share) => {
    const x = figure(Math.min(share * width, width - gap));
    return markup`<rect class="mark" x="${x}" y="0" width="${gap}" height="${height}"/>`;
  });
  return markup`<svg role="img" aria-label="${alternative}" viewBox="0 0 ${width} ${height}" preserveAspectRatio="none">${rectangles}${lines}</svg>`;
}

const legends: Readonly<Record<BarPart["kind"], string>> = {
  platform: "platform",
  K3k: "K3k",
  tenants: "promised to tenants",
  used: "used",
  left: "left",
  limit: "all there is",
};

/** What the parts of bars are, in their order: whoever sees no colours goes by that. */
export function legendMarkup(kinds: readonly BarPart["kind"][]): Markup {
  const entries = kinds.map((kind) => {
    const shape =
      kind === "limit"
        ? markup`<rect class="mark" x="4" y="0" width="2" height="10"/>`
        : markup`<rect class="${kind}" x="0" y="0" width="10" height="10"/>`;
    return markup`<li><svg class="swatch" aria-hidden="true" viewBox="0 0 10 10">${shape}</svg> ${legends[kind]}</li>\n`;
  });
  return markup`<p>Bars, from left to right:</p>\n<ul class="legend">\n${entries}</ul>\n`;
}

/** At most two decimals. */
function figure(value: number): string {
  return String(Number(value.toFixed(2)));
}
