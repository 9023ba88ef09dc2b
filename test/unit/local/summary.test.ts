import assert from "node:assert/strict";
import { test } from "node:test";
import type { EngineRun } from "../../../local/engine-run.ts";
import { changeLine } from "../../../local/summary.ts";

const nothing: EngineRun = {
  changes: { same: 234 },
  steps: [],
  looked: 211,
  byHand: [],
  messages: [],
  seconds: 1,
};
const byHand = [{ owner: "acme", object: "NetworkPolicy k3k-acme/kraft-default-deny", what: "deleted" }];

test("what a run did, in one line that claims no more than it looked at", () => {
  for (const [run, expected] of [
    [nothing, "Nothing changed: all 234 resources are as declared, and so are the 211 objects read from the cluster."],
    [{ ...nothing, looked: 0 }, "Nothing changed: all 234 resources are as recorded. The cluster was not looked at."],
    [{ ...nothing, byHand }, "Nothing of the program changed. Changed by hand, and put back: 1 object."],
    [
      { ...nothing, changes: { create: 1, same: 233 }, byHand },
      "1 created, 233 unchanged. Changed by hand, and put back: 1 object.",
    ],
    [{ ...nothing, changes: { update: 2, same: 232 } }, "2 updated, 232 unchanged."],
  ] as const) {
    assert.equal(changeLine(run), expected);
  }
});
