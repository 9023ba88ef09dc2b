import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { remainingSeconds } from "../../../../local/toolchain/build.ts";

test("before anything is compiled the table's time counts, at the end nothing is left", () => {
  assert.equal(remainingSeconds({ compiled: 0, total: 100, elapsedSeconds: 0, expectedSeconds: 360 }), 360);
  assert.equal(remainingSeconds({ compiled: 100, total: 100, elapsedSeconds: 500, expectedSeconds: 360 }), 0);
  assert.equal(remainingSeconds({ compiled: 0, total: 0, elapsedSeconds: 1, expectedSeconds: 36 }), 0);
});

test("half way on a machine of half the speed it is nearer to the machine's pace than to the table's", () => {
  // 360 s for half of what should take 360 s in all: the pace says 360 s more, the table 180 s.
  assert.equal(remainingSeconds({ compiled: 50, total: 100, elapsedSeconds: 360, expectedSeconds: 360 }), 270);
});

test("a build that keeps its pace is never estimated to take longer the further it is", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 3600 }), (total, expectedSeconds) => {
      let previous = Number.POSITIVE_INFINITY;
      for (let compiled = 0; compiled <= total; compiled += Math.ceil(total / 20)) {
        const elapsedSeconds = (compiled / total) * expectedSeconds;
        const rest = remainingSeconds({ compiled, total, elapsedSeconds, expectedSeconds });
        assert.ok(rest >= 0 && rest <= previous + 1e-6);
        previous = rest;
      }
    }),
  );
});
