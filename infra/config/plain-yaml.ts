import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  LineCounter,
  parseAllDocuments,
  type Scalar,
  visit,
} from "yaml";
import { type Problem, show } from "../../errors/problem.ts";
import { domainIn } from "./keys/values.ts";
import { secretKeys } from "./schema.ts";

/**
 * Reads the YAML that the Pulumi CLI and Kraft read alike. Pulumi's library (gopkg.in/yaml.v3) keeps much of YAML 1.1 and
 * reads UTF-16; ours has YAML 1.2. Whatever one of them would read otherwise is a problem here, and so is whatever
 * would let an edit of one tenant change another: anchors, aliases and merge keys. What each of them reads is compared by
 * test/unit/infra/config/engine.test.ts.
 */
export function readPlainYaml(
  bytes: Uint8Array,
  file: string,
): { readonly value: unknown; readonly problems: readonly Problem[] } {
  const { text, problems: encoding } = decoded(bytes, file);
  if (encoding.length > 0) {
    return { value: undefined, problems: encoding };
  }
  const lines = new LineCounter();
  const [document, second] = parseAllDocuments(text, { lineCounter: lines, uniqueKeys: false, prettyErrors: false });
  if (document === undefined) {
    return { value: null, problems: [] };
  }
  const reader: Reader = {
    file,
    text,
    document,
    place: (offset) => {
      const { line, col } = lines.linePos(offset);
      return `line ${line}, column ${col}`;
    },
  };
  const problems = [
    ...syntaxProblems(reader),
    ...(second === undefined ? [] : [secondDocument(reader, second.range[0])]),
    ...directiveProblems(reader),
  ];
  if (problems.length > 0) {
    return { value: undefined, problems };
  }
  const differing = differingProblems(reader);
  return { value: differing.length > 0 ? undefined : document.toJS(), problems: differing };
}

interface Reader {
  readonly file: string;
  readonly text: string;
  readonly document: Document.Parsed;
  readonly place: (offset: number) => string;
}

/** `kraft:tenants.acme.domains[0]`, as `pulumi config set --path` takes it. */
export function keyPath(path: readonly (string | number)[]): string {
  return path.reduce<string>((key, part, index) => {
    if (typeof part === "number") {
      return `${key}[${part}]`;
    }
    if (index === 0) {
      return part;
    }
    return /^[A-Za-z0-9_-]+$/.test(part) ? `${key}.${part}` : `${key}[${JSON.stringify(part)}]`;
  }, "");
}

// What gopkg.in/yaml.v3 takes for printable, without the line breaks that YAML 1.2 does not have (its section 5.4).
const unreadable = /[^\t\n\r\x20-\x7E\xA0-\u2027\u202A-\uD7FF\uE000-\uFEFE\uFF00-\uFFFD\u{10000}-\u{10FFFF}]|\r(?!\n)/u;

function decoded(bytes: Uint8Array, file: string): { readonly text: string; readonly problems: readonly Problem[] } {
  const allowed = "text in UTF-8";
  const refused = (found: string, fix: string) => ({ text: "", problems: [{ key: file, found, allowed, fix }] });
  const start = [...bytes.subarray(0, 4)];
  // Its byte order mark, or the zeros of its letters.
  if (["255,254", "254,255"].includes(String(start.slice(0, 2))) || start.includes(0)) {
    const fix = `iconv -f UTF-16 -t UTF-8 ${file} > utf8.yaml && mv utf8.yaml ${file}; \`>\` of Windows PowerShell writes UTF-16`;
    return refused("text in UTF-16", fix);
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return refused("bytes that are not UTF-8", `iconv -f ISO-8859-1 -t UTF-8 ${file} > utf8.yaml, and compare the two`);
  }
  const character = unreadable.exec(text);
  if (character !== null) {
    const line = text.slice(0, character.index).split("\n").length;
    const code = character[0].codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0");
    return refused(`the character U+${code} in line ${line}`, "remove it, or write the line anew");
  }
  return { text, problems: [] };
}

/** What the commonest errors of syntax need; the others get the fix for all. */
const syntaxFixes: Partial<Record<string, { readonly allowed: string; readonly fix: string }>> = {
  TAB_AS_INDENT: { allowed: "spaces at the start of a line", fix: "replace the tab with two spaces for each level" },
  BAD_SCALAR_START: {
    allowed: "text that begins with a letter or digit; other text in quotes",
    fix: "put the value in quotes",
  },
  BAD_DQ_ESCAPE: { allowed: "known escapes after a backslash", fix: "use single quotes, in which a backslash is one" },
  BLOCK_AS_IMPLICIT_KEY: {
    allowed: "one key a line, as far in as its neighbours; a value that holds `: ` in quotes",
    fix: "indent the line like the one before it, or put its value in quotes",
  },
  MULTILINE_IMPLICIT_KEY: { allowed: "a colon and a space after each key", fix: "put a space after the colon" },
  MISSING_CHAR: {
    allowed: "a closing quote or bracket for each that is opened, and a space before #",
    fix: "add what is missing",
  },
  BAD_INDENT: {
    allowed: "keys of one map in the same column, and a closing bracket for each that is opened",
    fix: "indent the line like its neighbours, or close the bracket before it",
  },
};

