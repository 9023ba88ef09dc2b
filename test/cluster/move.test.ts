import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { KubernetesObject } from "../../cluster/objects.ts";
import { syncedName, tenantNames } from "../../components/plan/names.ts";
import { readCatalogue } from "../../infra/catalogue/catalogue.ts";
import { engineFolder } from "../../local/engine.ts";
import type { EngineRun } from "../../local/engine-run.ts";
import { type Engine, longhornApi, type Volume } from "../../local/longhorn/objects.ts";
import { keepS3Keys, newS3Keys } from "../../local/s3.ts";
import { silentReporter } from "../../local/terminal.ts";
import { readyTools } from "../../local/toolchain/ready.ts";
import type { BackupStore } from "../fixtures/backup-store.ts";
import { type Ended, kraft, startKraft } from "../fixtures/kraft/command.ts";
import { dnsServer } from "../fixtures/kraft/dns-server.ts";
import { type S3Server, startS3 } from "../fixtures/s3-server.ts";
import { type Config, type Embedded, embedded, eventually, type Tenants } from "./embedded.ts";
import { killWithDescendants } from "./kill.ts";
import { CatalogueStore } from "./simulated-longhorn/catalogue-store.ts";
import { SimulatedLonghorn } from "./simulated-longhorn/simulated-longhorn.ts";
import { WrittenStore } from "./simulated-longhorn/written-store.ts";

/** How often `cutover` is killed before it may end. */
const kills = 4;

const folder = mkdtempSync(join(tmpdir(), "kraft-move-"));
const seed = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const acme = { domains: ["acme.example"], size: "small" };
const blue = { domains: ["blue.example"], size: "small" };
const place = { region: "eu-central-2", bucket: "kraft-backup" };

let server: S3Server;
let homelab: Embedded;
let proliant: Embedded;
let left: SimulatedLonghorn;
let right: SimulatedLonghorn;
let written: WrittenStore;
let of: Readonly<Record<"homelab" | "proliant", BackupStore>>;
let source: Config;
let target: Config;

/** Both stack files side by side, as an operator has them. */
const files = join(folder, "files");

before(async () => {
  const tools = await readyTools(silentReporter);
  const keys = newS3Keys();
  server = await startS3({ directory: join(folder, "wasabi"), tools, ...keys, ...place });
  const { endpoint } = server;
  of = {
    homelab: { ...keys, ...place, endpoint, prefix: "homelab" },
    proliant: { ...keys, ...place, endpoint, prefix: "proliant" },
  };
  const start = (name: string): Promise<Embedded> => {
    const directory = join(folder, name, name);
    keepS3Keys(directory, keys);
    return embedded(name, directory);
  };
  homelab = await start("homelab");
  homelab.secrets = { "kraft:guestTokenSeed": seed };
  source = { "kraft:backup": { ...place, prefix: "homelab", endpoint }, "kraft:tenants": { acme, blue } };
  await homelab.up(source);
  proliant = await start("proliant");
  proliant.secrets = {
    "kraft:sourceAccessKeyId": keys.accessKeyId,
    "kraft:sourceSecretAccessKey": keys.secretAccessKey,
    "kraft:sourceTokenSeed": seed,
  };
  target = {
    "kraft:backup": { ...place, prefix: "proliant", endpoint },
    "kraft:source": { stack: "homelab", ...place, prefix: "homelab", endpoint },
    "kraft:tenants": { acme: { ...acme, from: "homelab" }, blue: { ...blue, from: "homelab" } },
  };
  written = new WrittenStore(tools, of.homelab);
  left = new SimulatedLonghorn(homelab.cluster.api, { store: written, interval: 200 });
  right = new SimulatedLonghorn(proliant.cluster.api, {
    store: new WrittenStore(tools, of.proliant),
    targets: { homelab: new CatalogueStore(of.homelab, { anew: true }) },
    interval: 200,
  });
  left.start();
  right.start();
  mkdirSync(files);
  for (const { cluster } of [homelab, proliant]) {
    const name = `Pulumi.${cluster.stack.name}.yaml`;
    symlinkSync(join(engineFolder(cluster.directory), name), join(files, name));
  }
  symlinkSync(join(engineFolder(proliant.cluster.directory), "Pulumi.yaml"), join(files, "Pulumi.yaml"));
  // What a tenant claims in the guest, as K3k's syncer brings it to the host.
  await homelab.cluster.api.create(`/api/v1/namespaces/${acmeNames.namespace}/persistentvolumeclaims`, {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      name: shop,
      namespace: acmeNames.namespace,
      labels: { "k3k.io/clusterName": "acme" },
      annotations: { "k3k.io/name": "data-db-0", "k3k.io/namespace": "shop" },
    },
    spec: {
      storageClassName: "kraft-standard",
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: "1Gi" } },
    },
  });
});

