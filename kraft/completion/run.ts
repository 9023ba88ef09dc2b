import { join } from "node:path";
import type { Command } from "commander";
import { UsageError } from "../../errors/failure.ts";
import { show } from "../../errors/problem.ts";
import { checkout, stacksWithFile, tenantsOf } from "../../infra/config/stack-file.ts";
import { directoryOf, stackFileNamed } from "../cli/choice.ts";
import { programOf } from "../cli/command-line.ts";
import type { Run } from "../cli/verb.ts";
import { scripts } from "./scripts.ts";

export const run: Run<{ readonly shell: string; readonly words: readonly string[] }> = (
  { shell, words },
  output,
  verbs,
) => {
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

/**
 * What may stand in place of the last of the words after `kraft`, as far as it is written; bash makes three of
 * `--stack=local`. Nothing where it is a file's name, which shells complete by themselves, or something that only the
 * operator knows.
 */
export function completions(words: readonly string[], program: Command): string[] {
  const last = words.at(-1) ?? "";
  const current = last === "=" ? "" : last;
  const before = words.slice(0, -1).filter((word) => word !== "=");
  return candidates(before, current, program).filter((candidate) => candidate.startsWith(current));
}

function candidates(before: readonly string[], current: string, program: Command): string[] {
  const [name, ...rest] = before;
  if (name === undefined || name === "help") {
    const verbs = program.commands.map((command) => command.name());
    return name === undefined ? [...verbs, "help", "--help", "--version"] : verbs;
  }
  const command = program.commands.find((candidate) => candidate.name() === name);
  if (command === undefined) {
    return [];
  }
  const { options, operands, open } = read(command, rest);
  if (open !== undefined && !(open.optional && current.startsWith("-"))) {
    return valuesOf(open.name, [], options);
  }
  const argument = command.registeredArguments.filter(({ description }) => description !== "")[operands];
  const flags = command.options.flatMap(({ hidden, long }) => (hidden || long === undefined ? [] : [long]));
  return current.startsWith("-") || argument === undefined
    ? [...flags, "--help"].filter((flag) => options[flag] === undefined)
    : valuesOf(argument.name(), argument.argChoices ?? [], options);
}

/** What is written already: options with their values, how many operands, and what the value is called that comes next. */
function read(command: Command, words: readonly string[]) {
  const options: Record<string, string> = {};
  let operands = 0;
  let open: { readonly name: string; readonly optional: boolean } | undefined;
  let flag = "";
  for (const word of words) {
    if (open !== undefined && !(open.optional && word.startsWith("-"))) {
      options[flag] = word;
      open = undefined;
    } else if (word.startsWith("-")) {
      const option = command.options.find(({ long, short }) => word === long || word === short);
      flag = option?.long ?? word;
      options[flag] = "";
      const name = /[<[](.*)[>\]]/.exec(option?.flags ?? "")?.[1];
      open = name === undefined ? undefined : { name, optional: option?.optional === true };
    } else {
      operands += 1;
    }
  }
  return { options, operands, open };
}

/** The values of an operand or an option by what help calls it, where they are not `choices`. */
function valuesOf(what: string, choices: readonly string[], options: Readonly<Record<string, string>>): string[] {
  const directory = directoryOf({ directory: options["--directory"] });
  const stacks = stacksWithFile(directory);
  switch (what) {
    case "stack":
      return stacks;
    case "tenant": {
      const chosen = stacks.filter((stack) => (options["--stack"] ?? stack) === stack);
      return [...new Set(chosen.flatMap((stack) => tenantsOf(stackFileNamed(stack, directory))))];
    }
    case "shell":
      return Object.keys(scripts);
    default:
      return [...choices];
  }
}
