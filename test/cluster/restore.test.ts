import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { deleteGuarded } from "../../cluster/delete-guarded.ts";
import { paths } from "../../cluster/paths.ts";
import { tenantNames } from "../../components/plan/names.ts";
import type { RestorePlan } from "../../kraft/restore/plan.ts";
import type { Outcome } from "../../kraft/restore/volumes.ts";
import { engineFolder } from "../../local/engine.ts";
import type { Claim, PersistentVolume, Volume } from "../../local/longhorn/objects.ts";
import { readS3Keys, s3Endpoint, s3Port } from "../../local/s3.ts";
import { daily, datastoreVolume, tenantVolume, type VolumeSpec, writeBackups } from "../fixtures/backup-store.ts";
import { type Ended, kraft, startKraft } from "../fixtures/kraft/command.ts";
import { type Embedded, eventually } from "./embedded.ts";
import { platform } from "./platform.ts";
import { CatalogueStore } from "./simulated-longhorn/catalogue-store.ts";
import { SimulatedLonghorn } from "./simulated-longhorn/simulated-longhorn.ts";

/** How often a restore is killed before it may end. */
const kills = 8;

const tenants = {
  acme: { domains: ["acme.example"], size: "small" },
  blue: { domains: ["blue.example"], size: "small", tier: "critical" },
};
const nights = daily(2, new Date(Date.now() - 6 * 3_600_000));
const small = { size: 64 * 1024 ** 2 };
const gibibyte = 1024 ** 3;
const stores = Object.keys(tenants).map((name) => datastoreVolume(name, nights, { size: 5 * gibibyte }));
const claims = [
  tenantVolume("acme", { name: "data-db-0", namespace: "shop" }, nights, small),
  tenantVolume("acme", { name: "media", namespace: "default" }, nights, {
    size: 2 * gibibyte,
    storageClass: "kraft-bulk",
    accessMode: "rwx",
  }),
  // A name so long that K3k cuts it.
  tenantVolume("blue", { name: "storage-of-a-rather-long-name-0", namespace: "production" }, nights, {
    ...small,
    storageClass: "kraft-critical",
  }),
  tenantVolume("blue", { name: "cache", namespace: "default" }, nights, small),
];
const all = [...stores, ...claims];

let local: Embedded;
let longhorn: SimulatedLonghorn;
let directory: string;
/** The key of the bucket, which spares every run the slow way from the passphrase to its key. */
let key: Readonly<Record<string, string>>;

before(async () => {
  local = await platform();
  await local.up({ "kraft:tenants": tenants, "kraft:phase": "restore" });
  const { cluster } = local;
  directory = engineFolder(cluster.directory);
  const keys = readS3Keys(cluster.directory) ?? assert.fail("the cluster has no S3 server");
  key = { AWS_ACCESS_KEY_ID: keys.accessKeyId, AWS_SECRET_ACCESS_KEY: keys.secretAccessKey };
  const place = {
    ...keys,
    endpoint: s3Endpoint(s3Port(cluster)),
    region: "eu-central-2",
    bucket: "kraft-local",
    prefix: "local",
  };
  await writeBackups(cluster.tools, place, all);
  longhorn = new SimulatedLonghorn(cluster.api, { store: new CatalogueStore(place), interval: 200 });
  longhorn.start();
  await eventually("a backup target that is there", async () => {
    const target = await cluster.api.get<{ status?: { available?: boolean } }>(paths.backupTargets.named("default"));
    return target?.status?.available === true ? target : undefined;
  });
});

after(async () => {
  await longhorn.stop();
  await local.remove();
});

function restore(...line: string[]): Promise<Ended> {
  return kraft(["restore", "local", "--directory", directory, ...line], key);
}

/** What a run with `--apply --json` says of each volume. */
async function outcomes(...line: string[]): Promise<{ readonly ended: Ended; readonly of: Map<string, Outcome> }> {
  const ended = await restore("--apply", "--json", ...line);
  const { volumes } = JSON.parse(ended.stdout || '{"volumes":[]}') as { volumes: readonly Outcome[] };
  return { ended, of: new Map(volumes.map((outcome) => [outcome.volume, outcome])) };
}

function get<Kind>(path: string): Promise<Kind | undefined> {
  return local.cluster.api.get<Kind>(path);
}

function specOf(tenant: string, name: string): VolumeSpec {
  const spec = all.find(({ kubernetesStatus }) => {
    const { namespace, pvcName } = kubernetesStatus ?? {};
    return namespace === `k3k-${tenant}` && pvcName?.startsWith(name);
  });
  return spec ?? assert.fail(name);
}

