import assert from "node:assert/strict";
import { test } from "node:test";
import { stacks } from "../../stacks/index.ts";
import { embedded, eventually } from "./embedded.ts";

for (const name of ["homelab", "proliant"]) {
  test(`what Pulumi.${name}.yaml declares comes up on its simulated hardware, and a second look changes nothing`, async () => {
    const stack = stacks.get(name);
    assert.ok(stack);
    const host = await embedded(name);
    try {
      const { api } = host.cluster;
      const up = await host.up();
      assert.deepEqual(
        up.messages.filter(({ severity }) => severity === "error"),
        [],
      );
      const nodes = await api.list("/api/v1/nodes");
      assert.deepEqual(nodes.map((node) => node.metadata.name).sort(), stack.nodes.map((node) => node.name).sort());
      const policies = await api.list("/apis/k3k.io/v1beta1/virtualclusterpolicies");
      assert.ok(policies.length > 0);
      for (const { metadata } of policies) {
        const namespace = metadata.name.replace("tenant-", "k3k-");
        const quotas = `/api/v1/namespaces/${namespace}/resourcequotas/k3k-${metadata.name}`;
        await eventually(quotas, () => api.get(quotas));
        const cluster = metadata.name.replace("tenant-", "");
        const kubelets = `/apis/apps/v1/namespaces/${namespace}/daemonsets/k3k-${cluster}-kubelet`;
        await eventually(kubelets, () => api.get(kubelets));
      }
      assert.deepEqual((await host.preview()).steps, []);
    } finally {
      await host.remove();
    }
  });
}
