import { createHash } from "node:crypto";
import type { Remark } from "../../cli/output.ts";
import type { StatusProblem } from "../report.ts";
import { barMarkup, legendMarkup } from "./bar.ts";
import { Markup, markup } from "./markup.ts";
import type { Bar, Block, Cell, Page, PageTable, Section, Time } from "./page.ts";
import { styleSheet } from "./style.ts";

/** Characters from which a word may be broken. */
const longWord = 24;

/**
 * A page as one HTML file. It loads nothing and runs nothing, which its policy makes certain: the style sheet in it is
 * allowed by its hash, and everything else is forbidden.
 */
export function pageHtml(page: Page): string {
  const hash = createHash("sha256").update(styleSheet).digest("base64");
  const policy = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
  const { title, heading, made, source, verdict, problems, sections } = page;
  const state = problems.length === 0 ? "good" : "bad";
  return markup`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>${Markup.asWritten(styleSheet)}</style>
</head>
<body>
<header>
<h1>${heading}</h1>
<p>Made ${time(made)} by <code>kraft status</code>; “ago” and “in” count from then.</p>
<p>${source}</p>
</header>
<nav aria-label="Parts of this page">
<ul>
${sections.map((section, index) => markup`<li><a href="#${idOf(index)}">${section.title}</a></li>\n`)}</ul>
</nav>
<main>
<section aria-labelledby="problems">
<h2 id="problems" class="${state}">${verdict}</h2>
${problemList(problems, true)}</section>
${sections.map((section, index) => sectionMarkup(section, idOf(index), markup`h2`))}</main>
</body>
</html>
`.text;
}

function idOf(index: number): string {
  return `part-${index + 1}`;
}

function sectionMarkup({ title, blocks, sections = [] }: Section, id: string, heading: Markup): Markup {
  return markup`<section aria-labelledby="${id}">
<${heading} id="${id}">${title}</${heading}>
${blocks.map(blockMarkup)}${sections.map((section, index) => sectionMarkup(section, `${id}-${index + 1}`, markup`h3`))}</section>
`;
}

function blockMarkup(block: Block): Markup {
  if ("text" in block) {
    return markup`<p>${block.text}</p>\n`;
  }
  if ("facts" in block) {
    return markup`<dl>\n${block.facts.map(([name, value]) => markup`<div><dt>${name}</dt><dd>${cellMarkup(value)}</dd></div>\n`)}</dl>\n`;
  }
  if ("remarks" in block) {
    return markup`<ul>\n${block.remarks.map((remark) => markup`<li>${remarkMarkup(remark)}</li>\n`)}</ul>\n`;
  }
  if ("problems" in block) {
    return problemList(block.problems, false);
  }
  return "legend" in block ? legendMarkup(block.legend) : tableMarkup(block);
}

function remarkMarkup({ subject, message }: Remark): Markup {
  return markup`<b>${subject}</b>: ${message}`;
}

/** What is wrong, how urgent that is in words, and of what where the place does not say it. */
function problemList(problems: readonly StatusProblem[], withSubject: boolean): Markup {
  const items = problems.map(
    (problem) =>
      markup`<li class="${problem.severity}"><span class="severity">${problem.severity}</span> ${withSubject ? remarkMarkup(problem) : problem.message}</li>\n`,
  );
  return items.length === 0 ? markup`` : markup`<ul class="problems">\n${items}</ul>\n`;
}

/** Roles repeat what the elements are: on a narrow screen rows are blocks, and browsers then forget it. */
function tableMarkup({ caption, headings, rows }: PageTable): Markup {
  if (rows.length === 0) {
    return markup`<p>${caption}: none.</p>\n`;
  }
  const head = headings.map((heading) =>
    heading === "" ? markup`<td role="cell"></td>` : markup`<th scope="col" role="columnheader">${heading}</th>`,
  );
  const body = rows.map(
    ([first, ...others]) =>
      markup`<tr role="row"><th scope="row" role="rowheader"${classOf(first)}>${cellMarkup(first)}</th>${others.map(
        (cell, index) =>
          markup`<td role="cell"${classOf(cell)} data-heading="${headings[index + 1] ?? ""}">${cellMarkup(cell)}</td>`,
      )}</tr>\n`,
  );
  return markup`<table role="table">
<caption>${caption}</caption>
<thead role="rowgroup"><tr role="row">${head}</tr></thead>
<tbody role="rowgroup">
${body}</tbody>
</table>
`;
}

function cellMarkup(cell: Cell): Markup {
  if (typeof cell === "string") {
    return markup`${cell}`;
  }
  if (isBar(cell)) {
    return barMarkup(cell);
  }
  return "at" in cell ? time(cell) : markup`${cell.text}${problemList(cell.problems, false)}`;
}

/** A bar gets its share of a table's width, and a name that is too long for a column is broken anywhere. */
function classOf(cell: Cell): Markup {
  const words = (typeof cell === "string" ? cell : "text" in cell ? cell.text : "").split(/\s/);
  const isLong = words.some((word) => word.length > longWord);
  return isBar(cell) ? markup` class="bar"` : isLong ? markup` class="long"` : markup``;
}

function isBar(cell: Cell): cell is Bar {
  return typeof cell === "object" && "parts" in cell;
}

function time({ at, text }: Time): Markup {
  return markup`<time datetime="${at}">${text}</time>`;
}
