import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { stacks } from "../../stacks/index.ts";
import { type Embedded, embedded, eventually } from "./embedded.ts";
import { killWithDescendants } from "./kill.ts";

for (const name of ["homelab", "proliant"]) {
  describe(`what Pulumi.${name}.yaml declares, on its simulated hardware`, () => {
    let host: Embedded;

    before(async () => {
      host = await embedded(name);
    });

    after(async () => {
      await host.remove();
    });

    test("an up that is killed on the way, and the next one finishes it", async () => {
      await killedUp(host);
      const up = await host.up();
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

    test("a second look finds nothing to change", async () => {
      assert.deepEqual((await host.preview()).steps, []);
    });
  });
}

/** Starts an `up` and kills it, with the engine and its provider, once it has begun to create. */
async function killedUp(host: Embedded): Promise<void> {
  const child = host.start("up");
  await eventually("the first objects", () => host.cluster.api.get("/api/v1/namespaces/k3k-system"), 120);
  await sleep(Math.random() * 8000);
  await killWithDescendants(child);
}
