import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { stacks } from "../../stacks/index.ts";
import { type Config, type Embedded, embedded, eventually } from "./embedded.ts";
import { killWithDescendants } from "./kill.ts";

for (const [name, config] of [
  ["homelab", {}],
  // Nothing is ever sent: no container runs.
  [
    "proliant",
    {
      "kraft:alerts": { ntfy: "http://ntfy.test/kraft", heartbeat: "http://heartbeat.test/kraft" },
      "kraft:dashboards": "grafana",
    },
  ],
] as const) {
  describe(`what Pulumi.${name}.yaml declares, on its simulated hardware`, () => {
    let host: Embedded;

    before(async () => {
      host = await embedded(name);
    });

    after(async () => {
      await host.remove();
    });

    test("an up that is killed on the way, and the next one finishes it", async () => {
      await killedUp(host, config);
      const up = await host.up(config);
      assert.deepEqual(
        up.messages.filter(({ severity }) => severity === "error"),
        [],
      );
      assert.deepEqual(
        up.steps.filter(({ operation }) => operation !== "create"),
        [],
      );
    });

    test("the stack's own nodes, and K3k's objects for every tenant", async () => {
      const { api } = host.cluster;
      const nodes = await api.list("/api/v1/nodes");
      assert.deepEqual(
        nodes.map((node) => node.metadata.name).sort(),
        stacks
          .get(name)
          ?.nodes.map((node) => node.name)
          .sort(),
      );
      const clusters = await api.list("/apis/k3k.io/v1beta1/clusters");
      assert.equal(clusters.length, 2);
      for (const { metadata } of clusters) {
        const namespace = `namespaces/k3k-${metadata.name}`;
        for (const path of [
          `/api/v1/${namespace}/resourcequotas/k3k-tenant-${metadata.name}`,
          `/api/v1/${namespace}/limitranges/k3k-tenant-${metadata.name}`,
          `/apis/apps/v1/${namespace}/statefulsets/k3k-${metadata.name}-server`,
          `/apis/apps/v1/${namespace}/daemonsets/k3k-${metadata.name}-kubelet`,
        ]) {
          await eventually(path, () => api.get(path));
        }
      }
    });

    test("the platform is watched where alerts go somewhere, and nowhere else", async () => {
      const { api } = host.cluster;
      const [deployments, nodes] = await Promise.all([
        api.list("/apis/apps/v1/namespaces/monitoring/deployments"),
        api.list("/apis/apps/v1/namespaces/node-exporter/daemonsets"),
      ]);
      assert.deepEqual(
        [...deployments, ...nodes].map(({ metadata }) => metadata.name),
        "kraft:alerts" in config
          ? ["alertmanager", "blackbox-exporter", "object-exporter", "prometheus", "node-exporter"]
          : [],
      );
    });

    test("a second look finds nothing to change", async () => {
      assert.deepEqual((await host.preview(config)).steps, []);
    });

    if ("kraft:dashboards" in config) {
      test("the dashboards can be taken away again", async () => {
        const { api } = host.cluster;
        const grafana = "/apis/apps/v1/namespaces/grafana/deployments/grafana";
        assert.notEqual(await api.get(grafana), undefined);
        await host.up({ ...config, "kraft:dashboards": undefined });
        assert.equal(await api.get(grafana), undefined);
      });

      test("so can all that watches the platform, and come back", async () => {
        const { api } = host.cluster;
        const rest = { ...config, "kraft:dashboards": undefined };
        await host.up({ ...rest, "kraft:alerts": undefined });
        for (const namespace of ["monitoring", "node-exporter", "tenant-reports"]) {
          assert.equal(await api.get(`/api/v1/namespaces/${namespace}`), undefined, namespace);
        }
        assert.deepEqual((await host.preview({ ...rest, "kraft:alerts": undefined })).steps, []);
        await host.up(rest);
        assert.deepEqual((await host.preview(rest)).steps, []);
      });
    }
  });
}

/** Starts an `up` and kills it, with the engine and its provider, once it has begun to create. */
async function killedUp(host: Embedded, config: Config): Promise<void> {
  const child = host.start("up", config);
  await eventually("the first objects", () => host.cluster.api.get("/api/v1/namespaces/k3k-system"), 120);
  await sleep(Math.random() * 8000);
  await killWithDescendants(child);
}
