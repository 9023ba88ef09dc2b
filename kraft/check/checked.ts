import { ConfigError, type Problem, type Warning } from "../../errors/problem.ts";
import { findings } from "../../infra/checks/findings.ts";
import { modelOf, readStackFile } from "../../infra/config/stack-file.ts";
import type { Model } from "../../infra/model.ts";
import type { Table } from "../../infra/table.ts";
import type { Stack } from "../../stacks/index.ts";
import type { DnsName } from "./dns.ts";

/**
 * The findings about one stack. `kraft check --json` prints `{ "stacks": [...] }` of these, in the order of
 * `stacks/index.ts`. Fields are added, never renamed or taken away.
 */
export interface Checked {
  readonly stack: string;
  readonly description: string;
  /** Name of the stack file. */
  readonly file: string;
  /** Whether `problems` is empty. */
  readonly ok: boolean;
  /** Figures of the checks; none where the file could not be understood. The first row holds the headings. */
  readonly tables: readonly Table[];
  readonly warnings: readonly Warning[];
  /** Each would refuse a preview. */
  readonly problems: readonly Problem[];
  /** Null where DNS was not asked. */
  readonly dns: readonly DnsName[] | null;
}

/** Checks one stack's file. */
export function checked(stack: Stack, directory: string, today: Date): Checked {
  return inspect(stack, directory, today).checked;
}

/** Checks one stack's file, and keeps what it says; undefined where it could not be understood. */
export function inspect(
  stack: Stack,
  directory: string,
  today: Date,
): { readonly checked: Checked; readonly model: Model | undefined } {
  let model: Model | undefined;
  let problems: readonly Problem[] = [];
  try {
    model = modelOf(readStackFile(stack, directory));
  } catch (error) {
    if (!(error instanceof ConfigError)) {
      throw error;
    }
    ({ problems } = error);
  }
  const found = model === undefined ? { tables: [], warnings: [], problems } : findings(model, today);
  return {
    model,
    checked: {
      stack: stack.name,
      description: stack.description,
      file: `Pulumi.${stack.name}.yaml`,
      ok: found.problems.length === 0,
      tables: found.tables,
      warnings: found.warnings,
      problems: found.problems,
      dns: null,
    },
  };
}
