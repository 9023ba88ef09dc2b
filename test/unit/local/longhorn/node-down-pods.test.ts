import assert from "node:assert/strict";
import { test } from "node:test";
import type { Node } from "../../../../cluster/objects.ts";
import { nodeDownDeletions } from "../../../../local/longhorn/node-down-pods.ts";
import type { PersistentVolume, Pod, VolumeAttachment } from "../../../../local/longhorn/objects.ts";

const now = new Date("2026-11-29T10:00:00Z");
const policy = "delete-both-statefulset-and-deployment-pod";
const node = (name: string, status: string): Node => ({
  metadata: { name },
  status: { conditions: [{ type: "Ready", status }] },
});
const nodes = [node("on", "True"), node("off", "Unknown")];
const persistentVolumes: readonly PersistentVolume[] = [
  {
    metadata: { name: "pv-1" },
    spec: {
      claimRef: { namespace: "k3k-acme", name: "data" },
      csi: { driver: "driver.longhorn.io", volumeHandle: "pv-1" },
    },
  },
];

function pod(owner: string, nodeName = "off", deletionTimestamp: string | null = "2026-11-29T09:59:00Z"): Pod {
  return {
    metadata: {
      name: "server-0",
      namespace: "k3k-acme",
      ownerReferences: [{ kind: owner, controller: true }],
      ...(deletionTimestamp === null ? {} : { deletionTimestamp }),
    },
    spec: { nodeName, volumes: [{ persistentVolumeClaim: { claimName: "data" } }] },
  };
}

function attachment(nodeName: string): VolumeAttachment {
  return {
    metadata: { name: `of-${nodeName}` },
    spec: { attacher: "driver.longhorn.io", nodeName, source: { persistentVolumeName: "pv-1" } },
  };
}

function deleted(pods: readonly Pod[], attachments: readonly VolumeAttachment[] = [], chosen = policy) {
  const found = nodeDownDeletions({ policy: chosen, pods, nodes, persistentVolumes, attachments, now });
  return [found.attachments.map(({ metadata }) => metadata.name), found.pods.length];
}

test("first a pod's attachments go, then the pod", () => {
  assert.deepEqual(deleted([pod("StatefulSet")], [attachment("off"), attachment("on")]), [["of-off"], 0]);
  assert.deepEqual(deleted([pod("StatefulSet")], [attachment("on")]), [[], 1]);
  assert.deepEqual(deleted([pod("ReplicaSet")]), [[], 1]);
});

test("a tenant's pod, which belongs to K3k's Cluster, is left alone: its volume stays on the dead node", () => {
  assert.deepEqual(deleted([pod("Cluster")], [attachment("off")]), [[], 0]);
});

test("nothing goes of a node that is ready, before a pod's time to end is over, or without the policy", () => {
  assert.deepEqual(deleted([pod("StatefulSet", "on")], [attachment("on")]), [[], 0]);
  assert.deepEqual(deleted([pod("StatefulSet", "off", "2026-11-29T10:00:30Z")]), [[], 0]);
  assert.deepEqual(deleted([pod("StatefulSet", "off", null)]), [[], 0]);
  assert.deepEqual(deleted([pod("StatefulSet")], [], "do-nothing"), [[], 0]);
  assert.deepEqual(deleted([pod("ReplicaSet")], [], "delete-statefulset-pod"), [[], 0]);
});
