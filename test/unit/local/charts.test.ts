import assert from "node:assert/strict";
import { test } from "node:test";
import { withRelease } from "../../../local/charts.ts";

test("Chart.yaml gets the release's version, and its app version always begins with v", () => {
  const text = "apiVersion: v2\nname: k3k\nversion: 1.1.0-rc7\nappVersion: v1.1.0-rc7\n";
  assert.equal(withRelease(text, "1.1.0"), "apiVersion: v2\nname: k3k\nversion: 1.1.0\nappVersion: v1.1.0\n");
  assert.equal(withRelease(text, "v1.21.2"), "apiVersion: v2\nname: k3k\nversion: v1.21.2\nappVersion: v1.21.2\n");
});
