import { styleText } from "node:util";
import type { Table } from "../../infra/table.ts";
import { table } from "../../infra/table.ts";

/** A stream that a person or a program reads. */
export type Stream = Pick<NodeJS.WriteStream, "write"> &
  Partial<Pick<NodeJS.WriteStream, "isTTY" | "columns" | "hasColors">>;

/** Milliseconds after which something that is still going on is said to be. */
const patience = 1000;

/** Where a verb writes: results on standard output, everything else on standard error. */
export class Output {
  readonly #results: Stream;
  readonly #notes: Stream;
  readonly #noColor: boolean;

  constructor(
    results: Stream = process.stdout,
    notes: Stream = process.stderr,
    environment: Readonly<Record<string, string | undefined>> = process.env,
  ) {
    this.#results = results;
    this.#notes = notes;
    // Any value but the empty one switches colour off (no-color.org).
    this.#noColor = (environment["NO_COLOR"] ?? "") !== "";
  }

  /** How standard output is coloured. */
  get style(): Style {
    return new Style(this.#colours(this.#results));
  }

  /** A result: whole lines, or a text that ends with its line break. */
  print(text: string | readonly string[]): void {
    const whole = typeof text === "string" ? text : text.join("\n");
    this.#results.write(whole.endsWith("\n") ? whole : `${whole}\n`);
  }

  /** A result for programs. */
  printJson(value: unknown): void {
    this.#results.write(`${JSON.stringify(value, undefined, 2)}\n`);
  }

  /** Something that the operator should read and that is no part of the result. */
  note(text: string): void {
    this.#notes.write(`${text}\n`);
  }

  /** Why there is no result. */
  error(text: string): void {
    const style = new Style(this.#colours(this.#notes));
    this.#notes.write(`${style.bad("kraft:")} ${text}\n`);
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

  #colours(stream: Stream): boolean {
    return !this.#noColor && stream.isTTY === true && stream.hasColors?.() === true;
  }
}

/** Text in colour, where there is any. */
export class Style {
  readonly enabled: boolean;

  constructor(enabled: boolean) {
    this.enabled = enabled;
  }

  title(text: string): string {
    return this.#in("bold", text);
  }

  good(text: string): string {
    return this.#in("green", text);
  }

  caution(text: string): string {
    return this.#in("yellow", text);
  }

  bad(text: string): string {
    return this.#in("red", text);
  }

  /** Lines of a table under its title, its headings set off from the rest. */
  table({ title, rows }: Table): string[] {
    const [headings, ...rest] = table(rows);
    return [this.title(title), ...(headings === undefined ? [] : [this.#in("dim", headings)]), ...rest];
  }

  #in(format: "bold" | "dim" | "green" | "red" | "yellow", text: string): string {
    return this.enabled ? styleText(format, text, { validateStream: false }) : text;
  }
}
