import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../../../cluster/objects.ts";
import { comesBack } from "../../../../local/home/restart.ts";

const started = Date.parse("2026-11-29T03:00:00.400Z");

function pod(kind: string, startedAt: string | undefined, ready: "True" | "False", more: object = {}): Pod {
  const state = startedAt === undefined ? {} : { running: { startedAt } };
  return {
    metadata: { name: "a", ownerReferences: [{ kind }], ...more },
    status: { containerStatuses: [{ name: "main", state }], conditions: [{ type: "Ready", status: ready }] },
  };
}

for (const [what, found, expected] of [
  ["its containers are older than the machine", pod("ReplicaSet", "2026-11-29T02:59:59Z", "True"), true],
  ["it started in the second of the machine's start", pod("ReplicaSet", "2026-11-29T03:00:00Z", "True"), false],
  ["it is not ready yet", pod("DaemonSet", "2026-11-29T03:00:05Z", "False"), true],
  ["it waits for its container", pod("DaemonSet", undefined, "False"), true],
  ["it has no status yet", { metadata: { name: "a", ownerReferences: [{ kind: "ReplicaSet" }] } }, true],
  ["it runs again", pod("DaemonSet", "2026-11-29T03:00:05Z", "True"), false],
  ["it is being deleted", pod("ReplicaSet", undefined, "False", { deletionTimestamp: "2026-11-29T03:00:05Z" }), false],
  ["nothing brings it back", pod("Job", "2026-11-29T02:00:00Z", "False"), false],
] as const) {
  test(`a pod after its machine's start: ${what}`, () => {
    assert.equal(comesBack(found, started), expected);
  });
}