after(async () => {
  await left.stop();
  await right.stop();
  await homelab.remove();
  await proliant.remove();
  await server.stop();
  rmSync(folder, { recursive: true });
});

const acmeNames = tenantNames("acme");
const shop = syncedName(acmeNames.cluster, { name: "data-db-0", namespace: "shop" });

function environment(): Readonly<Record<string, string>> {
  const passphrase = readFileSync(join(proliant.cluster.directory, "credentials", "pulumi-passphrase"), "utf8").trim();
  return { PULUMI_CONFIG_PASSPHRASE: passphrase };
}

function move(...line: string[]): Promise<Ended> {
  return kraft(["move", ...line, "--directory", files], environment());
}

async function backUp(
  tenant: string,
  stack: string,
): Promise<readonly { readonly volume: string; readonly backup: string }[]> {
  const { code, stdout, stderr } = await kraft(["backup", tenant, "--stack", stack, "--directory", files, "--json"]);
  assert.equal(code, 0, stdout + stderr);
  return (JSON.parse(stdout) as { readonly volumes: readonly { readonly volume: string; readonly backup: string }[] })
    .volumes;
}

/** A stack file with other tenants. */
function withTenants(config: Config, tenants: Tenants): Config {
  return { ...config, "kraft:tenants": tenants };
}

/** Ends what K3k does not: pods that are on a node, until none is. */
async function withoutPods(tenant: string): Promise<void> {
  const path = `/api/v1/namespaces/${tenantNames(tenant).namespace}/pods`;
  const look = async (): Promise<true | undefined> => {
    const pods = await homelab.cluster.api.list<KubernetesObject & { readonly spec: { readonly nodeName?: string } }>(
      path,
    );
    const running = pods.filter(({ spec }) => spec.nodeName !== undefined);
    for (const { metadata } of running) {
      await homelab.cluster.api.delete(`${path}/${metadata.name}`);
    }
    return running.length === 0 ? true : undefined;
  };
  // K3k has to have suspended the guest first, which took longer than a minute beside three other clusters.
  await eventually(`no pod of ${tenant}`, look, 180);
}

function changes({ steps }: EngineRun): string[] {
  return steps.map(({ operation, urn }) => `${operation} ${urn.slice(urn.lastIndexOf("::") + 2)}`).sort();
}

function volumesOf({ cluster }: Embedded): Promise<readonly Volume[]> {
  return cluster.api.list<Volume>(`${longhornApi}/volumes`);
}

/** Of acme, by the name of the claim. */
async function claimsOf({
  cluster,
}: Embedded): Promise<ReadonlyMap<string, { readonly volume: string; readonly phase: string }>> {
  const claims = await cluster.api.list<
    KubernetesObject & {
      readonly spec: { readonly volumeName?: string };
      readonly status?: { readonly phase?: string };
    }
  >(`/api/v1/namespaces/${acmeNames.namespace}/persistentvolumeclaims`);
  return new Map(
    claims.map(({ metadata, spec, status }) => [
      metadata.name,
      { volume: spec.volumeName ?? "", phase: status?.phase ?? "" },
    ]),
  );
}

async function annotationsOf({ cluster }: Embedded): Promise<Readonly<Record<string, string>>> {
  const found = await cluster.api.get(`/api/v1/namespaces/${acmeNames.namespace}`);
  return found?.metadata.annotations ?? {};
}

async function tokenOf({ cluster }: Embedded): Promise<string> {
  const secret = await cluster.api.get<KubernetesObject & { readonly data: Readonly<Record<string, string>> }>(
    `/api/v1/namespaces/${acmeNames.namespace}/secrets/${acmeNames.tokenSecret}`,
  );
  return secret?.data["token"] ?? assert.fail("no token");
}

async function guestOf({ cluster }: Embedded): Promise<KubernetesObject | undefined> {
  return cluster.api.get(`/apis/k3k.io/v1beta1/namespaces/${acmeNames.namespace}/clusters/acme`);
}

/** Whatever the move could touch where the tenant leaves, by UID and, of volumes, by what they are. */
async function atHome(): Promise<string[]> {
  const lists = await Promise.all(
    [
      `${longhornApi}/volumes`,
      "/api/v1/persistentvolumes",
      "/api/v1/persistentvolumeclaims",
      "/apis/k3k.io/v1beta1/clusters",
      "/api/v1/namespaces",
    ].map(async (path) =>
      (await homelab.cluster.api.list(path)).map(({ metadata }) => `${path} ${metadata.uid ?? ""}`),
    ),
  );
  return lists.flat().sort();
}

