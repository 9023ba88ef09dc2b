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

for (const stack of stacks.keys()) {
  test(`no URN of stack ${stack} has changed without an alias, and no protection`, async () => {
    const script = new URL("urns.ts", fixtures).pathname;
    const [{ stdout }, recorded] = await Promise.all([
      promisify(execFile)(process.execPath, [script, stack]),
      readFile(new URL(`urns/${stack}.txt`, fixtures), "utf8"),
    ]);
    const [before, now] = [recorded, stdout].map((text) => text.trimEnd().split("\n"));
    const found = complaint(stack, urnsOf(before), urnsOf(now));
    assert.equal(found, undefined, found);
    const declared = now?.filter((line) => !line.startsWith("alias "));
    assert.deepEqual(declared, before, `what is protected has changed: compare with test/fixtures/urns/${stack}.txt`);
  });
}

test("a renamed resource is missed, and found again by its alias", () => {
  const [old, renamed] = ["urn:pulumi:homelab::kraft::t::old", "urn:pulumi:homelab::kraft::t::new"];
  assert.equal(complaint("homelab", [old], [old]), undefined);
  const message = complaint("homelab", [old], [renamed]) ?? "";
  assert.match(message, /no longer declared:\n.*::old\n[^]*`aliases`/);
  assert.match(message, /not recorded yet:\n.*::new\n/);
  assert.doesNotMatch(complaint("homelab", [old], [renamed, `alias ${old}`]) ?? "", /no longer declared/);
  assert.equal(complaint("homelab", [old, renamed], [renamed, `alias ${old}`]), undefined);
});
