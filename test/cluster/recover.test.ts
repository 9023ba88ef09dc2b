import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { deleteGuarded } from "../../cluster/delete-guarded.ts";
import type { Secret } from "../../cluster/objects.ts";
import { paths } from "../../cluster/paths.ts";
import { syncedName, tenantNames } from "../../components/plan/names.ts";
import { engineFolder } from "../../local/engine.ts";
import type { EngineRun } from "../../local/engine-run.ts";
import type { Claim, PersistentVolume, Volume } from "../../local/longhorn/objects.ts";
import { readS3Keys, s3Endpoint, s3Port } from "../../local/s3.ts";
import { type BackupStore, daily, datastoreVolume, tenantVolume, writeBackups } from "../fixtures/backup-store.ts";
import { type Ended, kraft, startKraft } from "../fixtures/kraft/command.ts";
import { type Config, type Embedded, eventually } from "./embedded.ts";
import { platform } from "./platform.ts";
import { CatalogueStore } from "./simulated-longhorn/catalogue-store.ts";
import { SimulatedLonghorn } from "./simulated-longhorn/simulated-longhorn.ts";

/** How often a recovery is killed before it may end. */
const kills = 6;

const tenants = {
  acme: { domains: ["acme.example", "acme.test"], size: "small" },
  blue: { domains: ["blue.example"], size: "small" },
};
const { namespace, cluster, tokenSecret, datastoreClaim } = tenantNames("acme");
const data = { name: "data-db-0", namespace: "shop" };
const media = { name: "media", namespace: "default" };
const given = { name: "old", namespace: "shop" };
const names = Object.fromEntries(
  Object.entries({ data, media, given }).map(([name, guest]) => [name, syncedName(cluster, guest)]),
) as Readonly<Record<"data" | "media" | "given", string>>;
const gibibyte = 1024 ** 3;
/** Yesterday and the day before, so that there is an earlier day to go back to. */
const nights = daily(2, new Date(Date.now() - 6 * 3_600_000));

let local: Embedded;
let longhorn: SimulatedLonghorn;
let directory: string;
let store: BackupStore;
let key: Readonly<Record<string, string>>;
/** Bytes that a new volume holds: none, until somebody writes to it. */
let written = 48 * 1024 ** 2;

function config(change: object = {}): Config {
  return { "kraft:tenants": { ...tenants, acme: { ...tenants.acme, ...change } } };
}

before(async () => {
  local = await platform();
  const { api } = local.cluster;
  directory = engineFolder(local.cluster.directory);
  const keys = readS3Keys(local.cluster.directory) ?? assert.fail("the cluster has no S3 server");
  key = { AWS_ACCESS_KEY_ID: keys.accessKeyId, AWS_SECRET_ACCESS_KEY: keys.secretAccessKey };
  const place = { region: "eu-central-2", bucket: "kraft-local", prefix: "local" };
  store = { ...keys, ...place, endpoint: s3Endpoint(s3Port(local.cluster)) };
  longhorn = new SimulatedLonghorn(api, {
    store: new CatalogueStore(store, { anew: true }),
    interval: 200,
    actualSize: () => written,
  });
  await local.up(config());
  longhorn.start();
  await claim(names.data);
  await claim(names.media);
  const volumes = await boundClaims(3);
  // One night after the other: Longhorn knows of both.
  for (const [index] of nights.entries()) {
    const some = nights.slice(0, index + 1);
    await writeBackups(local.cluster.tools, store, [
      datastoreVolume("acme", some, { name: volumes.get(datastoreClaim), size: 5 * gibibyte }),
      tenantVolume("acme", data, some, { name: volumes.get(names.data), size: gibibyte }),
      tenantVolume("acme", media, some, { name: volumes.get(names.media), size: gibibyte }),
    ]);
    await eventually(`the backups of night ${index + 1}`, async () => {
      const backups = await api.list(paths.backups.all);
      return backups.length === 3 * (index + 1) ? true : undefined;
    });
  }
});

after(async () => {
  await longhorn.stop();
  await local.remove();
});

