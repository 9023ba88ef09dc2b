import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { byteQuantity, cpuQuantity, mebibytes, millicpu } from "../../../../components/plan/size.ts";

test("CPU quantities are read as thousandths", () => {
  assert.deepEqual(["2", "1.5", "0.25", "500m", "1500m"].map(millicpu), [2000, 1500, 250, 500, 1500]);
});

test("byte quantities are read as mebibytes", () => {
  assert.deepEqual(["512Mi", "4Gi", "2Ti"].map(mebibytes), [512, 4096, 2097152]);
});

test("what Kraft does not use is refused, not guessed", () => {
  for (const quantity of ["", "2 cores", "1e3", "-1", "1.2345", "500u"]) {
    assert.throws(() => millicpu(quantity), RangeError, quantity);
  }
  for (const quantity of ["", "4GB", "4G", "1.5Gi", "-1Gi", "4gi"]) {
    assert.throws(() => mebibytes(quantity), RangeError, quantity);
  }
});

test("writing and reading again changes nothing", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 1e6 }), (n) => millicpu(cpuQuantity(n)) === n));
  fc.assert(fc.property(fc.integer({ min: 1, max: 1e9 }), (n) => mebibytes(byteQuantity(n)) === n));
});

test("a quantity is written in its largest whole unit, as the API server prints it", () => {
  assert.deepEqual([500, 1000, 1500, 2000].map(cpuQuantity), ["500m", "1", "1500m", "2"]);
  assert.deepEqual([512, 1024, 1536, 2097152].map(byteQuantity), ["512Mi", "1Gi", "1536Mi", "2Ti"]);
});
