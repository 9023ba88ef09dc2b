import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { Failure, UsageError } from "../../errors/failure.ts";
import { show } from "../../errors/problem.ts";
import { record } from "../../infra/config/pulumi-files.ts";
import { wrap } from "../../infra/table.ts";
import { writeCredential } from "../kubeconfig/file.ts";
import type { Flags, Question, QuestionName, Questions } from "./questions.ts";

/** Whoever answers questions. */
export interface Prompter {
  /** @param suggestion What is taken if nothing is typed. */
  ask(question: Question, suggestion: string | undefined): Promise<string>;
  confirm(text: string): Promise<boolean>;
}

/** Thrown when somebody gives up in the middle of the questions. */
export class Interrupted extends Failure {
  constructor() {
    super("interrupted; nothing was written\n  The same command goes on: it suggests the answers that you gave.");
  }
}

/** A person at a terminal. Loaded only then, since most verbs ask nothing. */
export async function terminalPrompter(): Promise<Prompter> {
  const [{ default: input }, { default: select }, { default: confirm }] = await Promise.all([
    import("@inquirer/input"),
    import("@inquirer/select"),
    import("@inquirer/confirm"),
  ]);
  // Standard output is for results.
  const context = { output: process.stderr };
  const answered = <Value>(answer: Promise<Value>): Promise<Value> =>
    answer.catch((error: unknown) => {
      throw error instanceof Error && error.name === "ExitPromptError" ? new Interrupted() : error;
    });
  return {
    ask: (question, suggestion) => {
      const { text: message, choices } = question;
      return choices === undefined
        ? answered(
            input(
              {
                message,
                ...(suggestion === undefined || suggestion === "" ? {} : { default: suggestion, prefill: "editable" }),
                validate: (answer) => refusalLines(question.refusal(answer.trim())) ?? true,
              },
              context,
            ),
          )
        : answered(
            select(
              {
                message,
                choices: choices.map(({ value, text: name }) => ({ value, name })),
                ...(suggestion === undefined ? {} : { default: suggestion }),
              },
              context,
            ),
          );
    },
    confirm: (message) => answered(confirm({ message, default: false }, context)),
  };
}

/** What a terminal shows of a refusal, after "> ". */
export function refusalLines(refusal: string | undefined, width = process.stderr.columns || 80): string | undefined {
  return refusal === undefined ? undefined : wrap(refusal, width - 2).join("\n  ");
}

/** The answer that an option gives to a question. */
function flagFor(flags: Flags, name: QuestionName): string | undefined {
  const flag = flags[name];
  return flag === undefined || typeof flag === "string" ? flag : flag.join(" ");
}

/**
 * The answers to questions, from options, from a person, or from what a question falls back to where there is nobody. Answers of a
 * person are kept in `draft`, a file for its owner alone, and suggested the next time; `done` removes it.
 */
export class Interview {
  readonly #questions: Questions;
  readonly #flags: Flags;
  readonly #draft: string;
  readonly #prompter: Prompter | undefined;
  readonly #kept: Record<string, unknown>;
  /** How many questions a person was asked. */
  asked = 0;

  /** Throws a UsageError that names every option whose value does not fit. */
  constructor(questions: Questions, flags: Flags, draft: string, prompter: Prompter | undefined) {
    this.#questions = questions;
    this.#flags = flags;
    this.#draft = draft;
    this.#prompter = prompter;
    this.#kept = prompter === undefined ? {} : readDraft(draft);
    const refused = Object.values(questions).flatMap((question: Question) => {
      const answer = flagFor(flags, question.name);
      const refusal = answer === undefined ? undefined : question.refusal(answer);
      return refusal === undefined ? [] : [`--${question.name} ${show(answer)}\n    ${refusal}`];
    });
    if (refused.length > 0) {
      throw new UsageError(`an answer does not fit\n  ${refused.join("\n  ")}`);
    }
  }

  /** Throws a UsageError that names every option that is missing, if there is nobody to ask. */
  requireFlags(needed: readonly (keyof Flags)[]): void {
    const missing = needed.filter((name) => this.#flags[name] === undefined);
    if (this.#prompter === undefined && missing.length > 0) {
      throw new UsageError(
        `there is no terminal to ask in, and answers are missing\n  ${missing.map((name) => `--${name}`).join(" ")}`,
      );
    }
  }

  async answer(name: QuestionName): Promise<string> {
    const question: Question = this.#questions[name];
    const flag = flagFor(this.#flags, name);
    if (flag !== undefined) {
      return flag;
    }
    if (this.#prompter === undefined) {
      if (question.fallback === undefined) {
        this.requireFlags([name]);
      }
      return question.fallback ?? "";
    }
    const kept = this.#kept[name];
    const suggestion = typeof kept === "string" && question.refusal(kept) === undefined ? kept : question.fallback;
    this.asked += 1;
    const answer = (await this.#prompter.ask(question, suggestion)).trim();
    this.#kept[name] = answer;
    mkdirSync(dirname(this.#draft), { recursive: true, mode: 0o700 });
    writeCredential(this.#draft, `${JSON.stringify(this.#kept, undefined, 2)}\n`, true);
    return answer;
  }

  /** Whether a person says yes; where there is none, nobody says so. */
  async confirmed(text: string): Promise<boolean> {
    if (this.#prompter === undefined) {
      return false;
    }
    this.asked += 1;
    return this.#prompter.confirm(text);
  }

  done(): void {
    rmSync(this.#draft, { force: true });
  }
}

function readDraft(path: string): Record<string, unknown> {
  try {
    return existsSync(path) ? { ...record(JSON.parse(readFileSync(path, "utf8"))) } : {};
  } catch {
    // It only holds suggestions.
    return {};
  }
}