test("--plan: with the passphrase alone, everything that can come back, datastores first", async () => {
  const passphrase = readFileSync(join(local.cluster.directory, "credentials", "pulumi-passphrase"), "utf8").trim();
  const { code, stdout, stderr } = await kraft(["restore", "local", "--plan", "--directory", directory], {
    PULUMI_CONFIG_PASSPHRASE: passphrase,
  });
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /^local: what comes back from s3:\/\/kraft-local@eu-central-2\/local\/\n/);
  assert.match(stdout, /\n {2}acme +3 +6 h ago +6 h ago /);
  assert.match(stdout, /\n {2}acme +shop\/data-db-0 +pvc-/);
  assert.match(stdout, /\n {2}blue +production\/storage-of-a-rather-long-name-0 +pvc-/);
  assert.match(stdout, /\nEverything there is can come back\.\n$/);
  assert.ok(!`${stdout}${stderr}`.includes(key["AWS_SECRET_ACCESS_KEY"] ?? "?"));

  const plan = JSON.parse((await restore("--plan", "--json")).stdout) as RestorePlan;
  assert.deepEqual(
    plan.order
      .slice(0, 2)
      .map(({ volume }) => volume)
      .sort(),
    stores.map(({ name }) => name).sort(),
  );
  assert.equal(plan.order.length, all.length);
});

test("what is in the way is left as it is, and keeps no other volume", async () => {
  const { api } = local.cluster;
  const store = specOf("acme", "varlibrancherk3s");
  const data = specOf("acme", "data-db-0");
  const foreign = {
    apiVersion: "longhorn.io/v1beta2",
    kind: "Volume",
    metadata: { name: store.name, namespace: "longhorn-system" },
    spec: { size: String(store.size), frontend: "blockdev", numberOfReplicas: 1 },
  };
  await api.create("/apis/longhorn.io/v1beta2/namespaces/longhorn-system/volumes", foreign);
  const claim = data.kubernetesStatus?.pvcName ?? "";
  await api.create("/api/v1/namespaces/k3k-acme/persistentvolumeclaims", {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: claim, namespace: "k3k-acme" },
    spec: {
      accessModes: ["ReadWriteOnce"],
      storageClassName: "kraft-standard",
      resources: { requests: { storage: "64Mi" } },
    },
  });
  const before = await eventually("a claim with an empty volume", async () => {
    const made = await get<Claim>(paths.claims.named("k3k-acme", claim));
    return (made?.spec.volumeName ?? "") === "" ? undefined : made;
  });

  const { ended, of } = await outcomes("--tenant", "acme");
  assert.equal(ended.code, 1, ended.stderr);
  assert.deepEqual(
    [...of.values()].map(({ volume, result }) => [volume, result]).sort(),
    [
      [store.name, "refused"],
      [data.name, "refused"],
      [specOf("acme", "media").name, "restored"],
    ].sort(),
  );
  assert.match(of.get(store.name)?.message ?? "", /^a volume of this name exists and came from no backup: it was left/);
  assert.match(of.get(data.name)?.message ?? "", /^the claim k3k-acme\/.* exists with the volume pvc-.*: it was left/);
  assert.equal((await get<Volume>(paths.volumes.named(store.name)))?.spec.fromBackup ?? "", "");
  const untouched = await get<Claim>(paths.claims.named("k3k-acme", claim));
  assert.deepEqual(untouched?.spec, before.spec);
  // Whoever put them there takes them away.
  await deleteGuarded(api, paths.volumes.named(store.name));
  await deleteGuarded(api, paths.claims.named("k3k-acme", claim));
  await eventually("what was in the way to go", async () =>
    (await get(paths.volumes.named(store.name))) === undefined &&
    (await get(paths.claims.named("k3k-acme", claim))) === undefined
      ? true
      : undefined,
  );
});

test("a tenant whose guest exists is not touched", async () => {
  const { api } = local.cluster;
  const { namespace, cluster } = tenantNames("blue");
  await api.create(paths.clusters.in(namespace), {
    apiVersion: "k3k.io/v1beta1",
    kind: "Cluster",
    metadata: { name: cluster, namespace },
    spec: { mode: "shared" },
  });
  const { ended, of } = await outcomes("--tenant", "blue");
  await deleteGuarded(api, paths.clusters.named(namespace, cluster));
  // K3k lets it go in its own time, and the next test restores this tenant.
  await eventually("the guest to go", async () =>
    (await get(paths.clusters.named(namespace, cluster))) === undefined ? true : undefined,
  );
  assert.equal(ended.code, 1);
  assert.ok([...of.values()].length === 3 && [...of.values()].every(({ result }) => result === "refused"));
  assert.match([...of.values()][0]?.message ?? "", /^the guest blue exists and may have made empty volumes already/);
  assert.equal(await get(paths.volumes.named(specOf("blue", "cache").name)), undefined);
});

