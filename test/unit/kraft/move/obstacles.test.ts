import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LiveTenant } from "../../../../cluster/live-state.ts";
import type { Volume } from "../../../../cluster/objects.ts";
import { movedAtAnnotation } from "../../../../components/plan/lifecycle.ts";
import type { MoveCluster } from "../../../../kraft/move/clusters.ts";
import { type MovePhase, obstacles } from "../../../../kraft/move/obstacles.ts";
import { doneChecks, progressOf } from "../../../../kraft/move/progress.ts";
import { liveTenant } from "../../infra/guards/example.ts";

const movedTo = { to: "proliant", at: "2026-11-25T19:00:00.000Z" };
const suspendedAt = "2026-11-25T18:00:00Z";

/** Neither cluster is asked anything here. */
function hostOf(uid: string): MoveCluster["host"] {
  const never = (): never => assert.fail("asked");
  return { uid, context: uid, get: never, list: never, names: never, apply: never, merge: never, delete: never };
}

function volume(
  name: string,
  change: Partial<NonNullable<Volume["spec"]> & { readonly Standby: boolean }> = {},
): Volume {
  return {
    metadata: { name },
    spec: change,
    status: {
      lastBackup: "backup-1",
      lastBackupAt: "2026-11-25T12:00:00Z",
      kubernetesStatus: { namespace: "k3k-acme", pvcName: name, pvStatus: "Bound" },
    },
  };
}

function cluster(
  stack: string,
  tenant: Partial<LiveTenant> | undefined,
  change: Partial<MoveCluster> = {},
): MoveCluster {
  const found = tenant && liveTenant("acme", tenant);
  return {
    stack,
    host: hostOf(stack),
    tenant: found,
    volumes: [],
    allVolumes: [],
    writers: [],
    token: "token",
    guestPhase: undefined,
    ...change,
  };
}

/** A volume that a pod used until then. */
function used(lastPodRefAt: string, { namespace = "k3k-acme", pvName = "pvc-acme" } = {}): Volume {
  return {
    metadata: { name: "pvc-acme", annotations: { [movedAtAnnotation]: movedTo.at } },
    status: { kubernetesStatus: { namespace, pvName, pvcName: "pvc-acme", pvStatus: "Bound", lastPodRefAt } },
  };
}

const prepared = { guest: false, claims: [] };

function found(phase: MovePhase, source: MoveCluster, target: MoveCluster): string {
  return obstacles(phase, { tenant: "acme", source, target }).join("\n");
}

describe("nothing is in the way", () => {
  for (const [phase, source, target] of [
    ["copy", {}, prepared],
    ["copy", { suspendedAt }, prepared],
    ["cutover", { suspendedAt }, prepared],
    ["cutover", { suspendedAt, movedTo }, prepared],
    ["back", { suspendedAt, movedTo }, prepared],
    ["back", { suspendedAt, movedTo }, { ...prepared, arrivedFrom: "homelab" }],
    ["back", { suspendedAt }, { ...prepared, arrivedFrom: "homelab" }],
    ["done", {}, prepared],
  ] as const) {
    test(`of ${phase}: ${JSON.stringify(source)}, ${JSON.stringify(target)}`, () => {
      assert.equal(found(phase, cluster("homelab", source), cluster("proliant", target)), "");
    });
  }
});

describe("what is in the way is said, with what to do", () => {
  const running = cluster("homelab", {}, { writers: ["k3k-acme-server-0"] });
  for (const [what, phase, source, target, expected] of [
    [
      "both files name one cluster",
      "copy",
      cluster("homelab", {}),
      cluster("homelab", prepared),
      /are the same cluster/,
    ],
    [
      "nothing to move",
      "copy",
      cluster("homelab", undefined),
      cluster("proliant", prepared),
      /there is nothing to move/,
    ],
    ["archived there", "cutover", cluster("homelab", { guest: false }), cluster("proliant", prepared), /no guest acme/],
    ["no namespace here", "copy", cluster("homelab", {}), cluster("proliant", undefined), /yet: pulumi up -s proliant/],
    ["a namesake", "copy", cluster("homelab", {}), cluster("proliant", {}), /has a guest acme of its own/],
    [
      "here already",
      "cutover",
      cluster("homelab", { suspendedAt, movedTo }),
      cluster("proliant", { arrivedFrom: "homelab" }),
      /runs on proliant already: npx kraft move acme done/,
    ],
    [
      "another token",
      "copy",
      cluster("homelab", {}),
      cluster("proliant", prepared, { token: "other" }),
      /would not open its data: set kraft:sourceTokenSeed/,
    ],
    [
      "moving elsewhere",
      "cutover",
      cluster("homelab", { suspendedAt, movedTo: { ...movedTo, to: "attic" } }),
      cluster("proliant", prepared),
      /acme is moving from homelab to attic, not to proliant/,
    ],
    [
      "copies after the cutover began",
      "copy",
      cluster("homelab", { suspendedAt, movedTo }),
      cluster("proliant", prepared),
      /the cutover began at .* continue with npx kraft move acme cutover/,
    ],
    [
      "not suspended",
      "cutover",
      cluster("homelab", {}),
      cluster("proliant", prepared),
      /state: suspended in Pulumi\.homelab/,
    ],
    [
      "pods that write",
      "cutover",
      running,
      cluster("proliant", prepared),
      /run on homelab and may write: k3k-acme-server-0/,
    ],
    [
      "the tenant's own pods",
      "cutover",
      cluster("homelab", { suspendedAt, pods: ["shop-1"] }),
      cluster("proliant", prepared),
      /may write: shop-1; kubectl delete pods --all --namespace k3k-acme/,
    ],
    [
      "a claim without a volume",
      "copy",
      cluster("homelab", { claims: [{ name: "media" }] }),
      cluster("proliant", prepared),
      /wait for a volume, and would not move: media/,
    ],
    [
      "back once the guest was there",
      "back",
      cluster("homelab", { suspendedAt, movedTo }),
      cluster("proliant", { arrivedFrom: "homelab" }),
      /what it wrote there is nowhere else/,
    ],
    [
      "back once the guest was there and was archived",
      "back",
      cluster("homelab", { suspendedAt, movedTo }),
      cluster("proliant", { ...prepared, arrivedFrom: "homelab" }, { allVolumes: [used("2026-11-25T20:00:00Z")] }),
      /^the guest acme ran on proliant already, .*homelab \(pvc-acme until 2026-11-25T20:00:00Z\): bring it back on proliant/,
    ],
    [
      "back to what was purged",
      "back",
      cluster("homelab", undefined),
      cluster("proliant", { ...prepared, arrivedFrom: "homelab" }),
      /^homelab has no namespace k3k-acme any more: there is nothing to go back to$/,
    ],
    ["back from nothing", "back", cluster("homelab", {}), cluster("proliant", prepared), /nothing to take back/],
  ] as const) {
    test(what, () => {
      assert.match(found(phase, source, target), expected);
    });
  }

  test("back: what pods wrote before the move came with it", () => {
    const source = cluster("homelab", { suspendedAt, movedTo });
    const wayBack = (onTarget: Volume): string =>
      found("back", source, cluster("proliant", prepared, { allVolumes: [onTarget] }));
    assert.equal(wayBack(used("2026-11-25T18:59:59Z")), "");
    assert.equal(wayBack(used("2026-11-25T20:00:00Z", { namespace: "k3k-blue" })), "");
    assert.equal(
      wayBack(used("2026-11-25T20:00:00Z", { pvName: "" })),
      "",
      "the backup was made after the move had begun",
    );
    assert.match(wayBack(used("2026-11-25T19:00:01Z")), /ran on proliant already/);
  });

  test("everything at once", () => {
    const lines = found("cutover", running, cluster("proliant", undefined)).split("\n");
    assert.equal(lines.length, 3, lines.join("\n"));
  });
});

