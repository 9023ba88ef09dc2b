import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { deleteGuarded } from "../../cluster/delete-guarded.ts";
import type { KubernetesObject } from "../../cluster/objects.ts";
import { priorityClasses } from "../../components/plan/size.ts";
import { versions } from "../../infra/versions.ts";
import { chartsFolder } from "../../local/engine.ts";
import type { EngineRun } from "../../local/engine-run.ts";
import { simulatedAddress } from "../../local/simulated-nodes.ts";
import { type Config, type Embedded, eventually, type Tenants } from "./embedded.ts";
import { platform } from "./platform.ts";

const active: Tenants = {
  acme: { domains: ["acme.example"], size: "small" },
  blue: { domains: ["blue.example"], size: "medium" },
};

/** A claim of the tenant's own, as K3k names those of the guest on the host. */
const media = "media-default-blue-6d656469";

let local: Embedded;

before(async () => {
  local = await platform();
  await local.up({ "kraft:tenants": active });
});

after(() => local.remove());

/** The tenants with other values for blue. */
function blue(change: object): Config {
  return { "kraft:tenants": { ...active, blue: { ...active["blue"], ...change } } };
}

/** The message of a preview that must be refused. */
function refused(config: Config, program?: string): Promise<string> {
  return local.refusal("preview", config, program);
}

/** `update tenant-blue-cluster` and the like, sorted. */
function changes({ steps }: EngineRun): string[] {
  return steps.map(({ operation, urn }) => `${operation} ${urn.slice(urn.lastIndexOf("::") + 2)}`).sort();
}

const paths = {
  cluster: "/apis/k3k.io/v1beta1/namespaces/k3k-blue/clusters/blue",
  namespace: "/api/v1/namespaces/k3k-blue",
  policy: "/apis/k3k.io/v1beta1/virtualclusterpolicies/tenant-blue",
  longhorn: "/api/v1/namespaces/longhorn-system",
  backups: "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/backups.longhorn.io",
  claim: "/api/v1/namespaces/k3k-blue/persistentvolumeclaims/varlibrancherk3s-k3k-blue-server-0",
  volume: "/api/v1/persistentvolumes/pvc-blue",
  longhornVolume: "/apis/longhorn.io/v1beta2/namespaces/longhorn-system/volumes/pvc-blue",
} as const;

async function identities(names: readonly (keyof typeof paths)[]): Promise<(string | undefined)[]> {
  const objects = await Promise.all(names.map((name) => local.cluster.api.get(paths[name])));
  return objects.map((object) => object?.metadata.uid);
}

test("a change that would take data is refused in a preview: what would be lost, and the safe way", async () => {
  const names = ["cluster", "namespace", "policy", "longhorn", "backups"] as const;
  const before = await identities(names);
  const renamed = { acme: active["acme"], teal: active["blue"] };
  for (const [config, ...expected] of [
    [
      {
        "kraft:tenants": renamed,
        "kraft:backup": { bucket: "kraft-local", region: "eu-central-2", prefix: "other" },
        "kraft:phase": "restore",
      },
      /kraft:tenants\.blue\n {4}found: {3}nothing, but the cluster has the guest cluster of blue, which would be deleted with 1 volume claim\n.*\n {4}fix: {5}put the entry back; to let the tenant go: state: suspended, then archived/,
      /kraft:backup\n {4}found: {3}s3:\/\/kraft-local@eu-central-2\/other\/, but backups are in s3:\/\/kraft-local@eu-central-2\/local\/: Longhorn would forget them/,
      /kraft:phase\n {4}found: {3}"restore", but guest clusters exist and would be deleted with their volume claims/,
    ],
    [blue({ state: "archived" }), /kraft:tenants\.blue\.state\n {4}found: {3}"archived", but blue is not suspended/],
    [
      blue({ state: "purged", purge: new Date().toISOString().slice(0, 10) }),
      /kraft:tenants\.blue\.state\n {4}found: {3}"purged", but the cluster has the guest cluster of blue/,
    ],
  ] as const) {
    const message = await refused(config);
    for (const text of expected) {
      assert.match(message, text);
    }
    assert.match(message, /Nothing was changed\./);
  }
  assert.deepEqual(await identities(names), before);
  assert.ok(before.every((uid) => uid !== undefined));
});

