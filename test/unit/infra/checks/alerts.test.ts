import assert from "node:assert/strict";
import { test } from "node:test";
import { monitoringSizes, reporterSize } from "../../../../components/plan/monitoring/sizes.ts";
import { alertWarnings } from "../../../../infra/checks/alerts.ts";
import { capacity, type CapacityLoad, decisive } from "../../../../infra/checks/capacity.ts";
import { samples, stack } from "./example.ts";

test("a stack that tells nobody is warned of, and one that nobody misses when it is dark", () => {
  const warned = (name: string, alerts: CapacityLoad["alerts"]) =>
    alertWarnings({ alerts, stack: stack(name) }).map(({ key }) => key);
  assert.deepEqual(warned("homelab", undefined), ["kraft:alerts"]);
  assert.deepEqual(warned("proliant", { ntfy: "https://ntfy.example/t" }), ["kraft:alerts.heartbeat"]);
  assert.deepEqual(warned("homelab", { ntfy: "https://ntfy.example/t", heartbeat: "https://hc.example/x" }), []);
  assert.deepEqual(warned("local", undefined), []);
});

test("what watches the platform is counted exactly where alerts go somewhere", () => {
  const load = { stack: stack("homelab"), tenants: samples, replicas: 2, overcommit: 4, entry: undefined };
  const platform = (alerts: CapacityLoad["alerts"]) =>
    capacity({ ...load, alerts }).map((row) => decisive(row).platform);
  const [cpu, memory, pods] = platform({ ntfy: "https://ntfy.example/t" });
  const [cpuWithout = 0, memoryWithout = 0, podsWithout = 0] = platform(undefined);
  const { prometheus, alertmanager, probes, objects, nodes } = monitoringSizes(load.stack.nodes);
  const once = [prometheus, alertmanager, probes, objects, reporterSize];
  const sum = (figure: "millicpu" | "memoryMebibytes") =>
    once.reduce((all, size) => all + size[figure], 0) + 2 * nodes[figure];
  // With one node lost.
  assert.ok(Math.abs((cpu ?? 0) - cpuWithout - sum("millicpu") / 1000) < 1e-9);
  assert.ok(Math.abs((memory ?? 0) - memoryWithout - sum("memoryMebibytes") / 1024) < 1e-9);
  assert.equal(pods, podsWithout + 7);
});

test("Grafana is one pod more, and is counted only where it is asked for", () => {
  const load = { stack: stack("homelab"), tenants: samples, replicas: 2, overcommit: 4, entry: undefined };
  const alerts = { ntfy: "https://ntfy.example/t" };
  const platform = (dashboards: CapacityLoad["dashboards"]) =>
    capacity({ ...load, alerts, dashboards }).map((row) => decisive(row).platform);
  const [, memoryWithout = 0, podsWithout = 0] = platform(undefined);
  const [, memory = 0, pods] = platform("grafana");
  assert.ok(Math.abs(memory - memoryWithout - monitoringSizes(load.stack.nodes).grafana.memoryMebibytes / 1024) < 1e-9);
  assert.equal(pods, podsWithout + 1);
});

test("a large machine keeps more history", () => {
  assert.deepEqual(monitoringSizes([{ memoryGiB: 32 }, { memoryGiB: 128 }]).history, { days: 7, gibibytes: 1 });
  assert.deepEqual(monitoringSizes([{ memoryGiB: 128 }]).history, { days: 30, gibibytes: 4 });
});
