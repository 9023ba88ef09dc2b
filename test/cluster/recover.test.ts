import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { deletePermitted } from "../../cluster/client.ts";
import type { KubernetesObject, Secret } from "../../cluster/objects.ts";
import { paths } from "../../cluster/paths.ts";
import { syncedName, tenantNames } from "../../components/plan/names.ts";
import { engineFolder, type EngineRun } from "../../local/engine.ts";
import { readS3Keys, s3Endpoint, s3Port } from "../../local/s3.ts";
import { type BackupStore, daily, datastoreVolume, tenantVolume, writeBackups } from "../fixtures/backup-store.ts";
import { type Ended, kraft, startKraft } from "../fixtures/kraft/command.ts";
import { type Config, type Embedded, eventually } from "./embedded.ts";
import { platform } from "./platform.ts";
import { CatalogueStore } from "./simulated-longhorn/catalogue-store.ts";
import type { Claim, PersistentVolume, Volume } from "./simulated-longhorn/objects.ts";
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
  for (const name of Object.values(names)) {
    await claim(name);
  }
  const volumes = await boundClaims(4);
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
  await deletePermitted(api as never, path, found.metadata.uid ?? "");
}

function gone(what: string, path: string): Promise<true> {
  return eventually(
    `the end of ${what}`,
    async () => ((await local.cluster.api.get(path)) === undefined ? true : undefined),
    120,
  );
}

/** Deletes the guest, and waits until Kubernetes has taken everything of it away. */
async function deleteGuest(): Promise<void> {
  await slip(paths.clusters.named(namespace, cluster));
  await gone("the Cluster", paths.clusters.named(namespace, cluster));
}

function recover(...line: string[]): Promise<Ended> {
  return kraft(["recover", "acme", ...line, "-s", "local", "--directory", directory], key);
}

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
        async (path) => (await api.get<KubernetesObject>(path))?.metadata.uid,
      ),
    ),
  );
}

async function hasAgain(before: ReadonlyMap<string, string>): Promise<void> {
  const now = await boundClaims(4);
  for (const [name, volume] of before) {
    assert.equal(now.get(name), volume, name);
  }
}

function tail(what: string, text: string): void {
  console.log(`---- ${what}\n${text}`);
}

test("what a tenant deletes in the guest is no loss", async () => {
  await slip(paths.claims.named(namespace, names.given));
  await gone("the claim", paths.claims.named(namespace, names.given));
  assert.deepEqual(changes(await local.preview(config())), []);
  const plan = await recover("plan");
  tail("plan with nothing lost", plan.stdout + plan.stderr);
});

test("Cluster deleted", async () => {
  const { api } = local.cluster;
  const before = await boundClaims(3);
  const ids = await identities(before.values());
  const secret = await token();
  await sleep(2000);
  await deleteGuest();
  tail(
    "claims",
    JSON.stringify(
      (await api.list<Claim>(paths.claims.in(namespace))).map(({ metadata, spec }) => [
        metadata.name,
        metadata.deletionTimestamp,
        spec.volumeName,
      ]),
    ),
  );
  tail("refused at once", await local.refusal("preview", config()));
  await eventually(
    "no claims",
    async () => ((await api.list(paths.claims.in(namespace))).length === 0 ? true : undefined),
    120,
  );
  await sleep(1500);
  tail("refused", await local.refusal("up", config()));
  tail("status", (await kraft(["status", "-s", "local", "--directory", directory])).stdout);
  tail("plan", ((p) => p.stdout + p.stderr)(await recover("plan")));
  tail("apply", ((p) => p.stdout + p.stderr)(await recover("apply")));
  await hasAgain(before);
  tail("again", ((p) => p.stdout + p.stderr)(await recover("apply")));
  const run = await local.up(config());
  tail("up", changes(run).join("\n"));
  await hasAgain(before);
  assert.deepEqual(await identities(before.values()), ids);
  assert.equal(await token(), secret);
  assert.deepEqual(changes(await local.preview(config())), []);
  const volumes = await api.list<Volume>(paths.volumes.all);
  tail(
    "volumes",
    JSON.stringify(
      volumes.map(({ metadata, status }) => [metadata.name, status?.kubernetesStatus]),
      undefined,
      1,
    ),
  );
  tail(
    "pods",
    JSON.stringify(
      (await api.list<any>(paths.pods.in(namespace))).map((p: any) => [
        p.metadata.name,
        p.status.phase,
        p.spec.nodeName,
      ]),
    ),
  );
});

