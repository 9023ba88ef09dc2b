import assert from "node:assert/strict";
import { test } from "node:test";
import { stacks } from "../../stacks/index.ts";

// A moved guest brings the addresses of its Services and the ranges of its nodes along: its controller manager does not start
// with others: docs/unproven.md, at `kraft move`.
test("every stack has the same cluster network, so that a tenant can move from any to any", () => {
  const networks = new Set([...stacks.values()].map(({ network }) => JSON.stringify(network)));
  assert.equal(networks.size, 1, [...networks].join("\n"));
});