/** The first error of syntax: those after it mostly follow from it. */
function syntaxProblems(reader: Reader): Problem[] {
  const [error] = reader.document.errors;
  if (error === undefined) {
    return [];
  }
  const { allowed, fix } = syntaxFixes[error.code] ?? {
    allowed: "YAML",
    fix: "compare the line with its neighbours: indentation, brackets, quotes, a space after each colon",
  };
  const [offset] = error.pos;
  return [{ key: keyAt(reader, offset), found: `${reader.place(offset)}: ${error.message}`, allowed, fix }];
}

function secondDocument(reader: Reader, offset: number): Problem {
  return {
    key: reader.file,
    found: `${reader.place(offset)}: a second document, which Pulumi does not read`,
    allowed: "one document",
    fix: "remove the line `---`, and put all keys under one `config:`",
  };
}

function directiveProblems({ file, text }: Reader): Problem[] {
  const [directive] = /^%\S.*/m.exec(text.split(/^---/m, 1)[0] ?? "") ?? [];
  return directive === undefined
    ? []
    : [{ key: file, found: show(directive), allowed: "no YAML directives", fix: "remove the line" }];
}

const writtenOut = "each value written out where it is used: an edit of one tenant must never change another";

/** What is read otherwise by Pulumi or, through aliases, changes with something else. Days are read as Pulumi reads them. */
function differingProblems(reader: Reader): Problem[] {
  const { document, place, text } = reader;
  const problems: Problem[] = [];
  const add = (offset: number, found: string, allowed: string, fix: string) => {
    const key = keyAt(reader, offset);
    // What stands there may be a secret in clear text, which no message may show.
    const hidden = [...secretKeys].some((name) => key === `kraft:${name}`);
    const shown = hidden
      ? { found: "a value that does not fit", fix: `pulumi config set --secret ${key}` }
      : { found, fix };
    problems.push({ key, found: `${place(offset)}: ${shown.found}`, allowed, fix: shown.fix });
  };
  /** Anchor and tag in front of a node. */
  const addMarks = (node: { readonly anchor?: string; readonly tag?: string }, start: number) => {
    if (node.anchor !== undefined) {
      add(start, `the anchor &${node.anchor}`, writtenOut, `remove &${node.anchor}`);
    }
    if (node.tag !== undefined) {
      add(start, `the tag ${tagIn(text, start) ?? node.tag}`, "values without tags", "remove it; text goes in quotes");
    }
  };
  visit(document, {
    Node(_, node) {
      const [start = 0] = node.range ?? [];
      if (isAlias(node)) {
        const domain = domainIn(`*${node.source}`);
        const alias = `*${node.source}`;
        if (domain === undefined) {
          add(start, `the alias ${alias}`, writtenOut, `write the value out; a text that begins with * needs quotes`);
        } else {
          add(
            start,
            `${alias}, which YAML takes for an alias`,
            "domain names without wildcards: each covers all names under it",
            `write ${domain}`,
          );
        }
        return undefined;
      }
      addMarks(node, start);
      if (isScalar(node) && typeof node.source === "string") {
        const source = text.slice(start, node.range?.[1]);
        if (node.type === "PLAIN") {
          const number = strangeNumber(node.source);
          if (number !== undefined) {
            const fix = `write ${Number.isFinite(number) ? `${number}, or ` : ""}${JSON.stringify(node.source)} in quotes`;
            add(start, node.source, "numbers in decimal, without leading zeros and underscores", fix);
          }
          if (node.source.startsWith("?")) {
            add(start, node.source, "text that begins with ? in quotes", `write ${JSON.stringify(node.source)}`);
          }
          if (isTimestamp(node.source)) {
            add(start, node.source, "a day without a time, or text in quotes", `write ${JSON.stringify(node.source)}`);
          }
          node.value = dayAsPulumiHasIt(node.source) ?? node.value;
        } else if (node.type === "QUOTE_DOUBLE" && /(?<!\\)(\\\\)*\\\//.test(source)) {
          add(start, source, "a slash without a backslash", "write / in place of \\/");
        }
      }
      return undefined;
    },
    Map(_, { items, ...node }) {
      addMarks(node, node.range?.[0] ?? 0);
      const seen = new Map<string, number>();
      let merges = false;
      for (const { key } of items) {
        const [start = 0] = (key as { range?: [number] } | null)?.range ?? [];
        if (isScalar(key) && key.type === "PLAIN" && key.value === "<<") {
          add(start, "the merge key <<", writtenOut, "write the keys out in place of this line");
          merges = true;
          continue;
        }
        if (!isScalar(key) || keyName(key) === "") {
          add(
            start,
            isScalar(key) ? "an empty key" : "a list or map as a key",
            "text as a key",
            "write the key's name",
          );
          continue;
        }
        const name = keyName(key);
        const first = seen.get(name);
        if (first === undefined) {
          seen.set(name, start);
        } else {
          const fix = "join the two entries in one, or rename one of them";
          add(start, `the key a second time; it is in ${place(first)} already`, "each key once in a map", fix);
        }
      }
      return merges && items.length === 1 ? visit.SKIP : undefined;
    },
    Pair(_, { key }) {
      // Its alias is no second problem.
      return isScalar(key) && key.value === "<<" ? visit.SKIP : undefined;
    },
  });
  return problems;
}