test("hardware that the nodes do not have is refused, with both figures; so is another address", async () => {
  const disk = "/apis/longhorn.io/v1beta2/namespaces/longhorn-system/nodes";
  const { api, stack } = local.cluster;
  const longhornNode = { apiVersion: "longhorn.io/v1beta2", kind: "Node", metadata: { name: "optiplex-2" } };
  await api.create(disk, {
    ...longhornNode,
    spec: { disks: { main: { allowScheduling: true, path: "/var/lib/longhorn" } } },
  });
  await api.merge(`${disk}/optiplex-2/status`, {
    status: { diskStatus: { main: { storageMaximum: 400 * 1024 ** 3 } } },
  });
  const nodes = Object.fromEntries(stack.nodes.map(({ name }) => [name, { address: simulatedAddress(stack, name) }]));
  const hardware = { threads: 8, memory: "64Gi", longhorn: "800Gi", watts: 15 };
  const message = await refused({
    "kraft:tenants": active,
    "kraft:nodes": { ...nodes, "optiplex-1": { address: "198.51.100.99", hardware } },
  });
  assert.match(message, /kraft:nodes\.optiplex-1\.hardware\.threads\n {4}found: {3}8, and the node reports 4\n/);
  assert.match(
    message,
    /kraft:nodes\.optiplex-1\.hardware\.memory\n {4}found: {3}64 GiB, and the node reports 32 GiB\n/,
  );
  assert.match(
    message,
    /kraft:nodes\.optiplex-1\.address\n {4}found: {3}198\.51\.100\.99, and the node reports 198\.51\.100\.11\n/,
  );
  assert.match(
    message,
    /kraft:nodes\.optiplex-2\.hardware\.longhorn\n {4}found: {3}800 GiB, and the node reports 400 GiB\n/,
  );
  assert.match(message, /has 4 problems\. Nothing was changed\./);
  await api.delete(`${disk}/optiplex-2`);
  const run = await local.preview({ "kraft:tenants": active });
  assert.deepEqual(
    run.messages.filter(({ text }) => text.includes("hardware")),
    [],
  );
});

test("another tier of a tenant who runs: other classes, and the datastore stays where it is", async () => {
  const run = await local.preview(blue({ tier: "critical" }));
  assert.deepEqual(changes(run), [
    "update tenant-blue-addons",
    "update tenant-blue-cluster",
    "update tenant-blue-policy",
    "update tenant-blue-quota-objects",
  ]);
});

test("a chart without Longhorn's kinds: the backups in the bucket would go with them", async () => {
  const charts = chartsFolder(local.cluster.directory);
  const without = join(local.cluster.directory, "pulumi", "without");
  cpSync(charts, without, { recursive: true });
  const name = `${versions.longhorn.chart}-${versions.longhorn.version}.tgz`;
  const unpacked = join(without, "unpacked");
  mkdirSync(unpacked);
  const tar = (...tarArguments: string[]): void => {
    assert.equal(spawnSync("tar", tarArguments).status, 0, tarArguments.join(" "));
  };
  tar("-xzf", join(without, name), "-C", unpacked);
  rmSync(join(unpacked, "longhorn", "templates", "crds.yaml"));
  tar("-czf", join(without, name), "-C", unpacked, "longhorn");
  const message = await refused({
    "kraft:tenants": active,
    "kraft:charts": { source: "folder", path: `./${basename(without)}` },
  });
  assert.match(message, /CustomResourceDefinition\n {4}found: {3}no longer declared, .*backups\.longhorn\.io/);
  assert.match(message, /with its Backup objects the backups in the bucket/);
  assert.ok(await local.cluster.api.get(paths.backups));
});

