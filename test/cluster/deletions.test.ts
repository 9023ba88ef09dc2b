import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { KubernetesObject } from "../../cluster/objects.ts";
import { deletionPolicies } from "../../components/plan/admission/deletions.ts";
import { deletionAnnotation } from "../../components/plan/deletion-permission.ts";
import type { Api } from "../../local/api.ts";
import { longhornAccount } from "../../local/longhorn/account.ts";
import { longhornApi } from "../../local/longhorn/objects.ts";
import { tokensOf } from "./boundary/identities.ts";
import { accounts, beyondTheirWork, type Honest, honest, type Who } from "./deletions/honest.ts";
import { createObjects, synced } from "./deletions/objects.ts";
import { slips } from "./deletions/slips.ts";
import { type Embedded, eventually } from "./embedded.ts";
import { bindClusterRoles } from "./k3k-rights.ts";
import { platform } from "./platform.ts";

let host: Embedded;
let clients: ReadonlyMap<Who, Api>;

before(async () => {
  host = await platform();
  await host.up();
  const operator = host.cluster.api;
  await bindClusterRoles(operator);
  await createObjects(operator);
  clients = new Map<Who, Api>([
    ...(await tokensOf(operator, accounts)),
    ["Longhorn", await longhornAccount(operator)],
    ["the operator", operator],
  ]);
});

after(async () => {
  await host.remove();
});

function as(who: Who): Api {
  const client = clients.get(who);
  assert.ok(client, who);
  return client;
}

/** What the API server would answer. Nothing is changed. */
async function dryRun(who: Who, method: "DELETE" | "PATCH", path: string, body?: object) {
  const { status, text } = await as(who).send(method, `${path}${path.includes("?") ? "&" : "?"}dryRun=All`, {
    ...(body === undefined ? {} : { body }),
    ...(method === "PATCH" ? { type: "application/merge-patch+json" } : {}),
  });
  const { kind, message = "" } = JSON.parse(text) as { readonly kind?: string; readonly message?: string };
  return { status, message: kind === "Status" ? message : "" };
}

test("the API server understands every policy", async () => {
  for (const { name } of deletionPolicies) {
    const path = `/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/${name}`;
    const status = await eventually(`the types of ${name}`, async () => {
      const found = await host.cluster.api.get<{ readonly status?: { readonly typeChecking?: object } }>(path);
      return found?.status?.typeChecking;
    });
    assert.deepEqual(status, {}, name);
  }
});

describe("a slip of somebody with every right is refused", () => {
  for (const { name, method, path, body, message } of slips) {
    test(name, async () => {
      assert.deepEqual(await dryRun("the operator", method, path, body), { status: 403, message });
    });
  }
});

/** What is deleted, which exists: deleting nothing would prove nothing. */
async function existing({ path, one }: Honest): Promise<string> {
  const operator = host.cluster.api;
  const found = await operator.get<{ readonly items?: readonly KubernetesObject[] }>(path);
  assert.ok(found !== undefined && found.items?.length !== 0, `nothing at ${path}`);
  return one === true ? `${path.replace(/\?.*/, "")}/${found.items?.[0]?.metadata.name ?? ""}` : path;
}

/** Makes sure that it would be done: by the policies, and by the rights of who does it. */
async function assertLetThrough(entry: Honest): Promise<void> {
  const { status, message } = await dryRun(entry.who, "DELETE", await existing(entry));
  assert.ok(status < 300, `${entry.who}: ${entry.what}: ${status} ${message}`);
}

describe("honest work is let through", () => {
  for (const entry of honest) {
    test(`${entry.who}: ${entry.what}`, () => assertLetThrough(entry));
  }
});

describe("a right is not enough", () => {
  for (const { who, what, path } of beyondTheirWork) {
    test(`${who}: ${what}`, async () => {
      const { status, message } = await dryRun(who, "DELETE", path);
      assert.ok([403, 422].includes(status), `${status} ${message}`);
      // Refused by a policy: with too few rights it would prove nothing.
      assert.match(message, /ValidatingAdmissionPolicy 'kraft-(deletions-of-[a-z]+|tenant-writes)'/);
    });
  }
});

