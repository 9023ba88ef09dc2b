import { styleText } from "node:util";
import { columnsOf, type Table, tableRows, wrap } from "../../infra/table.ts";

/** A stream that a person or a program reads. */
export type Stream = Pick<NodeJS.WriteStream, "write"> &
  Partial<Pick<NodeJS.WriteStream, "isTTY" | "columns" | "hasColors">>;

/** Milliseconds after which something that is still going on is said to be. */
const patience = 1000;

/** With which every command to a terminal begins. */
const escape = String.fromCharCode(27);

/** What stands for a character that cannot be shown. */
const replacement = "\ufffd";

/** Where a verb writes: results on standard output, everything else on standard error. */
export class Output {
  readonly #results: Stream;
  readonly #notes: Stream;
  readonly #noColor: boolean;
  /** Columns that a line takes at most. */
  readonly width: number;

  constructor(
    results: Stream = process.stdout,
    notes: Stream = process.stderr,
    environment: Readonly<Record<string, string | undefined>> = process.env,
  ) {
    this.#results = results;
    this.#notes = notes;
    // Any value but the empty one switches colour off (no-color.org).
    this.#noColor = (environment["NO_COLOR"] ?? "") !== "";
    const columns = Number(environment["COLUMNS"] ?? 0);
    this.width = Math.max(40, columns > 0 ? columns : (results.columns ?? 80));
  }

  /** How standard output is coloured. */
  get style(): Style {
    return new Style(this.#hasColours(this.#results), this.width);
  }

  /** A result: lines, which are wrapped, or a document, which is printed as it is. */
  print(text: string | readonly string[]): void {
    const lines = typeof text === "string" ? text : wrapped(text.join("\n"), this.width);
    const whole = printable(lines, this.#hasColours(this.#results));
    if (whole !== "") {
      this.#results.write(whole.endsWith("\n") ? whole : `${whole}\n`);
    }
  }

  /** A result for programs. */
  printJson(value: unknown): void {
    this.#results.write(`${JSON.stringify(value, undefined, 2)}\n`);
  }

  /** Something that the operator should read and that is no part of the result. */
  readonly note = (text: string): void => {
    this.#notes.write(`${printable(wrapped(text, this.width), this.#hasColours(this.#notes))}\n`);
  };

  /** Why there is no result. */
  error(text: string): void {
    const style = new Style(this.#hasColours(this.#notes));
    this.note(`${style.bad("kraft:")} ${text}`);
  }

  /**
   * The result of something that may take long. After a second standard error says what is going on: on a terminal in a
   * line that counts the seconds and is taken away at the end, elsewhere in one line that stays.
   */
  async during<Result>(what: string, work: Promise<Result>): Promise<Result> {
    const started = Date.now();
    const terminal = this.#notes.isTTY === true;
    const progress = { shown: false };
    const timer = setInterval(() => {
      const seconds = Math.round((Date.now() - started) / 1000);
      if (terminal) {
        const line = `${what} (${seconds} s)`.slice(0, Math.max(20, (this.#notes.columns ?? 80) - 1));
        this.#notes.write(`\r\u001b[K${line}`);
      } else if (!progress.shown) {
        this.#notes.write(`${what}\n`);
      }
      progress.shown = true;
    }, patience);
    try {
      return await work;
    } finally {
      clearInterval(timer);
      if (progress.shown && terminal) {
        this.#notes.write("\r\u001b[K");
      }
    }
  }

  #hasColours(stream: Stream): boolean {
    return !this.#noColor && stream.isTTY === true && stream.hasColors?.() === true;
  }
}

/** Something that is wrong, or that the operator should know, of a part of the platform. */
export interface Remark {
  readonly subject: string;
  readonly message: string;
}

/** A remark on a line of its own. */
export function remarkLine({ subject, message }: Remark): string {
  return `  ${subject}: ${message}`;
}

/** What `Style` writes: bold, dim, red, green, yellow, and the end of each; and everything that a terminal obeys. */
const controls = new RegExp(`(${escape}\\[(?:1|2|22|31|32|33|39)m)|(?![\\n\\t])[\\p{Cc}\\p{Bidi_Control}]`, "gu");

/**
 * A text without what a terminal obeys, or what changes the order of its letters. Messages of the cluster are partly written by
 * tenants, and by servers that their domains lead to (a failed challenge quotes their answer): they could hide lines.
 */
function printable(text: string, colours: boolean): string {
  return text.replace(controls, (_, colour: string | undefined) => (colours ? colour : undefined) ?? replacement);
}

/** A text whose lines are wrapped, each for itself. */
export function wrapped(text: string, width: number): string {
  return text
    .split("\n")
    .flatMap((line) => wrappedLine(line, width))
    .join("\n");
}

/**
 * A line of prose, wrapped: an indented one with a hanging indent, a part of an error under its own text. Rows of tables
 * and commands, which people copy, stay whole.
 */
function wrappedLine(line: string, width: number): string[] {
  const [start = ""] = /^ *((found|allowed|fix): +)?/.exec(line) ?? [];
  const rest = line.slice(start.length);
  if (
    columnsOf(line) <= width ||
    /\S {2,}\S/.test(rest) ||
    /^(git|kubectl|npm|npx|openssl|pulumi|ssh|ssh-keygen) /.test(rest)
  ) {
    return [line];
  }
  const hanging = /^ +$/.test(start) ? start.length + 2 : start.length;
  const [first = "", ...others] = wrap(rest, width - hanging);
  return [`${start}${first}`, ...others.map((text) => `${" ".repeat(hanging)}${text}`)];
}

/** Text in colour, where there is any. */
export class Style {
  readonly enabled: boolean;
  /** Columns that tables may take. */
  readonly #width: number;

  constructor(enabled: boolean, width = Infinity) {
    this.enabled = enabled;
    this.#width = width;
  }

  readonly title = (text: string): string => this.#in("bold", text);
  readonly good = (text: string): string => this.#in("green", text);
  readonly caution = (text: string): string => this.#in("yellow", text);
  readonly bad = (text: string): string => this.#in("red", text);

  /** Lines of a table under its title, its headings set off from the rest. */
  table({ title, rows }: Table): string[] {
    const [headings = [], ...rest] = tableRows(rows, "  ", this.#width);
    return [
      ...wrap(title, this.#width).map((line) => this.title(line)),
      ...headings.map((line) => this.#in("dim", line)),
      ...rest.flat(),
    ];
  }

  #in(format: "bold" | "dim" | "green" | "red" | "yellow", text: string): string {
    return this.enabled ? styleText(format, text, { validateStream: false }) : text;
  }
}