/** Keeps what Longhorn says that it restored last of each volume, until the volume is let go of and it says nothing more. */
async function watch(restored: Map<string, string>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for (const { spec, status } of await proliant.cluster.api.list<Engine>(`${longhornApi}/engines`)) {
      const last = status?.lastRestoredBackup ?? "";
      if (last !== "") {
        restored.set(spec.volumeName ?? "", last);
      }
    }
    await sleep(50);
  }
}

test("the tenant's entry with `from`: everything of the tenant but the guest, with the token that it has", async () => {
  const run = await proliant.up(target);
  assert.ok(
    run.steps.every(({ operation }) => operation === "create"),
    changes(run).join("\n"),
  );
  assert.equal(await guestOf(proliant), undefined);
  assert.equal(await tokenOf(proliant), await tokenOf(homelab));
  assert.match(
    run.messages.map(({ text }) => text).join("\n"),
    /kraft:tenants\.acme\.from: homelab: no guest yet.*npx kraft move acme copy -s proliant/,
  );
  assert.deepEqual(changes(await proliant.preview(target)), []);
  const known = await eventually("Longhorn reads the other stack's backups", async () => {
    const found = await proliant.cluster.api.get<
      KubernetesObject & { readonly spec: object; readonly status?: { readonly available?: boolean } }
    >(`${longhornApi}/backuptargets/homelab`);
    return found?.status?.available === true ? found : undefined;
  });
  assert.deepEqual(
    Object.entries(known.spec).filter(([key]) => key !== "syncRequestedAt"),
    [
      ["backupTargetURL", "s3://kraft-backup@eu-central-2/homelab/"],
      ["credentialSecret", "backup-source-homelab"],
      ["pollInterval", "5m0s"],
    ],
  );
});

test("copy without a backup of everything is refused, and says which", async () => {
  await eventually("both volumes of acme", async () => {
    const claims = [...(await claimsOf(homelab)).values()];
    return claims.length === 2 && claims.every(({ phase }) => phase === "Bound") ? true : undefined;
  });
  const { code, stderr } = await move("acme", "copy");
  assert.equal(code, 1);
  assert.match(
    stderr,
    /no backup of it is in s3:\/\/kraft-backup@eu-central-2\/homelab\/: npx kraft backup acme -s homelab/,
  );
  assert.deepEqual(await volumesOf(proliant), []);
});

test("copy: every volume follows the backups, and nothing changes where the tenant runs", async () => {
  await backUp("acme", "homelab");
  const before = await atHome();
  const { code, stdout, stderr } = await move("acme", "copy");
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /^2 volumes of acme are copied to proliant, and follow the backups of homelab\./);
  assert.match(stdout, /Next:\n {2}state: suspended for acme in Pulumi\.homelab\.yaml/);
  assert.deepEqual(await atHome(), before);
  const copies = await volumesOf(proliant);
  assert.equal(copies.length, 2);
  for (const { metadata, spec, status } of copies) {
    assert.equal(spec.Standby, true);
    assert.equal(status?.isStandby, true);
    assert.equal(spec.backupTargetName, "homelab");
    // In no schedule: a copy that backs up would write over the backup that it follows.
    assert.deepEqual(
      Object.keys(metadata.labels ?? {}).filter((label) => label.startsWith("recurring-job")),
      ["recurring-job-group.longhorn.io/kraft-none"],
    );
  }
  assert.equal((await claimsOf(proliant)).size, 0);

  const again = await move("acme", "copy", "--json");
  assert.equal(again.code, 0, again.stderr);
  const { volumes } = JSON.parse(again.stdout) as { readonly volumes: readonly { readonly result: string }[] };
  assert.deepEqual(
    volumes.map(({ result }) => result),
    ["there", "there"],
  );
});

test("where it stands", async () => {
  const { code, stdout } = await move("acme");
  assert.equal(code, 0);
  assert.match(stdout, /^acme: from homelab to proliant\ncopies follow the backups; the tenant runs where they are\n/);
  assert.match(stdout, /\n {2}datastore +pvc-\S+ +.* a standby copy\n/);
});