/** The name that a key of a map gets; empty for none. */
function keyName({ value }: Scalar): string {
  return typeof value === "string"
    ? value
    : typeof value === "number" || typeof value === "boolean"
      ? String(value)
      : "";
}

function tagIn(text: string, start: number): string | undefined {
  return /(!\S*)\s*$/.exec(text.slice(0, start))?.[1] ?? /^!\S*/.exec(text.slice(start))?.[0];
}

/**
 * A number that only one of the two libraries takes for one, 010, 1_000 or 0b11; Infinity for one that has more digits than a
 * number here can hold, and for .inf and .nan.
 */
function strangeNumber(source: string): number | undefined {
  if (/^([-+]?\.inf|\.nan)$/i.test(source)) {
    return Infinity;
  }
  const digits = source.replaceAll("_", "");
  if (!/^[-+.0-9]/.test(source)) {
    return undefined;
  }
  const [, sign = "", octal] = /^([-+]?)0[oO]?([0-7]+)$/.exec(digits) ?? [];
  const [, based] = /^[-+]?(0[bB][01]+|0[xX][0-9a-fA-F]+)$/.exec(digits) ?? [];
  const decimal = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/.test(digits);
  const amount =
    octal !== undefined
      ? Number.parseInt(octal, 8) * (sign === "-" ? -1 : 1)
      : based !== undefined
        ? Number(based) * (digits.startsWith("-") ? -1 : 1)
        : decimal
          ? Number(digits)
          : undefined;
  if (amount !== undefined && Math.abs(amount) > Number.MAX_SAFE_INTEGER) {
    return Infinity;
  }
  return /^[-+]?(0|[1-9][0-9]*)?(\.[0-9]*)?([eE][-+]?[0-9]+)?$/.test(source) ? undefined : amount;
}

/** A day with a time, as gopkg.in/yaml.v3 knows it: it reaches the program in words of Go's. */
function isTimestamp(source: string): boolean {
  return /^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt]|\s+)[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}/.test(source);
}

/** An unquoted day is a timestamp to gopkg.in/yaml.v3, and Pulumi passes that on as Go prints it. */
function dayAsPulumiHasIt(source: string): string | undefined {
  const [, year, month = "", day = ""] = /^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})$/.exec(source) ?? [];
  if (year === undefined) {
    return undefined;
  }
  const date = `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`;
  const time = Date.parse(`${date}T00:00:00Z`);
  const exists = !Number.isNaN(time) && new Date(time).toISOString().startsWith(date);
  return exists ? `${date} 00:00:00 +0000 UTC` : undefined;
}

/** The key whose value, or name, is at an offset of the text; the file where it is none. */
function keyAt({ document, file }: Reader, offset: number): string {
  const path: (string | number)[] = [];
  let node: unknown = document.contents;
  while (isCollection(node)) {
    const items = node.items as unknown[];
    const index = items.findLastIndex((item) => startOf(item) <= offset);
    const item = items[index];
    if (item === undefined) {
      break;
    }
    if (isMap(node) && isPair(item)) {
      const key = isScalar(item.key) ? keyName(item.key) : "";
      // Where the syntax is wrong, two lines can look like one key.
      if (key === "" || key === "<<" || /\s/.test(key)) {
        break;
      }
      path.push(key);
      node = item.value;
    } else {
      path.push(index);
      node = item;
    }
  }
  const own = path[0] === "config" && path.length > 1 ? path.slice(1) : path;
  return own.length === 0 ? file : keyPath(own);
}

function startOf(item: unknown): number {
  const node = isPair(item) ? item.key : item;
  const range = (node as { range?: readonly [number, number, number] | null } | null)?.range;
  return range?.[0] ?? Infinity;
}
