import assert from "node:assert/strict";
import { test } from "node:test";
import { quantityOf } from "../../../cluster/quantity.ts";

test("amounts as an API server prints them", () => {
  for (const [text, amount] of [
    ["0", 0],
    ["2", 2],
    ["500m", 0.5],
    ["1.5", 1.5],
    ["3e9", 3e9],
    ["1536Mi", 1536 * 1024 ** 2],
    ["4Gi", 4 * 1024 ** 3],
    ["1k", 1000],
    ["lots", undefined],
    ["", undefined],
    ["-1", undefined],
    ["1 Gi", undefined],
  ] as const) {
    assert.equal(quantityOf(text), amount, text);
  }
});