/** A claim as K3k's syncer makes it: it belongs to the Cluster, and goes with it. */
async function claim(name: string): Promise<void> {
  const { api } = local.cluster;
  const guest = (await api.get(paths.clusters.named(namespace, cluster))) ?? assert.fail("no Cluster");
  await api.create(paths.claims.in(namespace), {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      name,
      namespace,
      ownerReferences: [
        { apiVersion: "k3k.io/v1beta1", kind: "Cluster", name: cluster, uid: guest.metadata.uid ?? "" },
      ],
    },
    spec: {
      storageClassName: "kraft-standard",
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: "1Gi" } },
    },
  });
}

/** The volumes of acme's claims, once that many are bound. */
function boundClaims(count: number): Promise<Map<string, string>> {
  return eventually(`${count} claims of acme that are bound`, async () => {
    const claims = await local.cluster.api.list<Claim & { readonly status?: { readonly phase?: string } }>(
      paths.claims.in(namespace),
    );
    const bound = claims.filter(
      ({ status, metadata }) => status?.phase === "Bound" && metadata.deletionTimestamp === undefined,
    );
    return bound.length === count
      ? new Map(bound.map(({ metadata, spec }) => [metadata.name, spec.volumeName ?? ""]))
      : undefined;
  });
}

/**
 * What a person at the host deletes by mistake. The only place that knows how: with a permission, where the API server asks
 * for one.
 */
async function slip(path: string): Promise<void> {
  const { api } = local.cluster;
  const found = (await api.get(path)) ?? assert.fail(`nothing is at ${path}`);
  await deleteGuarded(api, path, found.metadata.uid ?? "");
}

function gone(what: string, path: string): Promise<true> {
  return eventually(
    `the end of ${what}`,
    async () => ((await local.cluster.api.get(path)) === undefined ? true : undefined),
    120,
  );
}

function recover(...line: string[]): Promise<Ended> {
  return kraft(["recover", "acme", ...line, "-s", "local", "--directory", directory], key);
}

/** K3k takes the rights of a deleted guest's kubelets away (`unbindClusterRoles` in its cluster_finalize.go). */
const boundAnew: readonly string[] = ["update k3k:k3k-kubelet-node", "update k3k:k3k-priorityclass"];

function changes({ steps }: EngineRun): string[] {
  return steps.map(({ operation, urn }) => `${operation} ${urn.slice(urn.lastIndexOf("::") + 2)}`).sort();
}

async function token(): Promise<string | undefined> {
  const secret = await local.cluster.api.get<Secret>(paths.secrets.named(namespace, tokenSecret));
  return secret?.data?.["token"];
}

/** UIDs of acme's volumes, and of what Kubernetes has of them. */
async function identities(volumes: Iterable<string>): Promise<(string | undefined)[]> {
  const { api } = local.cluster;
  return Promise.all(
    [...volumes].flatMap((name) =>
      [paths.volumes.named(name), paths.persistentVolumes.named(name)].map(
        async (path) => (await api.get(path))?.metadata.uid,
      ),
    ),
  );
}

/** A recovery that must end well. What it printed. */
async function recovered(...line: string[]): Promise<string> {
  const { code, stdout, stderr } = await recover(...line);
  assert.equal(code, 0, stdout + stderr);
  return stdout;
}

/** No claim of acme is left, and Longhorn has noticed. */
async function claimsAreGone(): Promise<void> {
  const { api } = local.cluster;
  await eventually(
    "the end of all claims",
    async () => ((await api.list(paths.claims.in(namespace))).length === 0 ? true : undefined),
    120,
  );
  await eventually("Longhorn to notice", async () => {
    const volumes = await api.list<Volume>(paths.volumes.all);
    const own = volumes.filter(({ status }) => status?.kubernetesStatus?.namespace === namespace);
    return own.every(({ status }) => status?.kubernetesStatus?.pvStatus !== "Bound") ? true : undefined;
  });
}

async function status(): Promise<string> {
  return (await kraft(["status", "-s", "local", "--directory", directory])).stdout;
}

const retained =
  "its volumes are retained, whose claims were there until \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d UTC: datastore, shop/data-db-0, default/media";