test("there are enough of each, and no two the same", () => {
  const sent = slips.map(({ method, path, body }) => JSON.stringify([method, path, body]));
  assert.ok(slips.length >= 30 && new Set(sent).size === sent.length, String(slips.length));
  const done = honest.map(({ who, path }) => `${who} ${path}`);
  assert.ok(honest.length >= 30 && new Set(done).size === done.length, String(honest.length));
});

/** The day that the API server has, shifted by some days. */
async function day(shift: number): Promise<string> {
  const [lease] = await host.cluster.api.list<KubernetesObject & { readonly spec: { readonly renewTime: string } }>(
    `${leases}?labelSelector=${identity}%3Dkube-apiserver`,
  );
  return new Date(Date.parse(lease?.spec.renewTime ?? "") + shift * 86_400_000).toISOString().slice(0, 10);
}

const leases = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases";
const identity = "apiserver.kubernetes.io/identity";

/** Writes a permission on an object, as `kubectl annotate` does; null takes it away. */
function permit(path: string, permission: string | null): Promise<void> {
  return host.cluster.api.merge(path, { metadata: { annotations: { [deletionAnnotation]: permission } } });
}

const permitted = {
  "a guest cluster": ["/apis/k3k.io/v1beta1/namespaces/k3k-acme/clusters/acme", "clusters.k3k.io"],
  "a namespace": ["/api/v1/namespaces/k3k-acme", "namespaces"],
  "a claim": [`/api/v1/namespaces/k3k-acme/persistentvolumeclaims/${synced.claim}`, "persistentvolumeclaims"],
  "a volume": [`${longhornApi}/volumes/pvc-1`, "volumes.longhorn.io"],
  "a storage class": ["/apis/storage.k8s.io/v1/storageclasses/kraft-bulk", "storageclasses.storage.k8s.io"],
  "a network policy": [
    "/apis/networking.k8s.io/v1/namespaces/traefik/networkpolicies/kraft-to-host",
    "networkpolicies.networking.k8s.io",
  ],
} as const;

describe("a permission on the object counts on its day and on the next", () => {
  for (const [what, [path, kind]] of Object.entries(permitted)) {
    test(what, async () => {
      for (const shift of [0, -1]) {
        await permit(path, await day(shift));
        assert.equal((await dryRun("the operator", "DELETE", path)).status, 200, `${shift} days`);
      }
      const malformed = ["", "today", "2026-11", "2026-13-45", `${await day(0)}T00:00:00Z`, ` ${await day(0)}`];
      for (const permission of [await day(-2), await day(1), await day(365), ...malformed]) {
        await permit(path, permission);
        const { status, message } = await dryRun("the operator", "DELETE", path);
        const [, name = "", namespace] = /([^/]+)$/.exec(path) ?? [];
        const within = /namespaces\/([^/]+)\/./.exec(path)?.[1] ?? namespace;
        const object = `${kind} ${name}${within === undefined ? "" : ` --namespace ${within}`}`;
        assert.deepEqual(
          { status, message },
          {
            status: 403,
            message:
              `${kind} "${name}" is forbidden: ValidatingAdmissionPolicy 'kraft-deletion-dates' with binding 'kraft-deletion-dates' denied request: ` +
              `${name} was not deleted: its permission ${permission} is not valid on ${await day(0)}. It is valid on its date and on the day after, in UTC. ` +
              `To permit it again: kubectl annotate --overwrite ${object} ${deletionAnnotation}=$(date -u +%F)`,
          },
        );
      }
      await permit(path, null);
      assert.equal((await dryRun("the operator", "DELETE", path)).status, 403);
    });
  }
});