test("a restore that fails says so, and never that a volume should be deleted which was whole once", async () => {
  const failing = specOf("blue", "cache");
  longhorn.faults.restore = ({ metadata }) => (metadata.name === failing.name ? "faulted" : undefined);
  const { ended, of } = await outcomes("--tenant", "blue");
  delete longhorn.faults.restore;
  assert.equal(ended.code, 1, ended.stderr);
  assert.equal(of.get(failing.name)?.result, "refused");
  assert.match(
    of.get(failing.name)?.message ?? "",
    /^Longhorn could not restore it: All replica restore failed.*delete volumes\.longhorn\.io/,
  );
  assert.equal(await get(paths.claims.named("k3k-blue", failing.kubernetesStatus?.pvcName ?? "")), undefined);
  await deleteGuarded(local.cluster.api, paths.volumes.named(failing.name));
  await eventually("the failed volume to go", async () =>
    (await get(paths.volumes.named(failing.name))) === undefined ? true : undefined,
  );
});

test(`killed ${kills} times at any moment, it ends with every volume back once`, async () => {
  const seen = new Map<string, string>();
  const look = async (): Promise<void> => {
    for (const { name } of all) {
      const uid = (await get<Volume>(paths.volumes.named(name)))?.metadata.uid;
      const before = seen.get(name);
      assert.ok(before === undefined || before === uid, `${name} was made again`);
      if (uid !== undefined) {
        seen.set(name, uid);
      }
    }
  };
  for (let kill = 0; kill < kills; kill += 1) {
    const child = startKraft(["restore", "local", "--directory", directory, "--apply"], key);
    child.stdout.resume();
    const ended = new Promise((done) => child.once("close", done));
    // Every other time once it has begun to change things, else at any moment from its start.
    const begun = new Promise<void>((resolve) => {
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        if (/: (restoring|done after|is there)/.test(text)) {
          resolve();
        }
      });
    });
    await Promise.race([kill % 2 === 0 ? begun : undefined, ended]);
    await Promise.race([sleep(Math.random() * (kill % 2 === 0 ? 1000 : 4000)), ended]);
    child.kill("SIGKILL");
    await ended;
    await look();
  }
  const last = await outcomes();
  assert.equal(last.ended.code, 0, last.ended.stderr + last.ended.stdout);
  await look();
  const again = await restore("--apply");
  assert.match(again.stdout, /^0 volumes brought back, 6 were there already\.\n\nNext: /);
  assert.equal(again.code, 0);

  for (const spec of all) {
    await isBack(spec);
  }
  const volumes = await local.cluster.api.list<Volume>("/apis/longhorn.io/v1beta2/namespaces/longhorn-system/volumes");
  const restored = volumes.filter(({ spec }) => (spec.fromBackup ?? "") !== "");
  assert.equal(restored.length, all.length);
});

/** One volume: from its newest backup, bound to its claim, with its copies and schedules, and owned by nobody. */
async function isBack({ name, storageClass, size, accessMode, kubernetesStatus, backups }: VolumeSpec): Promise<void> {
  const { namespace = "", pvcName = "" } = kubernetesStatus ?? {};
  const volume = (await get<Volume>(paths.volumes.named(name))) ?? assert.fail(name);
  const backup = backups.at(-1)?.name ?? "";
  assert.equal(volume.spec.fromBackup, `s3://kraft-local@eu-central-2/local/?backup=${backup}&volume=${name}`);
  assert.equal(volume.spec.size, String(size));
  assert.equal(volume.spec.numberOfReplicas, 2);
  assert.equal(volume.spec.accessMode, accessMode);
  assert.deepEqual(
    Object.keys(volume.metadata.labels ?? {}).filter((label) => label.startsWith("recurring-job")),
    [`recurring-job-group.longhorn.io/${storageClass.replace("kraft-", "")}`],
  );
  const persistentVolume = await get<PersistentVolume>(paths.persistentVolumes.named(name));
  assert.equal(persistentVolume?.status?.phase, "Bound");
  assert.equal(persistentVolume.spec.persistentVolumeReclaimPolicy, "Retain");
  const claim =
    (await get<Claim & { metadata: { ownerReferences?: unknown } }>(paths.claims.named(namespace, pvcName))) ??
    assert.fail(pvcName);
  assert.equal(claim.spec.volumeName, name);
  assert.equal(claim.metadata.ownerReferences, undefined);
  if (!pvcName.startsWith("varlibrancherk3s")) {
    const { "k3k.io/name": guest = "" } = claim.metadata.annotations ?? {};
    assert.ok(guest !== "" && pvcName.startsWith(guest), pvcName);
    assert.equal(claim.metadata.labels?.["k3k.io/clusterName"], namespace.replace("k3k-", ""));
  }
}
