import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hasEnded, lastEnd, type Pod } from "../../../cluster/objects.ts";

function pod(name: string, status: NonNullable<Pod["status"]>, volumes: object[] = []): Pod {
  return { metadata: { name }, spec: { volumes }, status };
}

const media = { name: "data", persistentVolumeClaim: { claimName: "media" } };

function ended(at: string, volumes: object[] = [media]): Pod {
  return pod(
    "job",
    { phase: "Succeeded", containerStatuses: [{ state: { terminated: { finishedAt: at } } }] },
    volumes,
  );
}

test("a pod is at its end only when its phase says so", () => {
  for (const phase of ["Pending", "Running", "Unknown", undefined]) {
    assert.ok(!hasEnded(pod("web", phase === undefined ? {} : { phase })), phase);
  }
  for (const phase of ["Succeeded", "Failed"]) {
    assert.ok(hasEnded(pod("web", { phase })), phase);
  }
});

describe("when the last pod with a claim had ended", () => {
  for (const [what, pods, expected] of [
    ["none did", [pod("web", { phase: "Running" }, [media])], undefined],
    ["the latest of several", [ended("2026-11-25T02:00:00Z"), ended("2026-11-25T01:00:00Z")], "2026-11-25T02:00:00Z"],
    [
      "with another claim",
      [ended("2026-11-25T01:00:00Z", [{ ...media, persistentVolumeClaim: { claimName: "other" } }])],
      undefined,
    ],
    ["with none", [ended("2026-11-25T01:00:00Z", [{ name: "data", emptyDir: {} }])], undefined],
    [
      "evicted: its containers say nothing",
      [pod("web", { phase: "Failed", conditions: [{ lastTransitionTime: "2026-11-25T03:00:00Z" }, {}] }, [media])],
      "2026-11-25T03:00:00Z",
    ],
    [
      "whatever its API server left out",
      [pod("web", { phase: "Failed", conditions: null, containerStatuses: null }, [media])],
      undefined,
    ],
  ] as const) {
    test(what, () => {
      assert.equal(lastEnd(pods, "media"), expected);
    });
  }
  test("a generic ephemeral volume is its pod's", () => {
    assert.equal(
      lastEnd([ended("2026-11-25T01:00:00Z", [{ name: "data", ephemeral: {} }])], "job-data"),
      "2026-11-25T01:00:00Z",
    );
  });
});
