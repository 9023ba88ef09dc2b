import assert from "node:assert/strict";
import { test } from "node:test";
import { type ChartFile, declaredCharts, withRelease } from "../../../local/charts.ts";

test("Chart.yaml gets the release's version, and its app version always begins with v", () => {
  const text = "apiVersion: v2\nname: k3k\nversion: 1.1.0-rc7\nappVersion: v1.1.0-rc7\n";
  assert.equal(withRelease(text, "1.1.0"), "apiVersion: v2\nname: k3k\nversion: 1.1.0\nappVersion: v1.1.0\n");
  assert.equal(withRelease(text, "v1.21.2"), "apiVersion: v2\nname: k3k\nversion: v1.21.2\nappVersion: v1.21.2\n");
});

test("MetalLB's chart is named only where the entrypoint has an address of its own", () => {
  const files: readonly ChartFile[] = [
    { chart: "traefik", version: "41.0.2", kind: "standIn" },
    { chart: "metallb", version: "0.15.3", kind: "real" },
  ];
  const names = (config: Readonly<Record<string, unknown>>) => declaredCharts(files, config).map(({ chart }) => chart);
  assert.deepEqual(names({}), ["traefik"]);
  assert.deepEqual(names({ "kraft:network": { resolvers: ["192.168.1.1"] } }), ["traefik"]);
  assert.deepEqual(names({ "kraft:network": { entry: "192.168.1.250" } }), ["traefik", "metallb"]);
});
