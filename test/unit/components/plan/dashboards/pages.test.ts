import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pages } from "../../../../../components/plan/dashboards/pages.ts";
import { prometheusSource } from "../../../../../components/plan/dashboards/panels.ts";
import { terminalReporter } from "../../../../../local/terminal.ts";
import { readyTools, toolPath, type Tools } from "../../../../../local/toolchain/ready.ts";
import { isKept } from "../monitoring/kept.ts";
import { world } from "./world.ts";

/** A panel as Grafana reads it. */
interface Panel {
  readonly id: number;
  readonly title: string;
  readonly description: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource: object;
  readonly targets: readonly {
    readonly refId: string;
    readonly expr: string;
    readonly legendFormat: string;
    readonly datasource: object;
  }[];
}

const folder = mkdtempSync(join(tmpdir(), "kraft-dashboards-"));
let tools: Tools;

before(async () => {
  tools = await readyTools(terminalReporter(), ["rules"]);
});

after(() => {
  rmSync(folder, { recursive: true, force: true });
});

function panelsOf(page: (typeof pages)[number]): readonly Panel[] {
  return JSON.parse(JSON.stringify(page.panels)) as readonly Panel[];
}

/** What promtool says of expressions that find nothing in the world, or are none; empty where each finds something. */
function complaint(expressions: readonly string[]): string {
  const file = join(folder, "test.json");
  const asked = expressions.map((expr) => ({
    expr: `count(${expr.replaceAll("$tenant", "acme")}) > bool 0`,
    eval_time: "120m",
    exp_samples: [{ labels: "{}", value: 1 }],
  }));
  const input_series = Object.entries(world).map(([series, values]) => ({ series, values }));
  writeFileSync(file, JSON.stringify({ tests: [{ interval: "1m", input_series, promql_expr_test: asked }] }));
  const { status, stdout, stderr } = spawnSync(toolPath(tools, "promtool"), ["test", "rules", file], {
    encoding: "utf8",
  });
  return status === 0 ? "" : `${stdout}${stderr}`;
}

test("what the dashboards are tried with is what Prometheus keeps", () => {
  for (const series of Object.keys(world)) {
    assert.ok(isKept(series), series);
  }
  assert.ok(!isKept("node_memory_MemFree_bytes"));
});

for (const page of pages) {
  test(`every panel of ${page.title ?? ""} draws what Prometheus keeps`, () => {
    for (const { title, targets, datasource } of panelsOf(page)) {
      assert.notEqual(targets.length, 0, title);
      assert.deepEqual(datasource, prometheusSource, title);
      assert.ok(
        targets.every((target) => JSON.stringify(target.datasource) === JSON.stringify(prometheusSource)),
        title,
      );
      assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length, title);
    }
    const expressions = panelsOf(page).flatMap(({ targets }) => targets.map(({ expr }) => expr));
    const variables = expressions.flatMap((expr) => expr.match(/\$[a-z]\w*/g) ?? []);
    const known = (page.templating.list ?? []).map(({ name }) => `$${name}`);
    assert.deepEqual([...new Set(variables)], known);
    const found = complaint(expressions);
    assert.equal(found, "", found);
  });

  test(`the panels of ${page.title ?? ""} lie beside each other, each with a number and a description`, () => {
    const panels = panelsOf(page);
    const taken = new Map<string, string>();
    for (const { title, description, gridPos } of panels) {
      assert.notEqual(description, "", title);
      assert.ok(gridPos.x + gridPos.w <= 24, title);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          assert.equal(taken.get(`${x} ${y}`), undefined, `${title} lies on ${taken.get(`${x} ${y}`)}`);
          taken.set(`${x} ${y}`, title);
        }
      }
    }
    const height = Math.max(...panels.map(({ gridPos }) => gridPos.y + gridPos.h));
    assert.equal(taken.size, 24 * height, "there is a hole");
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  });
}

test("no two dashboards have one address or one title, and nobody can change them", () => {
  assert.equal(new Set(pages.map(({ uid }) => uid)).size, pages.length);
  assert.equal(new Set(pages.map(({ title }) => title)).size, pages.length);
  assert.ok(pages.every(({ editable }) => editable === false));
});

/** The largest figure that a query of a panel finds in the world. */
const figures: readonly (readonly [uid: string, title: string, legend: string, value: number])[] = [
  ["kraft-house", "Alerts", "firing", 1],
  ["kraft-house", "Sites", "Sites", 0],
  ["kraft-house", "Platform", "Platform", 1],
  ["kraft-tenant", "Allowance", "{{resource}}", 0.25],
  ["kraft-tenant", "Volumes", "{{persistentvolumeclaim}}", 0.6],
  ["kraft-backups", "Failed backups", "failed", 0],
  ["kraft-backups", "Copies of each volume", "{{tenant}} {{pvc}}", 2],
  ["kraft-backups", "Last backup against its schedule", "{{tenant}} {{pvc}}", (7200 - 1) / (24 * 3600)],
  // Three nodes of 32 GB use 12 each, and two remain; 110 pods fit on a node.
  ["kraft-capacity", "Used of what remains without the largest node", "Memory", 36 / 64],
  ["kraft-capacity", "Used of what remains without the largest node", "Pods", 60 / 220],
  ["kraft-capacity", "Disks of volumes", "without the largest", 800e9],
];

test("figures are what they are called", () => {
  for (const [uid, title, legend, value] of figures) {
    const page = pages.find((one) => one.uid === uid) ?? assert.fail(uid);
    const targets = panelsOf(page)
      .filter((panel) => panel.title === title)
      .flatMap((panel) => panel.targets);
    const { expr } = targets.find(({ legendFormat }) => legendFormat === legend) ?? assert.fail(`${title}: ${legend}`);
    const found = complaint([`max(${expr}) == ${value}`]);
    assert.equal(found, "", `${title}: ${found}`);
  }
});

test("a misspelt figure, one that is not kept, and a slip in an expression are each noticed", () => {
  assert.equal(complaint(["node_memory_MemTotal_bytes"]), "");
  for (const wrong of [
    "node_memory_MemTotel_bytes",
    "node_network_receive_bytes_total",
    'up{job="kubelets"}',
    "sum(node_memory_MemTotal_bytes",
  ]) {
    assert.notEqual(complaint(["up", wrong]), "", wrong);
  }
});
