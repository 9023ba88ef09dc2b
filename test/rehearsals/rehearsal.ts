import { messageOf } from "../../errors/failure.ts";
import type { Config } from "../cluster/embedded.ts";
import type { Ended } from "../fixtures/kraft/command.ts";
import { EmbeddedHome } from "../live/embedded-home.ts";

/** What was expected, what was found, and whether it holds. Figures without an expectation hold. */
interface Finding {
  readonly what: string;
  readonly found: string;
  readonly holds: boolean;
}

/** Seconds as 3:07. */
export function clock(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** One rehearsal under way: prints each step when it happens, and at the end what was found. */
export class Rehearsal {
  readonly #started = Date.now();
  readonly #findings: Finding[] = [];
  readonly #removals: (() => Promise<void> | void)[] = [];

  /** Seconds since the beginning. */
  get seconds(): number {
    return (Date.now() - this.#started) / 1000;
  }

  /** A home of its own, which is removed at the end, however that comes. */
  home(directory?: string, stack?: string): EmbeddedHome {
    const home = new EmbeddedHome(directory, stack);
    this.removeAtEnd(() => home.remove());
    return home;
  }

  /**
   * Runs what `npm run local` does. On a machine that is busy with other things guests may take longer than it waits; it is
   * then run a second time, which goes on from there, and the table says so.
   */
  async bringUp(home: EmbeddedHome, config: Config = {}): Promise<void> {
    try {
      await home.bringUp(config);
    } catch (error) {
      this.figure("a first run gave up, and a second one went on", messageOf(error).split("\n").slice(-8).join("\n"));
      await home.bringUp(config);
    }
  }

  /** Has something removed at the end, the last one first. */
  removeAtEnd(remove: () => Promise<void> | void): void {
    this.#removals.unshift(remove);
  }

  /** Prints a line with the time since the beginning. */
  note(text: string): void {
    console.log(`[${clock(this.seconds).padStart(5)}] ${text.trim().split("\n").join("\n        ")}`);
  }

  /** Does something, and prints how long it took. */
  async step<Result>(what: string, action: () => Promise<Result>): Promise<Result> {
    this.note(what);
    const started = Date.now();
    const result = await action();
    this.note(`  done in ${clock((Date.now() - started) / 1000)}`);
    return result;
  }

  /** One of several parts that do without each other: where it breaks off, that is a finding, and the next one goes on. */
  async part(what: string, action: () => Promise<void>): Promise<void> {
    try {
      await this.step(what, action);
    } catch (error) {
      this.expect(`${what}: to its end`, messageOf(error), false);
    }
  }

  /** A command of a page, as its reader types it. Prints it, and the end of what it says; a wrong exit code is a finding. */
  async command(line: string, action: () => Promise<Ended>, code = 0): Promise<Ended> {
    this.note(`$ ${line}`);
    const started = Date.now();
    const ended = await action();
    const text = `${ended.stdout}${ended.stderr}`.trim();
    this.note(`${text}\n  exit code ${ended.code ?? "of a signal"} after ${clock((Date.now() - started) / 1000)}`);
    this.expect(`exit code ${code} of: ${line}`, String(ended.code), ended.code === code);
    return ended;
  }

  /** Something that was measured, for the table at the end. */
  figure(what: string, found: string): void {
    this.#findings.push({ what, found, holds: true });
    this.note(`${what}: ${found}`);
  }

  /** Something that must hold: where it does not, the rehearsal goes on, and fails at the end. */
  expect(what: string, found: string, holds: boolean): void {
    this.#findings.push({ what, found, holds });
    if (!holds) {
      this.note(`DOES NOT HOLD: ${what}: ${found}`);
    }
  }

  /** Runs it, removes everything and prints the table. Says whether everything held. */
  async run(action: (rehearsal: Rehearsal) => Promise<void>): Promise<boolean> {
    try {
      await action(this);
    } catch (error) {
      this.expect("the rehearsal came to its end", messageOf(error), false);
    } finally {
      for (const remove of this.#removals) {
        await remove();
      }
    }
    const width = Math.max(...this.#findings.map(({ what }) => what.length));
    console.log("");
    for (const { what, found, holds } of this.#findings) {
      console.log(`${holds ? "  " : "✖ "}${what.padEnd(width)}  ${found}`);
    }
    const failed = this.#findings.filter(({ holds }) => !holds).length;
    console.log(`\n${failed === 0 ? "Everything held" : `${failed} did not hold`}, after ${clock(this.seconds)}.`);
    return failed === 0;
  }
}