test("a permission on a namespace counts for what is in it, and for nothing else", async () => {
  const blue = "/api/v1/namespaces/k3k-blue";
  const inside = [
    "/apis/k3k.io/v1beta1/namespaces/k3k-blue/clusters/blue",
    `${blue}/persistentvolumeclaims/varlibrancherk3s-k3k-blue-server-0`,
    `${blue}/secrets/k3k-blue-token`,
    `${blue}/secrets/blue-addons`,
    `${blue}/resourcequotas/kraft-k3k`,
    "/apis/networking.k8s.io/v1/namespaces/k3k-blue/networkpolicies/kraft-default-deny",
  ];
  const outside = [
    "/apis/k3k.io/v1beta1/namespaces/k3k-acme/clusters/acme",
    "/apis/k3k.io/v1beta1/virtualclusterpolicies/tenant-blue",
    "/api/v1/namespaces/k3k-acme",
  ];
  const answers = async (paths: readonly string[]): Promise<number[]> =>
    Promise.all(paths.map(async (path) => (await dryRun("the operator", "DELETE", path)).status));
  // The API server reads namespaces from a copy that is a moment old.
  const answered = (wanted: number) =>
    eventually(
      `${wanted} for all in the namespace`,
      async () => (await answers([blue, ...inside])).every((status) => status === wanted) || undefined,
    );
  for (const [shift, wanted] of [
    [0, 200],
    [-2, 403],
    [-1, 200],
    [1, 403],
  ] as const) {
    await permit(blue, await day(shift));
    await answered(wanted);
    assert.deepEqual(await answers(outside), [403, 403, 403]);
  }
  // An old one on the object takes nothing away from a new one on its namespace.
  await permit(blue, await day(0));
  await permit(inside[1] ?? "", await day(-9));
  await answered(200);
  await permit(inside[1] ?? "", null);
  await permit(blue, null);
  await answered(403);
});

test("controllers need no clock, and a slip needs none to be refused", async () => {
  const operator = host.cluster.api;
  const [lease] = await operator.list(`${leases}?labelSelector=${identity}%3Dkube-apiserver`);
  const stopped = Date.now() + 3000;
  let without = 0;
  while (Date.now() < stopped) {
    // The API server makes it anew, every ten seconds.
    await operator.delete(`${leases}/${lease?.metadata.name ?? ""}`);
    for (const entry of honest.filter((_, index) => index % 5 === 0)) {
      await assertLetThrough(entry);
    }
    const { status, message } = await dryRun("the operator", "DELETE", slips[0]?.path ?? "");
    assert.deepEqual({ status, message }, { status: 403, message: slips[0]?.message });
    without += (await operator.get(`${leases}/${lease?.metadata.name ?? ""}`)) === undefined ? 1 : 0;
  }
  assert.ok(without > 0, "the clock was always back at once");
  await eventually("the clock", () => operator.get(`${leases}/${lease?.metadata.name ?? ""}`));
});

test("the last word of an API server that is gone makes a permission count later, never longer", async () => {
  const volume = `${longhornApi}/volumes/pvc-1`;
  const name = "apiserver-gone";
  const [before, yesterday, today] = await Promise.all([day(-2), day(-1), day(0)]);
  const renewTime = `${yesterday}T23:59:59.000000Z`;
  await host.cluster.api.apply(`${leases}/${name}`, {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { name, namespace: "kube-system", labels: { [identity]: "kube-apiserver" } },
    spec: { holderIdentity: name, leaseDurationSeconds: 3600, renewTime },
  });
  const becomes = (permission: string, wanted: number) =>
    eventually(`${wanted} with ${permission}`, async () => {
      await permit(volume, permission);
      return (await dryRun("the operator", "DELETE", volume)).status === wanted || undefined;
    });
  await becomes(today, 403);
  await becomes(yesterday, 200);
  await becomes(before, 403);
  await host.cluster.api.delete(`${leases}/${name}`);
  await becomes(today, 200);
  await permit(volume, null);
});

test("what is being deleted may be deleted again, and a permission is used up with its object", async () => {
  const operator = host.cluster.api;
  const path = `${longhornApi}/volumes/going`;
  const volume = {
    apiVersion: "longhorn.io/v1beta2",
    kind: "Volume",
    metadata: { name: "going", namespace: "longhorn-system", finalizers: ["longhorn.io"] },
    spec: { size: "1073741824" },
  };
  await operator.apply(path, volume);
  await assert.rejects(operator.delete(path), /the volume going was not deleted/);
  await permit(path, await day(0));
  await operator.delete(path);
  await permit(path, null);
  assert.equal((await dryRun("the operator", "DELETE", path)).status, 200);
  await operator.merge(path, { metadata: { finalizers: null } });
  await operator.apply(path, volume);
  assert.equal((await dryRun("the operator", "DELETE", path)).status, 403);
});
