/** The colours of a page by scheme. A test measures their contrast. */
export const colours = {
  light: {
    page: "#ffffff",
    panel: "#f3f5f7",
    text: "#1b1f24",
    quiet: "#4d5661",
    rule: "#c9d0d8",
    link: "#0b57b0",
    good: "#17632f",
    critical: "#a3140f",
    warning: "#7a4b00",
    platform: "#4d5661",
    k3k: "#8b3fa8",
    tenants: "#0b57b0",
    track: "#dde2e8",
    mark: "#1b1f24",
  },
  dark: {
    page: "#14171b",
    panel: "#1e2329",
    text: "#e8ebee",
    quiet: "#b0b8c1",
    rule: "#414a54",
    link: "#8abdff",
    good: "#7fd49a",
    critical: "#ff9d94",
    warning: "#f2c063",
    platform: "#98a2ad",
    k3k: "#d79bf0",
    tenants: "#62a5f5",
    track: "#333b44",
    mark: "#e8ebee",
  },
} as const;

function variables(scheme: keyof typeof colours): string {
  return Object.entries(colours[scheme])
    .map(([name, value]) => `--${name}: ${value};`)
    .join(" ");
}

/** Below 58rem the rows of a table are blocks, with each cell under its heading. Paper is always light. */
export const styleSheet = `
:root { color-scheme: light; ${variables("light")} }
@media screen and (prefers-color-scheme: dark) { :root { color-scheme: dark; ${variables("dark")} } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1rem; background: var(--page); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.25rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1.1rem; margin: 0 0 .5rem; }
a { color: var(--link); }
p { margin: .25rem 0; }
header p, caption, dt, thead, .legend { color: var(--quiet); }
nav ul, .legend, .problems { list-style: none; padding: 0; }
nav ul, .legend { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: .5rem 0; }
nav a { display: inline-block; padding: .25rem 0; }
.good { color: var(--good); }
.bad { color: var(--critical); }
.problems { margin: .25rem 0; }
.problems li { border-left: .25rem solid; padding: .1rem 0 .1rem .6rem; margin: .4rem 0; }
.problems .critical { border-color: var(--critical); }
.problems .warning { border-color: var(--warning); border-left-style: dotted; }
.severity { font-weight: 700; text-transform: uppercase; font-size: .8rem; }
.critical .severity { color: var(--critical); }
.warning .severity { color: var(--warning); }
section section { background: var(--panel); border-radius: .5rem; padding: 1rem; margin: 1rem 0; }
dl { margin: .5rem 0; display: flex; flex-wrap: wrap; gap: .5rem 2rem; }
dd { margin: 0; }
table { border-collapse: collapse; width: 100%; margin: .75rem 0; font-variant-numeric: tabular-nums; }
caption { text-align: left; overflow-wrap: anywhere; padding: .25rem 0; }
th, td { text-align: left; vertical-align: top; padding: .35rem 1rem .35rem 0; border-top: 1px solid var(--rule); font-weight: 400; }
tbody th { font-weight: 600; }
table { overflow-wrap: break-word; }
.long { overflow-wrap: anywhere; min-width: 12rem; }
td time { display: block; min-width: 11rem; }
.bar { width: 25%; }
td > .problems { contain: inline-size; min-width: 14rem; }
svg { display: block; width: 100%; min-width: 8rem; height: 1rem; margin: .25rem 0; background: var(--track); }
svg.swatch { display: inline-block; width: .8rem; min-width: 0; height: .8rem; margin: 0; background: none; }
.platform { fill: var(--platform); }
.K3k { fill: var(--k3k); }
.tenants, .used, .left { fill: var(--tenants); }
.mark { fill: var(--mark); stroke: var(--page); paint-order: stroke; }
@media screen and (max-width: 58rem) {
  table, caption, tbody, tr, tbody th, tbody td { display: block; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  tr { border-top: 1px solid var(--rule); padding: .5rem 0; }
  th, td { border: 0; padding: .1rem 0; }
  .bar { width: auto; }
  .long { min-width: 0; }
  tbody td > * { min-width: 0; }
  tbody td { display: grid; grid-template-columns: 7rem minmax(0, 1fr); gap: .5rem; }
  tbody td::before { content: attr(data-heading); content: attr(data-heading) / ""; color: var(--quiet); }
  td > .problems { grid-column: 2; margin: 0; min-width: 0; }
}
@media print {
  :root { font-size: 11px; }
  body { max-width: none; padding: 0; }
  nav { display: none; }
  h2, h3, caption { break-after: avoid; }
  tr, li { break-inside: avoid; }
  svg { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