test("Cluster deleted: nothing is made anew; killed at any moment, recover brings back the same volumes", async () => {
  const claims = await boundClaims(3);
  const ids = await identities(claims.values());
  const secret = await token();
  await slip(paths.clusters.named(namespace, cluster));
  await gone("the Cluster", paths.clusters.named(namespace, cluster));
  await claimsAreGone();

  const message = await local.refusal("up", config());
  assert.match(
    message,
    new RegExp(
      "kraft:tenants\\.acme\n {4}found: {3}no guest cluster, but it had one; " +
        `${retained}\n {4}allowed: a guest that starts over the volumes that it had: K3k would make empty ones\n` +
        " {4}fix: {5}npx kraft recover acme plan -s local, then apply, then pulumi up\\.",
    ),
  );
  assert.doesNotMatch(message, /blue/);
  assert.match(
    await status(),
    new RegExp(
      `tenant acme: no guest cluster, but it had one; ${retained}\\. Next: npx kraft recover acme plan -s local`,
    ),
  );
  const plan = await recovered("plan");
  assert.match(plan, /Bound to their claims again, as they are: nothing is downloaded\n.*\n {2}datastore +pvc-/);
  assert.doesNotMatch(plan, /newest backup|Not yet/);
  assert.deepEqual(await local.cluster.api.list(paths.claims.in(namespace)), []);

  for (let kill = 0; kill < kills; kill += 1) {
    const child = startKraft(["recover", "acme", "apply", "-s", "local", "--directory", directory], key);
    child.stdout.resume();
    child.stderr.resume();
    const ended = new Promise((done) => child.once("close", done));
    await Promise.race([sleep(800 + Math.random() * 2500), ended]);
    child.kill("SIGKILL");
    await ended;
  }
  await recovered("apply");
  assert.deepEqual(await boundClaims(3), claims);
  assert.match(await recovered("apply"), /^Nothing is lost: all 3 claims have their volumes\./);

  const run = await local.up(config());
  assert.deepEqual(changes(run), ["create tenant-acme-cluster", ...boundAnew]);
  assert.deepEqual(await boundClaims(3), claims);
  assert.deepEqual(await identities(claims.values()), ids);
  assert.equal(await token(), secret);
  assert.deepEqual(changes(await local.preview(config())), []);
});

test("namespace deleted, and a volume lost for good: up adopts the new one, and only the lost volume is downloaded", async () => {
  const { api } = local.cluster;
  const claims = await boundClaims(3);
  const lost = claims.get(names.media) ?? assert.fail("no volume");
  const kept = [...claims.values()].filter((volume) => volume !== lost);
  const ids = await identities(kept);
  const secret = await token();
  await slip(paths.namespaces.named(namespace));
  await gone("the namespace", paths.namespaces.named(namespace));
  await claimsAreGone();
  await slip(paths.volumes.named(lost));
  await gone("the volume", paths.volumes.named(lost));

  // Looking at the cluster, the engine takes what is gone out of its record.
  assert.match(
    await local.refusal("up", config()),
    /found: {3}neither namespace k3k-acme nor guest cluster, but it had one; .*: datastore, shop\/data-db-0\n/,
  );
  const plan = await recovered("plan");
  assert.match(plan, /^acme on local: what brings it back\nNamespace k3k-acme is gone: it is made again first\./);
  assert.match(plan, /\nLost: from the newest backup\n.*\n {2}default\/media +pvc-/);
  await recovered("apply");
  assert.deepEqual(await boundClaims(3), claims);
  const restored = (await api.get<Volume>(paths.volumes.named(lost))) ?? assert.fail("it is not back");
  assert.match(restored.spec.fromBackup ?? "", new RegExp(`volume=${lost}$`));
  const { metadata } = (await api.get(paths.namespaces.named(namespace))) ?? assert.fail("no namespace");

  const run = await local.up(config());
  assert.ok(
    changes(run).every((change) => /^(create|update) tenant-acme/.test(change) || boundAnew.includes(change)),
    changes(run).join(),
  );
  assert.equal((await api.get(paths.namespaces.named(namespace)))?.metadata.uid, metadata.uid);
  assert.deepEqual(await boundClaims(3), claims);
  assert.deepEqual(await identities(kept), ids);
  assert.equal(await token(), secret);
});

