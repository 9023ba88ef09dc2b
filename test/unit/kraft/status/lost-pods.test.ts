import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Pod } from "../../../../cluster/objects.ts";
import { suspendedAtAnnotation } from "../../../../components/plan/lifecycle.ts";
import { syncedName } from "../../../../components/plan/names.ts";
import { answeringGuests, lostPods } from "../../../../kraft/status/lost-pods.ts";

const now = new Date("2026-12-01T20:00:00Z");
const node = "optiplex-1";

function secondsAgo(seconds: number): string {
  return new Date(now.getTime() - seconds * 1000).toISOString();
}

/** A pod of the guest. */
function guestPod(changes: {
  readonly name?: string;
  readonly age?: number;
  readonly phase?: string;
  readonly on?: string;
}): Pod {
  const { name = "db-0", age = 300, phase = "Pending", on } = changes;
  return {
    metadata: { name, namespace: "default", creationTimestamp: secondsAgo(age) },
    spec: { ...(on === undefined ? {} : { nodeName: on }), containers: [] },
    status: { phase },
  };
}

/** K3k's pod on the host for a pod of the guest, from which K3k took its annotations. */
function hostPod(name: string, namespace = "default"): Pod {
  return { metadata: { name: syncedName("acme", { name, namespace }), namespace: "k3k-acme" } };
}

/** K3k's kubelet on a node. */
function kubelet(on: string, age: number, ready = true): Pod {
  return {
    metadata: { name: `k3k-acme-kubelet-${on}`, namespace: "k3k-acme", labels: { type: "agent", mode: "shared" } },
    spec: { nodeName: on, containers: [] },
    status: {
      conditions: [{ type: "Ready", status: ready ? "True" : "False" }],
      containerStatuses: [{ name: "main", state: { running: { startedAt: secondsAgo(age) } } }],
    },
  };
}

function found(inGuest: readonly Pod[], onHost: readonly Pod[]): readonly unknown[] {
  return lostPods("acme", { inGuest, onHost }, now);
}

describe("pods of a guest that the host does not have", () => {
  const settled = kubelet(node, 300);

  test("are told by node, each with the command that brings it back", () => {
    const pods = ["web", "db-0"].map((name) => guestPod({ name, on: node }));
    const elsewhere = guestPod({ name: "cache", on: "optiplex-2", phase: "Running" });
    assert.deepEqual(found([elsewhere, ...pods], [settled, kubelet("optiplex-2", 300)]), [
      {
        critical:
          "its guest has default/db-0, default/web on optiplex-1, and the host has no such pod: " +
          "kubectl -n k3k-acme delete pod -l type=agent --field-selector spec.nodeName=optiplex-1",
      },
      {
        critical:
          "its guest has default/cache on optiplex-2, and the host has no such pod: " +
          "kubectl -n k3k-acme delete pod -l type=agent --field-selector spec.nodeName=optiplex-2",
      },
    ]);
  });

  const lost = guestPod({ on: node });
  const refused = { ...lost, status: { phase: "Pending", reason: "ProviderFailed" } };
  for (const [what, inGuest, onHost] of [
    ["it is on the host", lost, [settled, hostPod("db-0")]],
    ["it is new", guestPod({ on: node, age: 59 }), [settled]],
    ["it ended", guestPod({ on: node, phase: "Succeeded" }), [settled]],
    ["the host refused it", refused, [settled]],
    ["no node has it", guestPod({}), [settled]],
    ["its kubelet of K3k has just started", lost, [kubelet(node, 59)]],
    ["its kubelet of K3k is not ready", lost, [kubelet(node, 300, false)]],
    ["its node has no kubelet of K3k", lost, [kubelet("optiplex-2", 300)]],
  ] as const) {
    test(`one is not missing where ${what}`, () => {
      assert.deepEqual(found([inGuest], onHost), []);
    });
  }

  test("one of the same name in another namespace is another pod", () => {
    assert.equal(found([lost], [settled, hostPod("db-0", "other")]).length, 1);
  });
});

test("a guest is looked into while it should answer", () => {
  const cluster = (name: string, phase: string, metadata: object = {}) => ({
    metadata: { name, namespace: `k3k-${name}`, ...metadata },
    status: { phase },
  });
  const clusters = [
    cluster("acme", "Ready"),
    cluster("blue", "Provisioning"),
    cluster("coral", "Ready", { annotations: { [suspendedAtAnnotation]: "2026-11-30T20:00:00Z" } }),
    cluster("dune", "Ready", { deletionTimestamp: "2026-12-01T19:00:00Z" }),
  ];
  assert.deepEqual(answeringGuests(clusters), ["acme"]);
});
