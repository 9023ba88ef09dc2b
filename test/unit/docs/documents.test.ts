import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import type { Command, Option } from "commander";
import { programOf } from "../../../kraft/cli/command-line.ts";
import { Output } from "../../../kraft/cli/output.ts";
import { verbs } from "../../../kraft/cli/verbs.ts";

const root = join(import.meta.dirname, "..", "..", "..");
const documents = [...globSync("docs/**/*.md", { cwd: root }), "README.md", "CONTRIBUTING.md", "CHANGELOG.md"].sort();
const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly scripts: Readonly<Record<string, string>>;
};

const program = programOf(verbs, new Output());

/** Every command line of the operator's tool in a text, without `npx kraft`. */
function commandLines(text: string): string[] {
  return [...text.matchAll(/npx kraft ([a-z][^`\n#|>]*)/g)].map(([, line = ""]) => line.trim());
}

for (const name of documents) {
  const text = readFileSync(join(root, name), "utf8");

  test(`${name}: every verb, operand and option that it names exists`, () => {
    for (const line of commandLines(text)) {
      const [verb = "", ...rest] = line.split(/\s+/);
      const command = program.commands.find((candidate) => candidate.name() === verb);
      assert.ok(command, `${line}: no verb ${verb}; there are ${verbs.map((candidate) => candidate.name).join(", ")}`);
      const operands = [];
      // The option before a word, until it has its value.
      let open: Option | undefined;
      for (const word of rest) {
        if (/^--?[a-z]/.test(word)) {
          const option = optionOf(command, word);
          assert.ok(option ?? word === "--help", `${line}: ${verb} has no ${word}`);
          assert.ok(option?.hidden !== true, `${line}: ${word} is an old form`);
          open = option?.required === true || option?.optional === true ? option : undefined;
        } else if (/^[\w<]/.test(word)) {
          if (open === undefined) {
            operands.push(word);
          }
          open = open?.variadic === true ? open : undefined;
        }
      }
      const taken = command.registeredArguments.filter(({ description }) => description !== "").length;
      assert.ok(operands.length <= taken, `${line}: ${operands.join(" ")}`);
    }
  });

  test(`${name}: every npm script that it names exists`, () => {
    for (const [, script = ""] of text.matchAll(/npm run (?:--silent |-s )?([a-z][a-z:]*)/g)) {
      assert.ok(script in scripts, script);
    }
  });

  test(`${name}: every page that it links to exists`, () => {
    for (const [, target = ""] of text.matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)) {
      assert.ok(existsSync(join(root, dirname(name), target)), target);
    }
  });

  test(`${name}: every heading that it links to exists`, () => {
    for (const [, page = "", anchor = ""] of text.matchAll(/\]\((?!https?:)([^)#]*)#([^)]+)\)/g)) {
      const linked = page === "" ? text : readFileSync(join(root, dirname(name), page), "utf8");
      const anchors = [...linked.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
        heading
          .toLowerCase()
          .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
          .replaceAll(" ", "-"),
      );
      assert.ok(anchors.includes(anchor), `${page}#${anchor}`);
    }
  });

  test(`${name}: every source file and folder that it names exists`, () => {
    const folders = "errors|stacks|components|cluster|infra|kraft|local|test|docs|\\.github";
    for (const [, path = ""] of text.matchAll(new RegExp(`\`((?:${folders})/[^\`\\s<>|{}]*)\``, "g"))) {
      assert.ok(globSync(path, { cwd: root }).length > 0, path);
    }
  });
}

function optionOf(command: Command, word: string): Option | undefined {
  const flag = word.replace(/[,.;:]$/, "");
  return command.options.find(({ long, short }) => flag === long || flag === short);
}
