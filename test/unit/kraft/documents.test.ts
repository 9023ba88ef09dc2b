import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { Command } from "commander";
import { verbs } from "../../../kraft/cli/verbs.ts";

const root = join(import.meta.dirname, "..", "..", "..");
const documents = [...globSync("docs/**/*.md", { cwd: root }), "README.md", "CONTRIBUTING.md", "CHANGELOG.md"].sort();
const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly scripts: Readonly<Record<string, string>>;
};

/** Options of every verb. */
const commonFlags = ["-s", "--stack", "--json", "--directory", "--help"];

/** Every command line of the operator's tool in a text, from the verb on. */
function commandLines(text: string): string[] {
  const found = text.matchAll(/(?:npm run (?:--silent )?kraft --|npx kraft) ([a-z][^`\n#|]*)/g);
  return [...found].map(([, line = ""]) => line.trim());
}

for (const name of documents) {
  const text = readFileSync(join(root, name), "utf8");

  test(`${name}: every verb and option that it names exists`, () => {
    for (const line of commandLines(text)) {
      const [verb = "", ...rest] = line.split(/\s+/);
      const known = verbs.find((candidate) => candidate.name === verb);
      assert.ok(known, `${line}: no verb ${verb}; there are ${verbs.map((candidate) => candidate.name).join(", ")}`);
      const command = new Command(verb);
      known.define(command);
      const flags = [...command.options.flatMap(({ long, short }) => [long, short]), ...commonFlags];
      for (const flag of rest.filter((word) => /^--?[a-z]/.test(word))) {
        assert.ok(flags.includes(flag.replace(/[,.;:]$/, "")), `${line}: ${verb} has no ${flag}`);
      }
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
