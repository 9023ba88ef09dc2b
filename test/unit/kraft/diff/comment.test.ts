import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Change, Operation } from "../../../../kraft/diff/change.ts";
import { comment, commentLimit, marker, refusedComment } from "../../../../kraft/diff/comment.ts";
import { verdictOn } from "../../../../kraft/diff/confirmation.ts";
import { headline } from "../../../../kraft/diff/text.ts";
import { change } from "./samples.ts";

const now = new Date("2026-11-23T12:00:00Z");
const of = (...changes: Change[]) => comment(changes, { stack: "local", verdict: verdictOn(changes, "", now) });

test("the first line says who is affected, tenants before the platform", () => {
  for (const [changes, expected] of [
    [[], "No changes on local."],
    [[change("update")], "Affects acme on local: 1 changed. Nothing is deleted or replaced."],
    [
      [change("create", { owner: "platform" }), change("delete", { owner: "zoe" }), change("create", { owner: "zoe" })],
      "Affects zoe and the platform on local: 1 deleted, 2 new.",
    ],
  ] as const) {
    assert.equal(headline(changes, "local"), expected);
    assert.equal(of(...changes).split("\n")[0], `**${expected}**`);
  }
});

test("what is lost stands above everything else, with the line that would confirm it", () => {
  const text = of(
    change("create", { owner: "blue" }),
    change("delete", { kind: "PersistentVolumeClaim", name: "data", loss: "the volume", kept: true }),
  );
  const [lost, line, blue] = ["| the volume |", "Kraft-confirm: acme 2026-11-23", "### blue"].map((part) =>
    text.indexOf(part),
  );
  assert.ok(lost !== undefined && line !== undefined && blue !== undefined);
  assert.ok(0 < lost && lost < line && line < blue, text);
  assert.match(text, /deleted \(stays in the cluster, unmanaged\)/);
});

test("many or long fields are folded", () => {
  const few = of(change("update", { fields: [{ path: "a", old: 1, new: 2 }] }));
  assert.ok(few.includes("`a`: `1` → `2`") && !few.includes("<details>"), few);
  const long = of(change("update", { fields: [{ path: "a", old: "x".repeat(100), new: 2 }] }));
  assert.ok(long.includes(`- a: ${"x".repeat(100)}`) && long.includes("<details>"), long);
  const fields = Array.from({ length: 5 }, (_, index) => ({ path: `f${index}`, new: index }));
  const many = of(change("update", { fields }));
  assert.ok(many.includes("and 2 more, below") && many.includes("+ f4: 4"), many);
});

test("the marker is the last line, and there once", () => {
  for (const text of [of(), of(change("update")), refusedComment("local", "wrong")]) {
    assert.equal(text.trimEnd().split("\n").at(-1), marker);
    assert.equal(text.split(marker).length, 2);
  }
});

const anyChange: fc.Arbitrary<Change> = fc
  .record({
    operation: fc.constantFrom<Operation>("create", "update", "replace", "delete"),
    owner: fc.constantFrom("acme", "blue", "platform"),
    kind: fc.string({ minLength: 1 }),
    name: fc.string({ minLength: 1, maxLength: 3000 }),
    loss: fc.constantFrom("the volume", undefined),
    fields: fc.array(
      fc.record({ path: fc.string(), old: fc.string({ unit: "grapheme" }), new: fc.string({ maxLength: 5000 }) }),
    ),
  })
  .map(({ loss, ...rest }) => change(rest.operation, { ...rest, loss }));

test("no comment is longer than GitHub accepts, and every one keeps its first line and its marker", () => {
  const heavy = fc.array(anyChange, { size: "+2", maxLength: 400 });
  fc.assert(
    fc.property(heavy, (changes) => {
      const text = of(...changes);
      assert.ok(Buffer.byteLength(text) <= commentLimit, `${Buffer.byteLength(text)}`);
      assert.ok(text.startsWith(`**${headline(changes, "local")}**`));
      assert.ok(text.trimEnd().endsWith(marker));
    }),
    { numRuns: 50 },
  );
});

test("a comment that is too long loses its folded parts first, then its last rows, and says so", () => {
  const fields = [{ path: "spec", old: "x".repeat(40_000), new: "y" }];
  const folded = of(change("update", { fields }), change("update", { owner: "blue", fields }));
  assert.equal(folded.split("<details>").length, 2);
  assert.match(folded, /The other fields do not fit/);
  const rows = of(...Array.from({ length: 2000 }, (_, index) => change("update", { name: `settings-${index}` })));
  assert.match(rows, /Cut here/);
  assert.ok(Buffer.byteLength(rows) > commentLimit - 200);
});

test("nothing of an object is read as Markdown, HTML or a mention", () => {
  const evil = "a|b`c\n<img src=x> @everyone [x](https://example.org) --> ```";
  const text = of(
    change("update", { name: evil, fields: [{ path: evil, old: evil, new: "x".repeat(100) }] }),
    change("delete", { name: evil, loss: "the volume" }),
    change("create", { name: evil }),
  );
  const outside = text
    .replace(/^(`{3,})diff\n.*?^\1$/gms, "")
    .replace(/^(`{3,})\n.*?^\1$/gms, "")
    .replace(/`[^`\n]*`/g, "");
  assert.ok(!/<img|@everyone|example\.org/.test(outside), outside);
  for (const row of text.split("\n").filter((line) => line.startsWith("| `"))) {
    assert.equal(row.replaceAll("\\|", "").split("|").length, 5, row);
  }
});
