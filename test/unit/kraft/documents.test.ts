import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { Command } from "commander";
import { verbs } from "../../../kraft/cli/verbs.ts";

const root = join(import.meta.dirname, "..", "..", "..");
const documents = [...globSync("docs/**/*.md", { cwd: root }), "README.md"].sort();

/** Every command line of the operator's tool in a text, without `npm run kraft --`. */
function commandLines(text: string): string[] {
  return [...text.matchAll(/npm run (?:--silent )?kraft -- ([a-z][^`\n#|]*)/g)].map(([, line = ""]) => line.trim());
}

for (const name of documents) {
  const text = readFileSync(join(root, name), "utf8");

  test(`${name}: every verb and option that it names is there`, () => {
    for (const line of commandLines(text)) {
      const [verb = "", ...rest] = line.split(/\s+/);
      const known = verbs.find((candidate) => candidate.name === verb);
      assert.ok(known, `${line}: no verb ${verb}; there are ${verbs.map((candidate) => candidate.name).join(", ")}`);
      const command = new Command(verb);
      known.define(command);
      const flags = [...command.options.flatMap(({ long, short }) => [long, short]), "--json", "--directory", "--help"];
      for (const flag of rest.filter((word) => /^--?[a-z]/.test(word))) {
        assert.ok(flags.includes(flag.replace(/[,.;:]$/, "")), `${line}: ${verb} has no ${flag}`);
      }
    }
  });

  test(`${name}: every page that it links to is there`, () => {
    for (const [, target = ""] of text.matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)) {
      assert.ok(existsSync(join(root, dirname(name), target)), target);
    }
  });
}
