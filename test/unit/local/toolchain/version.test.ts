import assert from "node:assert/strict";
import { test } from "node:test";
import { versionFits } from "../../../../local/toolchain/ready.ts";

test("versions are read with and without v, patch and suffix", () => {
  for (const [found, wanted, fits] of [
    ["v3.215.0", "3.215.0", true],
    ["1.35.4+k3s1", "1.35.4", true],
    ["0.8", "0.8.0", true],
    ["devel", "0.8.0", false],
    ["1", "1.0.0", false],
  ] as const) {
    assert.equal(versionFits(found, wanted, "sameMinor"), fits, found);
  }
});

test("a newer CLI of the same major version does, an older or a next major does not", () => {
  for (const [found, fits] of [
    ["3.215.0", true],
    ["3.215.1", true],
    ["3.270.0", true],
    ["3.214.9", false],
    ["3.99.0", false],
    ["4.0.0", false],
    ["2.999.0", false],
    ["garbage", false],
  ] as const) {
    assert.equal(versionFits(found, "3.215.0", "sameMajorNotOlder"), fits, found);
  }
});

test("of Kubernetes the minor version counts", () => {
  assert.equal(versionFits("1.35.0", "1.35.4", "sameMinor"), true);
  assert.equal(versionFits("1.35.9", "1.35.4", "sameMinor"), true);
  assert.equal(versionFits("1.34.4", "1.35.4", "sameMinor"), false);
  assert.equal(versionFits("2.35.4", "1.35.4", "sameMinor"), false);
});
