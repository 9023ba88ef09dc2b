// A pod that is gone from the host while its guest shows it as running: `kraft status --guests` tells, and its command brings it back.
import assert from "node:assert/strict";
import { test } from "node:test";
import { labelled, paths } from "../../cluster/paths.ts";
import { syncedName } from "../../components/plan/names.ts";
import { eventually } from "../cluster/embedded.ts";
import { guest, host, namespace, readyPod, tenant, tool } from "./home.ts";

test("a pod that somebody deletes on the host is named by status --guests, and is back after the command beside it", async () => {
  const name = await readyPod("shop");
  const said = async (): Promise<string> => (await tool("status", "-s", "local", "--guests", "--json")).stdout;
  assert.doesNotMatch(await said(), /could not be looked into|no such pod/);
  const pods = await host().list(paths.pods.in(namespace));
  const hostName = syncedName(tenant, { name, namespace: "default" });
  const onHost = pods.find(({ metadata }) => metadata.name === hostName) ?? assert.fail(hostName);
  await host().delete(paths.pods.named(namespace, onHost.metadata.name));
  // Each with its grace period.
  const [, node] = await eventually("what status says of it", async () => {
    const found = new RegExp(
      `its guest has default/${name} on (\\S+), and the host has no such pod: kubectl -n ${namespace} delete`,
    );
    return found.exec(await said()) ?? undefined;
  });
  assert.equal(node, onHost.spec?.nodeName);
  const kubelets = await host().list(labelled(paths.pods.in(namespace), "type=agent"));
  for (const { metadata } of kubelets.filter(({ spec }) => spec?.nodeName === node)) {
    await host().delete(paths.pods.named(namespace, metadata.name));
  }
  await eventually(
    "the pod on the host",
    async () => {
      const now = await host().list(paths.pods.in(namespace));
      // K3k 1.1.0's kubelets delete each other's pods when they start: the guest may have another one by now.
      return now.some((pod) => pod.metadata.labels?.["app"] === "shop" && pod.metadata.uid !== onHost.metadata.uid)
        ? true
        : undefined;
    },
    120,
  );
  await readyPod("shop", undefined, 120);
  assert.equal((await (await guest()).list(labelled(paths.pods.in("default"), "app=shop"))).length, 1);
});
