import { join } from "node:path";
import { UsageError } from "../../errors/failure.ts";
import { show } from "../../errors/problem.ts";
import { checkout } from "../../infra/config/stack-file.ts";
import { programOf } from "../cli/command-line.ts";
import type { Run } from "../cli/verb.ts";
import { completions } from "./completions.ts";
import { scripts } from "./scripts.ts";

interface Given {
  readonly shell: string;
  readonly words: readonly string[];
}

export const run: Run<Given> = ({ shell, words }, output, verbs) => {
  const script = scripts[shell];
  if (script === undefined) {
    throw new UsageError(`there is no completion for ${show(shell)}\n  allowed: ${Object.keys(scripts).join(", ")}`);
  }
  if (words.length > 0) {
    const found = completions(words, programOf(verbs, output));
    return { json: found, text: found };
  }
  const text = script(join(checkout, "bin", "kraft.mjs"));
  return { json: { shell, script: text }, text };
};
