import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import type { Command, Option } from "commander";
import { programOf } from "../../../kraft/cli/command-line.ts";
import { Output } from "../../../kraft/cli/output.ts";
import { verbs } from "../../../kraft/cli/verbs.ts";

const root = join(import.meta.dirname, "..", "..", "..");
const documents = [...globSync("docs/**/*.md", { cwd: root }), "README.md"].sort();

const program = programOf(verbs, new Output());

/** Every command line of the operator's tool in a text, without `npx kraft`. */
function commandLines(text: string): string[] {
  return [...text.matchAll(/npx kraft ([a-z][^`\n#|>]*)/g)].map(([, line = ""]) => line.trim());
}

for (const name of documents) {
  const text = readFileSync(join(root, name), "utf8");

  test(`${name}: every verb, operand and option that it names is there`, () => {
    for (const line of commandLines(text)) {
      const [verb = "", ...rest] = line.split(/\s+/);
      const command = program.commands.find((candidate) => candidate.name() === verb);
      assert.ok(command, `${line}: no verb ${verb}; there are ${verbs.map((candidate) => candidate.name).join(", ")}`);
      const operands = [];
      for (const [index, word] of rest.entries()) {
        const option = optionOf(command, word);
        if (/^--?[a-z]/.test(word)) {
          assert.ok(option ?? word === "--help", `${line}: ${verb} has no ${word}`);
          assert.ok(option?.hidden !== true, `${line}: ${word} is an old form`);
        } else if (/^[\w<]/.test(word) && !isValue(command, rest.slice(0, index))) {
          operands.push(word);
        }
      }
      const taken = command.registeredArguments.filter(({ description }) => description !== "").length;
      assert.ok(operands.length <= taken, `${line}: ${operands.join(" ")}`);
    }
  });

  test(`${name}: every page that it links to is there`, () => {
    for (const [, target = ""] of text.matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)) {
      assert.ok(existsSync(join(root, dirname(name), target)), target);
    }
  });
}

function optionOf(command: Command, word: string): Option | undefined {
  const flag = word.replace(/[,.;:]$/, "");
  return command.options.find(({ long, short }) => flag === long || flag === short);
}

/** Whether a word is the value of the option before it. */
function isValue(command: Command, before: readonly string[]): boolean {
  const previous = optionOf(command, before.at(-1) ?? "");
  const last = optionOf(command, before.findLast((word) => word.startsWith("-")) ?? "");
  return previous?.required === true || last?.variadic === true;
}
