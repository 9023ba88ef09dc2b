import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { promisify } from "node:util";
import { stacks } from "../../../stacks/index.ts";

const fixtures = new URL("../../fixtures/", import.meta.url);

/** What is wrong with the URNs of a stack, given those that were recorded; undefined where nothing is. */
function complaint(stack: string, recorded: readonly string[], declared: readonly string[]): string | undefined {
  const known = new Set(declared.map((line) => line.replace(/^alias /, "")));
  const before = new Set(recorded);
  const missing = recorded.filter((urn) => !known.has(urn));
  const added = declared.filter((urn) => !urn.startsWith("alias ") && !before.has(urn));
  const parts = [
    missing.length === 0
      ? ""
      : `no longer declared:\n${missing.join("\n")}\n` +
        "Pulumi would delete these objects and create others. If they were renamed or moved, give each resource an alias of " +
        "its old name or parent (`aliases` in its options); if they are meant to go, remove their lines from the file.",
    added.length === 0 ? "" : `declared, and not recorded yet:\n${added.join("\n")}\nAdd their lines to the file.`,
  ].filter((part) => part !== "");
  return parts.length === 0 ? undefined : `test/fixtures/urns/${stack}.txt\n${parts.join("\n\n")}`;
}

/** The lines without what they say about protection. */
function urnsOf(lines: readonly string[] = []): string[] {
  return lines.map((line) => line.replace(/ {2}.*/, ""));
}

/** What a stack declares, without the optional parts that are named. */
async function printed(stack: string, ...leftOut: readonly string[]): Promise<string> {
  const script = new URL("urns.ts", fixtures).pathname;
  return (await promisify(execFile)(process.execPath, [script, stack, ...leftOut])).stdout;
}

for (const stack of stacks.keys()) {
  test(`no URN of stack ${stack} has changed without an alias, and no protection`, async () => {
    const [stdout, recorded] = await Promise.all([
      printed(stack),
      readFile(new URL(`urns/${stack}.txt`, fixtures), "utf8"),
    ]);
    const [before, now] = [recorded, stdout].map((text) => text.trimEnd().split("\n"));
    const found = complaint(stack, urnsOf(before), urnsOf(now));
    assert.equal(found, undefined, found);
    const declared = now?.filter((line) => !line.startsWith("alias "));
    assert.deepEqual(declared, before, `what is protected has changed: compare with test/fixtures/urns/${stack}.txt`);
  });
}

test("the dashboards are declared beside what is there without them", async () => {
  const [without, recorded] = await Promise.all([
    printed("homelab", "dashboards"),
    readFile(new URL("urns/homelab.txt", fixtures), "utf8"),
  ]);
  const added = recorded.split("\n").filter((line) => !without.split("\n").includes(line));
  assert.equal(added.length, 10, added.join("\n"));
  assert.ok(added.every((line) => line.includes("::dashboards")));
  assert.ok(without.split("\n").every((line) => line.startsWith("alias ") || recorded.split("\n").includes(line)));
});

test("a renamed resource is missed, and found again by its alias", () => {
  const [old, renamed] = ["urn:pulumi:homelab::kraft::t::old", "urn:pulumi:homelab::kraft::t::new"];
  assert.equal(complaint("homelab", [old], [old]), undefined);
  const message = complaint("homelab", [old], [renamed]) ?? "";
  assert.match(message, /no longer declared:\n.*::old\n[^]*`aliases`/);
  assert.match(message, /not recorded yet:\n.*::new\n/);
  assert.doesNotMatch(complaint("homelab", [old], [renamed, `alias ${old}`]) ?? "", /no longer declared/);
  assert.equal(complaint("homelab", [old, renamed], [renamed, `alias ${old}`]), undefined);
});