test("Namespace deleted", async () => {
  const before = await boundClaims(3 + 1);
  const ids = await identities(before.values());
  const secret = await token();
  await slip(paths.namespaces.named(namespace));
  const begun = Date.now();
  await sleep(1000);
  tail("refused at once", await local.refusal("preview", config()));
  await gone("the namespace", paths.namespaces.named(namespace));
  console.log("gone after", Date.now() - begun);
  await sleep(1500);
  tail("refused", await local.refusal("up", config()));
  tail("plan", ((p) => p.stdout + p.stderr)(await recover("plan")));
  tail("apply", ((p) => p.stdout + p.stderr)(await recover("apply")));
  assert.deepEqual(await boundClaims(4), before);
  tail("preview", changes(await local.preview(config())).join("\n"));
  const run = await local.up(config());
  tail("up", changes(run).join("\n") + JSON.stringify(run.messages));
  assert.deepEqual(await boundClaims(4), before);
  assert.deepEqual(await identities(before.values()), ids);
  assert.equal(await token(), secret);
  assert.deepEqual(changes(await local.preview(config())), []);
  tail("managed", JSON.stringify(await local.cluster.api.get(paths.namespaces.named(namespace)), undefined, 1));
});

test("Datastore's claim deleted", async () => {
  const { api } = local.cluster;
  const before = await boundClaims(4);
  await sleep(2000);
  tail("pods", JSON.stringify((await api.list<any>(paths.pods.in(namespace))).map((p: any) => [p.metadata.name, p.status.phase, p.spec.nodeName])));
  written = 0;
  await slip(paths.claims.named(namespace, datastoreClaim));
  await sleep(3000);
  tail("refused", await local.refusal("preview", config()));
  tail("plan", ((p) => p.stdout + p.stderr)(await recover("plan")));
  const run = await local.up(config({ state: "suspended" }));
  tail("up suspended", changes(run).join("\n"));
  await sleep(20000);
  tail("pods", JSON.stringify((await api.list<any>(paths.pods.in(namespace))).map((p: any) => [p.metadata.name, p.status.phase, p.spec.nodeName, p.metadata.deletionTimestamp])));
  tail("claims", JSON.stringify((await api.list<Claim>(paths.claims.in(namespace))).map(({ metadata, spec }) => [metadata.name, metadata.deletionTimestamp, spec.volumeName])));
  tail("active preview", ((await local.refusal("preview", config()))));
  tail("suspended preview", changes((await local.preview(config({ state: "suspended" })))).join("\n"));
  tail("status", (await kraft(["status", "-s", "local", "--directory", directory])).stdout.split("are wrong")[1] ?? "");
  tail("plan", ((p) => p.stdout + p.stderr)(await recover("plan")));
  tail("apply", ((p) => p.stdout + p.stderr)(await recover("apply")));
  assert.deepEqual(await boundClaims(4), before);
  tail("at plan", ((p) => p.stdout + p.stderr)(await recover("plan", "--claim", "shop/data-db-0", "--at", nights[0]?.slice(0, 10) ?? "")));
  tail("at apply", ((p) => p.stdout + p.stderr)(await recover("apply", "--claim", "shop/data-db-0", "--at", nights[0]?.slice(0, 10) ?? "")));
  tail("at apply again", ((p) => p.stdout + p.stderr)(await recover("apply", "--claim", "shop/data-db-0", "--at", nights[0]?.slice(0, 10) ?? "")));
  tail("claims", JSON.stringify(await boundClaims(4).then((m) => [...m])));
  const active = await local.up(config());
  tail("up active", changes(active).join("\n"));
  assert.deepEqual(changes(await local.preview(config())), []);
});
