import assert from "node:assert/strict";
import { before, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import * as command from "@pulumi/command";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { HostCluster } from "../../../components/host-cluster.ts";

/** Resources in the order in which the engine begins and ends with them. */
const order: string[] = [];

before(async () => {
  await pulumi.runtime.setMocks({
    newResource: async ({ type, name, id, inputs }) => {
      if (type !== "pulumi:pulumi:Stack") {
        order.push(name);
      }
      if (type === "command:local:Command") {
        await setTimeout(300);
        order.push(`${name} is ready`);
      }
      return { id: (id ?? "") === "" ? `${name}-id` : id, state: { ...(inputs as object), metadata: { uid: "uid" } } };
    },
    call: () => ({}),
  });
  await pulumi.runtime.runInPulumiStack(async () => {
    const machine = new command.local.Command("machine", { create: "true" });
    const args = { kubeconfig: "config", context: "host", uid: "uid", identifier: "kraft-example" };
    const host = new HostCluster("host", args, { dependsOn: [machine] });
    // What the platform declares with this provider, in no dependency of its own on the machines.
    new kubernetes.core.v1.ConfigMap("object", {}, { provider: host.provider });
    await new Promise((resolve) => host.uid.apply(resolve));
    order.push("uid is known");
    return {};
  });
  await pulumi.runtime.disconnect();
});

test("nothing is asked of the API server before the machines are ready", () => {
  assert.deepEqual(order.slice(0, 2), ["machine", "machine is ready"]);
  assert.deepEqual(order.slice(2).sort(), ["host", "host-kube-system", "host-provider", "object", "uid is known"]);
});
