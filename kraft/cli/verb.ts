import type { Command } from "commander";
import type { Output } from "./output.ts";

/** What a verb is given when it runs. */
export interface Invocation<Options> {
  /** What stands after the verb without dashes; undefined where an optional one was left out. */
  readonly operands: readonly (string | undefined)[];
  readonly options: Options & CommonOptions;
  readonly output: Output;
}

/** Options that every verb has. */
export interface CommonOptions {
  /** Print JSON on standard output instead of text. */
  readonly json?: boolean;
  /** Folder with the stack files. */
  readonly directory?: string;
}

/** What a verb's exit code says to scripts. */
export const exitCodes = {
  /** All is well. */
  fine: 0,
  /** Something is wrong, or could not be found out. */
  wrong: 1,
  /** The command line is wrong; nothing was looked at. */
  usage: 2,
} as const;

/**
 * One verb of `npm run kraft -- <verb>`, in a file of its own under `verbs/`.
 *
 * Whatever takes long to load is imported in `run`, so that help for all verbs is there at once.
 */
export interface Verb<Options = object> {
  readonly name: string;
  /** One line for the list of verbs. */
  readonly summary: string;
  /** Adds arguments and options. `--json` and `--directory` are there already. */
  define(command: Command): void;
  /** Sentences after the options: what is printed, and what the exit codes mean beyond the usual. */
  readonly details?: string;
  /** Command lines for the help, without `npm run kraft --`. */
  readonly examples: readonly string[];
  /**
   * @returns the exit code
   * @throws Failure, UsageError or ConfigError, whose message is shown to the operator
   */
  run(invocation: Invocation<Options>): Promise<number>;
}