test("a program that no longer has them, or gives them another name, is refused by their protection as well", async () => {
  const emptied = await refused({}, "empty");
  assert.match(emptied, /tenant-blue-cluster" cannot be deleted\s+because it is protected/);
  assert.match(emptied, /backups\.longhorn\.io" cannot be deleted\s+because it is protected/);
  assert.match(
    await refused({ "kraft:tenants": active }, "longhorn-moved"),
    /"longhorn-system" no longer declared: deleting it deletes every tenant's volumes|unable to replace resource "\S+longhorn-namespace"/,
  );
  assert.match(
    await refused({ "kraft:tenants": active }, "guest-moved"),
    /unable to replace resource "\S+tenant-blue-cluster"\s+as it is currently marked for protection/,
  );
  assert.ok((await identities(["cluster", "longhorn", "backups"])).every((uid) => uid !== undefined));
});

test("suspended: K3k takes the guest's own pods away, nothing is reachable, every object stays", async () => {
  // What a tenant has: volumes, one of them under the guest's datastore, and a pod.
  await local.cluster.api.create(dirname(paths.claim), {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: media, namespace: "k3k-blue" },
    spec: {
      storageClassName: "kraft-standard",
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: "1Gi" } },
    },
  });
  for (const [name, claim, bytes] of [
    ["pvc-blue", basename(paths.claim), 5 * 2 ** 30],
    ["pvc-media", media, 2 ** 30],
  ] as const) {
    await local.cluster.api.create("/api/v1/persistentvolumes", {
      apiVersion: "v1",
      kind: "PersistentVolume",
      metadata: { name },
      spec: {
        capacity: { storage: String(bytes) },
        accessModes: ["ReadWriteOnce"],
        persistentVolumeReclaimPolicy: "Retain",
        storageClassName: "kraft-standard",
        claimRef: { namespace: "k3k-blue", name: claim },
        csi: { driver: "driver.longhorn.io", volumeHandle: name, fsType: "ext4" },
      },
    });
    await local.cluster.api.create(dirname(paths.longhornVolume), {
      apiVersion: "longhorn.io/v1beta2",
      kind: "Volume",
      metadata: { name, namespace: "longhorn-system" },
      spec: { size: String(bytes), frontend: "blockdev" },
    });
    await eventually(`${claim} bound`, async () => {
      const found = await local.cluster.api.get<KubernetesObject & { readonly status?: { readonly phase?: string } }>(
        `${dirname(paths.claim)}/${claim}`,
      );
      return found?.status?.phase === "Bound" ? true : undefined;
    });
  }
  await local.cluster.api.create("/api/v1/namespaces/k3k-blue/pods", {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web", namespace: "k3k-blue" },
    spec: {
      priorityClassName: priorityClasses.tenant,
      automountServiceAccountToken: false,
      containers: [{ name: "web", image: "web" }],
      volumes: [{ name: "data", persistentVolumeClaim: { claimName: media } }],
    },
  });
  await eventually("the pod", async () => {
    const pod = await local.cluster.api.get<KubernetesObject & { readonly status?: { readonly phase?: string } }>(
      "/api/v1/namespaces/k3k-blue/pods/web",
    );
    return pod?.status?.phase === "Running" ? true : undefined;
  });

  const names = ["cluster", "namespace", "policy", "claim", "volume", "longhornVolume"] as const;
  const before = await identities(names);
  const suspended = await local.up(blue({ state: "suspended" }));
  assert.ok(
    suspended.steps.every(({ operation }) => operation === "update"),
    changes(suspended).join(),
  );
  assert.match(
    suspended.messages.map(({ text }) => text).join("\n"),
    /suspended, but K3k does not stop pods that are there: web\. .*kubectl delete pods --all --namespace k3k-blue/,
  );
  await eventually("no kubelet", async () => {
    const pods = await local.cluster.api.list("/api/v1/namespaces/k3k-blue/pods?labelSelector=type%3Dagent");
    return pods.length === 0 ? true : undefined;
  });
  assert.deepEqual(await identities(names), before);
  assert.deepEqual(changes(await local.preview(blue({ state: "suspended" }))), []);
  assert.ok((await identities(["cluster"]))[0] !== undefined);
});