test("the source cannot leave the file while volumes follow its backups", async () => {
  const { "kraft:source": _, ...without } = target;
  const { secrets } = proliant;
  proliant.secrets = { "kraft:sourceTokenSeed": seed };
  const message = await proliant.refusal("preview", without);
  proliant.secrets = secrets;
  assert.match(message, /kraft:source\n {4}found: {3}nothing, but volumes follow the backups of homelab in s3:/);
  // The file as it was.
  await proliant.engine(target);
});

test("cutover while the tenant runs is refused, with everything that is in the way, and touches nothing", async () => {
  const before = [await atHome(), await annotationsOf(homelab), await volumesOf(proliant)];
  const { code, stderr } = await move("acme", "cutover");
  assert.equal(code, 1);
  assert.match(stderr, /cutover of acme from homelab to proliant cannot start yet\. Nothing was changed\./);
  assert.match(stderr, /acme is not suspended on homelab: state: suspended in Pulumi\.homelab\.yaml/);
  assert.match(stderr, /pods of acme run on homelab and may write: k3k-acme-server-0/);
  const after = [await atHome(), await annotationsOf(homelab), await volumesOf(proliant)];
  assert.deepEqual(JSON.stringify(after[0]), JSON.stringify(before[0]));
  assert.deepEqual(after[1], before[1]);
});

test(`cutover, killed ${kills} times at random: the last backup of everything, under its old claim, before any guest`, async () => {
  await backUp("blue", "homelab");
  await homelab.up(
    withTenants(source, { acme: { ...acme, state: "suspended" }, blue: { ...blue, state: "suspended" } }),
  );
  await withoutPods("acme");
  const restored = new Map<string, string>();
  const watching = new AbortController();
  const watched = watch(restored, watching.signal);
  // An upload that a killed run began, and that would end after those of the next run, before these are restored.
  written.slow = "next";
  right.faults.follow = () => (written.slow === "now" ? "endless" : undefined);
  const first = startKraft(["move", "acme", "cutover", "--directory", files], environment());
  await eventually("an upload", () => Promise.resolve(written.slow === "now" ? true : undefined));
  await killWithDescendants(first);
  const delays: number[] = [];
  for (let kill = 0; kill < kills; kill += 1) {
    const child = startKraft(["move", "acme", "cutover", "--directory", files], environment());
    const delay = 1500 + Math.random() * 12_000;
    delays.push(Math.round(delay));
    await Promise.race([sleep(delay), new Promise((resolve) => child.once("exit", resolve))]);
    await killWithDescendants(child);
    assert.equal(await guestOf(proliant), undefined);
  }
  const { code, stdout, stderr } = await move("acme", "cutover");
  assert.equal(code, 0, `killed after ${delays.join(", ")} ms\n${stdout}${stderr}`);
  assert.match(stdout, /^Everything of acme is on proliant, as it was when it stopped on homelab\./);

  const [home, away] = await Promise.all([claimsOf(homelab), claimsOf(proliant)]);
  assert.deepEqual([...away].sort(), [...home].sort());
  assert.ok([...away.values()].every(({ phase }) => phase === "Bound"));
  watching.abort();
  await watched;
  const newest = (await readCatalogue(of.homelab)).volumes
    .filter(({ namespace }) => namespace === acmeNames.namespace)
    .map(({ volume, backup }) => [volume, backup.name] as const);
  assert.deepEqual([...restored].sort(), [...newest].sort());
  for (const { metadata, spec, status } of await volumesOf(proliant)) {
    assert.equal(spec.Standby, false);
    assert.equal(status?.isStandby, false);
    assert.equal(status.restoreRequired, false);
    assert.equal(spec["frontend"], "blockdev");
    assert.equal(spec.backupTargetName, "default");
    assert.equal(metadata.labels?.["recurring-job-group.longhorn.io/kraft-none"], undefined);
  }
  assert.match((await annotationsOf(homelab))["kraft.dev/moved-to"] ?? "", /^proliant \d{4}-/);
  assert.equal((await annotationsOf(proliant))["kraft.dev/arrived-from"], "homelab");
});