describe("where a move stands", () => {
  const volumes = [volume("pvc-acme")];
  const source = (change: Partial<LiveTenant> = {}): MoveCluster =>
    cluster("homelab", change, { volumes, allVolumes: volumes });
  const standby = [volume("pvc-acme", { Standby: true })];
  const own = [volume("pvc-acme", { Standby: false })];
  const cases: readonly (readonly [MoveCluster, MoveCluster, string, string, RegExp])[] = [
    [source(), cluster("proliant", prepared), "before", "nothing", /^npx kraft move acme copy -s proliant$/],
    [
      source(),
      cluster("proliant", prepared, { allVolumes: standby }),
      "copying",
      "a copy that follows",
      /^state: suspended for acme in Pulumi\.homelab\.yaml/,
    ],
    [
      source({ suspendedAt }),
      cluster("proliant", prepared, { allVolumes: standby }),
      "copying",
      "a copy that follows",
      /^npx kraft move acme cutover -s proliant$/,
    ],
    [
      source(),
      cluster("proliant", prepared, { allVolumes: own }),
      "stale",
      "a copy that lives",
      /^delete the copies on proliant: docs\/moving\.md$/,
    ],
    [
      source({ suspendedAt, movedTo }),
      cluster("proliant", prepared, { allVolumes: own }),
      "cutover",
      "a copy that lives",
      /move acme cutover -s proliant/,
    ],
    [
      source({ suspendedAt, movedTo }),
      cluster("proliant", { guest: false, arrivedFrom: "homelab" }, { allVolumes: own, volumes: own }),
      "arrived",
      "its claim's own",
      /^pulumi up -s proliant: the guest starts there$/,
    ],
    [
      source({ suspendedAt, movedTo }),
      cluster("proliant", { arrivedFrom: "homelab" }, { allVolumes: own, volumes: own }),
      "running",
      "its claim's own",
      /move acme done/,
    ],
  ];
  for (const [left, right, stage, there, next] of cases) {
    test(stage, () => {
      const position = progressOf({ tenant: "acme", source: left, target: right });
      assert.equal(position.stage, stage);
      assert.deepEqual(
        position.volumes.map((way) => way.there),
        [there],
      );
      assert.match(position.next[0] ?? "", next);
    });
  }
});

test("done: what still hangs on the cluster that was left", () => {
  const volumes = [volume("pvc-acme"), { ...volume("pvc-shop"), status: {} }];
  const target = cluster("proliant", { arrivedFrom: "homelab" }, { volumes, guestPhase: "Provisioning" });
  const source = cluster("homelab", { movedTo });
  const open = doneChecks({ tenant: "acme", source, target }, []).filter(({ ok }) => ok !== true);
  assert.deepEqual(
    open.map(({ what, found: text }) => `${what}: ${text}`),
    [
      "its guest runs on proliant: Provisioning",
      "proliant has backups of its own of every volume: 1 of 2",
      "it is stopped on homelab: active",
    ],
  );
  const settled = doneChecks(
    {
      tenant: "acme",
      source: cluster("homelab", undefined),
      target: cluster("proliant", { arrivedFrom: "homelab" }, { volumes: volumes.slice(0, 1), guestPhase: "Ready" }),
    },
    [],
  );
  assert.ok(settled.every(({ ok, fix }) => ok === true && fix === null));
});
