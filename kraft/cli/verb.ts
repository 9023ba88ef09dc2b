import type { Output } from "./output.ts";

/** How the operator starts the tool, as help and messages print it. */
export const invocation = "npx kraft";

/** Options that every verb has. */
export interface CommonOptions {
  /** The stack; left out, the verb takes the default one. */
  readonly stack?: string;
  readonly directory?: string;
  /** Print JSON on standard output instead of text. */
  readonly json?: boolean;
}

/** An operand or option as help shows it: `["--volume <name>", "only this volume"]`. */
export type Parameter = readonly [syntax: string, description: string];

/** What a verb found or did. */
export interface Result {
  /** What `--json` prints. */
  readonly json: unknown;
  /** What is printed otherwise: lines, which are wrapped to the terminal's width, or a document, printed as it is. */
  readonly text: string | readonly string[];
  /** False if anything is wrong, which makes the exit code 1. */
  readonly ok?: boolean;
}

/** Runs a verb, given its operands and options by name. `verbs` are all that there are. */
export type Run<Given> = (
  given: Given & CommonOptions,
  output: Output,
  verbs: readonly Verb[],
) => Result | Promise<Result>;

/**
 * One verb of the tool, as `verbs.ts` lists it. What does the work is `run.ts` in a folder of the verb's name, which is
 * loaded only when the verb runs: help needs none of it.
 */
export interface Verb {
  readonly name: string;
  /** One line for the list of verbs. */
  readonly summary: string;
  /** `<tenant>` is required, `[tenant]` is not. One without a description is not shown. */
  readonly operands?: readonly Parameter[];
  /** The phases of a verb that has some, with what each does. The phase is the last operand. */
  readonly phases?: Readonly<Record<string, string>>;
  readonly needsPhase?: boolean;
  /** Besides `--stack`, `--directory` and `--json`. */
  readonly options?: readonly Parameter[];
  /** What the verb does without `--stack`, if it does not take the only stack whose file names its cluster. */
  readonly defaultStack?: string;
  /** Sentences after the options: what is printed, and what the exit codes mean beyond the usual. */
  readonly details?: readonly string[];
  /** Command lines for the help, without `npx kraft`. */
  readonly examples: readonly string[];
  /** Old ways to write it that still work and that help does not show. */
  readonly old?: {
    /** The stack as the last operand: `check homelab`. */
    readonly stackOperand?: boolean;
    /** The phase as an option, and the stack as the operand: `restore homelab --plan`. */
    readonly phaseOptions?: boolean;
  };
  /** Loads `run.ts`. What `run` throws as Failure, UsageError or ConfigError is shown to the operator. */
  load(): Promise<{ readonly run: Run<never> }>;
}