test("where the tenant was, the guest does not start again; where they came to, it starts over its old volumes", async () => {
  const message = await homelab.refusal("preview", source);
  assert.match(message, /kraft:tenants\.acme\.state\n {4}found: {3}"active", but acme moved to proliant/);
  const run = await proliant.up(target);
  // Only what kept the tenant shut until then is opened beside it, and K3k's kubelets of the guest get their rights.
  const expected =
    /^(create tenant-acme-|update tenant-acme-(network-|policy$)|update k3k:k3k-(kubelet-node|priorityclass)$)/;
  assert.deepEqual(
    changes(run).filter((change) => !expected.test(change)),
    [],
  );
  assert.ok(await guestOf(proliant));
  const before = await claimsOf(proliant);
  await eventually("the server of acme with its old volume", async () => {
    const pod = await proliant.cluster.api.get<
      KubernetesObject & {
        readonly spec: {
          readonly volumes: readonly { readonly persistentVolumeClaim?: { readonly claimName: string } }[];
        };
      }
    >(`/api/v1/namespaces/${acmeNames.namespace}/pods/k3k-acme-server-0`);
    return pod?.spec.volumes.find(
      ({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName === acmeNames.datastoreClaim,
    );
  });
  assert.deepEqual(await claimsOf(proliant), before);
  assert.deepEqual(changes(await proliant.preview(target)), []);
});

test("`from` stays: without it the guest could not open its own data", async () => {
  const { from: _, ...without } = (target["kraft:tenants"] as Tenants)["acme"] as { readonly from: string };
  const message = await proliant.refusal("preview", {
    ...target,
    "kraft:tenants": { ...(target["kraft:tenants"] as Tenants), acme: without },
  });
  assert.match(message, /kraft:tenants\.acme\.from\n {4}found: {3}nothing, but acme came from homelab/);
  // The file as it was.
  await proliant.engine(target);
});

test("done: what is open, until nothing is but the guest; and homelab's backups were only read", async () => {
  const dns = await dnsServer({
    "ingress.proliant.kraft.test": { A: ["203.0.113.7"] },
    "acme.api.proliant.kraft.test": { CNAME: "ingress.proliant.kraft.test" },
    "acme.example": { A: ["203.0.113.7"] },
  });
  try {
    const open = await move("acme", "done", "--resolver", dns.address);
    assert.equal(open.code, 1);
    assert.match(open.stdout, /its guest runs on proliant +no/);
    assert.match(open.stdout, /proliant has backups of its own of every volume +no +0 of 2/);
    assert.match(open.stdout, /acme\.example leads to proliant +yes/);
    assert.match(open.stdout, /it is stopped on homelab +yes +suspended/);

    const ofHomelab = await readCatalogue(of.homelab);
    await backUp("acme", "proliant");
    assert.deepEqual(await readCatalogue(of.homelab), ofHomelab);
    assert.equal((await readCatalogue(of.proliant)).volumes.length, 2);
    // No guest's API server runs here, so that K3k never says that it is ready; nothing else is open any more.
    const rest = await move("acme", "done", "--resolver", dns.address);
    assert.equal(rest.code, 1);
    assert.match(
      rest.stdout,
      /\n1 thing is open\n {2}its guest runs on proliant: pulumi up -s proliant, then npx kraft/,
    );
  } finally {
    dns.close();
  }
});

test("back: blue's cutover is given up, blue may start where it was, and the copies are never taken for a later move's", async () => {
  await withoutPods("blue");
  const cut = await move("blue", "cutover");
  assert.equal(cut.code, 0, cut.stdout + cut.stderr);
  const blueAgain = withTenants(source, { acme: { ...acme, state: "suspended" }, blue });
  assert.match(await homelab.refusal("preview", blueAgain), /"active", but blue moved to proliant/);
  const back = await move("blue", "back");
  assert.equal(back.code, 0, back.stdout + back.stderr);
  await homelab.up(blueAgain);
  const guests = await proliant.cluster.api.list("/apis/k3k.io/v1beta1/clusters");
  assert.deepEqual(
    guests.map(({ metadata }) => metadata.name),
    ["acme"],
  );
  const again = await move("blue", "copy");
  assert.equal(again.code, 1);
  assert.match(again.stdout, /an earlier move activated .*, which lacks what was written since: it was left as it is/);
  assert.match(
    (await move("blue")).stdout,
    /copies of an earlier move are active there, and are in the way of another/,
  );
  assert.match(changes(await proliant.preview(target)).join("\n"), /^$/);
});

test("without `kraft:source` Longhorn forgets homelab's backups, and leaves them in the bucket", async () => {
  const before = await readCatalogue(of.homelab);
  const { "kraft:source": _, ...without } = target;
  proliant.secrets = { "kraft:sourceTokenSeed": seed };
  const run = await proliant.up(without);
  assert.deepEqual(
    changes(run).filter((change) => !change.includes("source-homelab")),
    [],
  );
  await eventually("the target is forgotten", async () => {
    const found = await proliant.cluster.api.get(`${longhornApi}/backuptargets/homelab`);
    return found === undefined ? true : undefined;
  });
  assert.deepEqual(await readCatalogue(of.homelab), before);
});