test("archived: not while a pod runs or a backup is missing; then in two runs, and volumes and backups stay", async () => {
  const archived = blue({ state: "archived" });
  const first = await refused(archived);
  assert.match(first, /"archived", but a pod runs or may start: web\n/);
  assert.match(
    first,
    /no backup of media-default-blue-6d656469 \(since \S+\), varlibrancherk3s-k3k-blue-server-0 \(since \S+\)\n.*\n {4}fix: {5}npx kraft backup blue/,
  );
  const status = (apiVersion: string, kind: string, path: string, content: object): Promise<unknown> => {
    const [name = "", , namespace = ""] = path.split("/").reverse();
    return local.cluster.api.apply(`${path}/status`, {
      apiVersion,
      kind,
      metadata: { name, namespace },
      status: content,
    });
  };
  for (const volume of ["pvc-blue", "pvc-media"]) {
    await status("longhorn.io/v1beta2", "Volume", `${dirname(paths.longhornVolume)}/${volume}`, {
      lastBackupAt: new Date(Date.now() + 1000).toISOString(),
    });
  }
  // It ends after the last backup, and is still there.
  const ended = `${new Date(Date.now() + 5000).toISOString().slice(0, 19)}Z`;
  await status("v1", "Pod", "/api/v1/namespaces/k3k-blue/pods/web", {
    phase: "Succeeded",
    containerStatuses: [
      {
        name: "web",
        image: "web",
        imageID: "",
        ready: false,
        restartCount: 0,
        state: { terminated: { exitCode: 0, finishedAt: ended } },
      },
    ],
  });
  const second = await refused(archived);
  assert.doesNotMatch(second, /may start/);
  assert.ok(second.includes(`no backup of ${media} (since ${ended})\n`), second);
  await local.cluster.api.delete("/api/v1/namespaces/k3k-blue/pods/web");
  await deleteGuarded(local.cluster.api, `${dirname(paths.claim)}/${media}`);
  await eventually("the end of the pod", async () => {
    const pod = await local.cluster.api.get("/api/v1/namespaces/k3k-blue/pods/web");
    return pod === undefined ? true : undefined;
  });

  const permitted = ["update tenant-blue-addons", "update tenant-blue-cluster"];
  // The second run comes too late: the first comes again, and the guest has not become any easier to delete.
  local.now = new Date(Date.now() - 3 * 86_400_000);
  assert.deepEqual(changes(await local.up(archived)), ["create tenant-blue-leaving", ...permitted]);
  local.now = undefined;
  await assert.rejects(local.cluster.api.delete(paths.cluster), /its permission \S+ is not valid on /);
  const unlocked = await local.up(archived);
  assert.deepEqual(changes(unlocked), [...permitted, "update tenant-blue-leaving"]);
  assert.match(unlocked.messages.map(({ text }) => text).join("\n"), /archived: this run unlocks the guest cluster/);
  // Changed one's mind in between: locked again.
  assert.deepEqual(changes(await local.preview(blue({ state: "suspended" }))), [
    "delete tenant-blue-leaving",
    ...permitted,
  ]);
  const gone = await local.up(archived);
  assert.deepEqual(changes(gone), [
    ...["addons", "api", "cluster", "leaving"].map((what) => `delete tenant-blue-${what}`),
    // Its kubelets are no longer bound.
    "update k3k:k3k-kubelet-node",
    "update k3k:k3k-priorityclass",
  ]);
  await eventually("the end of the claim", async () => {
    const [claim] = await identities(["claim"]);
    return claim === undefined ? true : undefined;
  });
  const [cluster, ...kept] = await identities([
    "cluster",
    "namespace",
    "policy",
    "volume",
    "longhornVolume",
    "longhorn",
  ]);
  assert.equal(cluster, undefined);
  assert.ok(kept.every((uid) => uid !== undefined));
  assert.deepEqual(changes(await local.preview(archived)), []);
});

test("purged: only with today's date, in two runs; then the entry may go, and volumes and backups still stay", async () => {
  assert.match(
    await refused(blue({ state: "purged" })),
    /kraft:tenants\.blue\.purge\n {4}found: {3}nothing, but the cluster/,
  );
  assert.match(
    await refused(blue({ state: "purged", purge: "2026-01-01" })),
    /kraft:tenants\.blue\.purge\n {4}found: {3}"2026-01-01", but the cluster/,
  );
  // The entry cannot simply go either.
  assert.match(
    await refused({ "kraft:tenants": { acme: active["acme"] } }),
    /but the cluster has the namespace of blue/,
  );
  const purged = blue({ state: "purged", purge: new Date().toISOString().slice(0, 10) });
  const unlocked = await local.up(purged);
  assert.deepEqual(changes(unlocked), [
    "create tenant-blue-leaving",
    "update tenant-blue-namespace",
    "update tenant-blue-policy",
  ]);
  const gone = await local.up(purged);
  assert.ok(
    gone.steps.every(({ operation, urn }) => operation === "delete" && urn.includes("tenant-blue")),
    changes(gone).join(),
  );
  await eventually("the end of the namespace", async () => {
    const [namespace] = await identities(["namespace"]);
    return namespace === undefined ? true : undefined;
  });
  const kept = await identities(["volume", "longhornVolume", "longhorn", "backups"]);
  assert.ok(kept.every((uid) => uid !== undefined));
  const without = { "kraft:tenants": { acme: active["acme"] } };
  assert.deepEqual(changes(await local.preview(without)), []);
  assert.deepEqual(changes(await local.preview(blue({ state: "purged" }))), []);
});

test("a version that would go back is refused, by what the cluster says that it runs", async () => {
  const without = { "kraft:tenants": { acme: active["acme"] } };
  // Longhorn's manager, which is not here, writes down what it is.
  await local.cluster.api.create("/apis/longhorn.io/v1beta2/namespaces/longhorn-system/settings", {
    apiVersion: "longhorn.io/v1beta2",
    kind: "Setting",
    metadata: { name: "current-longhorn-version", namespace: "longhorn-system" },
    value: "v1.13.0",
  });
  assert.match(
    await refused(without),
    /infra\/versions\.ts, longhorn\n {4}found: {3}1\.12\.\d+, while v1\.13\.0 runs\n/,
  );
});