test("the datastore's claim deleted: the guest does not start over the empty volume that K3k made", async () => {
  const { api } = local.cluster;
  const claims = await boundClaims(3);
  await eventually("the guest's server", async () => {
    const volume = await api.get<Volume>(paths.volumes.named(claims.get(datastoreClaim) ?? ""));
    return volume?.status?.state === "attached" ? true : undefined;
  });
  written = 0;
  await slip(paths.claims.named(namespace, datastoreClaim));
  assert.match(
    await local.refusal("preview", config()),
    /found: {3}the claim of its guest's datastore is being deleted, and K3k would make an empty one; .*\n.*\n {4}fix: {5}state: suspended and pulumi up; then npx kraft recover acme plan -s local\./,
  );
  const { code, stdout } = await recover("plan");
  assert.equal(code, 1);
  assert.match(stdout, /Not yet\n.*First let its guest end: state: suspended, pulumi up -s local, kubectl delete pods/);

  await local.up(config({ state: "suspended" }));
  const empty = await eventually("K3k's new claim", async () => {
    const found = await api.get<Claim>(paths.claims.named(namespace, datastoreClaim));
    const volume = found?.spec.volumeName ?? "";
    return volume === "" || volume === claims.get(datastoreClaim) ? undefined : volume;
  });
  assert.match(
    await local.refusal("preview", config()),
    /found: {3}its guest has an empty volume in place of one with data; .*: datastore\n/,
  );
  assert.match(await status(), /tenant acme: its guest has an empty volume in place of one with data; /);
  assert.match(
    await recovered("plan"),
    new RegExp(`datastore: in place of ${empty}, to which nothing was ever written`),
  );
  await recovered("apply");
  assert.deepEqual(await boundClaims(3), claims);
  // Nothing is deleted, not even what is empty.
  assert.ok(await api.get(paths.volumes.named(empty)));
});

test("one claim goes back to an earlier day, with the schedules of its class, and its volume is kept", async () => {
  const { api } = local.cluster;
  const before = await boundClaims(3);
  const old = before.get(names.data) ?? "";
  const ids = await identities([old]);
  const day = ["--claim", "shop/data-db-0", "--at", nights[0]?.slice(0, 16) ?? ""];
  assert.match(await recovered("plan", ...day), /gets pvc-\S+-\d{12}, restored from backup-\w+ of .* \(30 h ago\)/);
  for (let kill = 0; kill < 2; kill += 1) {
    const child = startKraft(["recover", "acme", "apply", ...day, "-s", "local", "--directory", directory], key);
    child.stdout.resume();
    child.stderr.resume();
    const ended = new Promise((done) => child.once("close", done));
    await Promise.race([sleep(1500 + Math.random() * 3000), ended]);
    child.kill("SIGKILL");
    await ended;
  }
  await recovered("apply", ...day);
  const after = await boundClaims(3);
  const name = after.get(names.data) ?? "";
  assert.match(name, new RegExp(`^${old}-\\d{12}$`));
  const volume = (await api.get<Volume>(paths.volumes.named(name))) ?? assert.fail(name);
  assert.deepEqual(
    Object.keys(volume.metadata.labels ?? {}).filter((label) => label.startsWith("recurring-job")),
    ["recurring-job-group.longhorn.io/standard"],
  );
  assert.deepEqual(await identities([old]), ids);
  assert.equal((await api.get<PersistentVolume>(paths.persistentVolumes.named(old)))?.status?.phase, "Released");
  assert.match((await recover("plan", ...day)).stdout, /It has it already\.\n$/);

  // And forth again, to the volume from before.
  await recovered("apply", "--claim", "shop/data-db-0", "--volume", old);
  assert.deepEqual(await boundClaims(3), before);
  await local.up(config());
  const { code, stderr } = await recover("apply", ...day);
  assert.equal(code, 1);
  assert.match(stderr, /nothing of acme was changed: the guest runs, and would write meanwhile: state: suspended/);
});

test("what a tenant deletes in the guest is no loss, and can be given back", async () => {
  const { api } = local.cluster;
  await claim(names.given);
  const volume = (await boundClaims(4)).get(names.given) ?? "";
  await slip(paths.claims.named(namespace, names.given));
  await gone("the claim", paths.claims.named(namespace, names.given));
  assert.deepEqual(changes(await local.preview(config())), []);
  assert.doesNotMatch(await status(), /acme: its guest (lacks|has)/);
  assert.match(
    await recovered("plan"),
    /shop\/old +pvc-\S+ +its claim was deleted while the guest ran, .*--claim old-shop-acme/,
  );
  await recovered("apply", "--claim", "shop/old");
  assert.equal((await boundClaims(4)).get(names.given), volume);
  assert.ok(await api.get(paths.clusters.named(namespace, cluster)));
});
