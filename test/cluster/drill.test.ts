import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join, resolve } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { deleteGuarded } from "../../cluster/delete-guarded.ts";
import { drillNamespace } from "../../components/plan/drill.ts";
import { tenantNames } from "../../components/plan/names.ts";
import type { BackupReport } from "../../kraft/backup/backup.ts";
import type { DrillReport } from "../../kraft/drill/drill.ts";
import type { Status } from "../../kraft/status/report.ts";
import { engineFolder } from "../../local/engine.ts";
import {
  type Claim,
  longhornApi,
  type PersistentVolume,
  type Stored,
  type Volume,
} from "../../local/longhorn/objects.ts";
import { type Ended, kraft } from "../fixtures/kraft/command.ts";
import { type Embedded, eventually } from "./embedded.ts";
import { platform } from "./platform.ts";
import { MemoryStore } from "./simulated-longhorn/memory-store.ts";
import { SimulatedChecker } from "./simulated-longhorn/simulated-checker.ts";
import { SimulatedLonghorn } from "./simulated-longhorn/simulated-longhorn.ts";

const tenants = {
  acme: { domains: ["acme.example"], size: "small" },
  blue: { domains: ["blue.example"], size: "small" },
};
const { namespace, datastoreClaim } = tenantNames("acme");

/** How often a drill is killed. */
const kills = 8;

let local: Embedded;
let directory: string;
let longhorn: SimulatedLonghorn;
let checker: SimulatedChecker;
const store = new MemoryStore();

/** A volume of acme's own, as K3k would have made its claim. */
const shop = "data-shop-acme-6a6b6c";

before(async () => {
  local = await platform();
  directory = engineFolder(local.cluster.directory);
  const { api } = local.cluster;
  longhorn = new SimulatedLonghorn(api, { store });
  checker = new SimulatedChecker(api);
  await local.up({ "kraft:tenants": tenants });
  longhorn.start();
  checker.start();
  await claim(shop);
  await eventually("volumes for both tenants' claims", async () => {
    const volumes = await api.list<Volume>(`${longhornApi}/volumes`);
    const bound = volumes.filter(({ status }) => status?.kubernetesStatus?.pvStatus === "Bound");
    return bound.length === 3 ? true : undefined;
  });
});

after(async () => {
  await checker.stop();
  await longhorn.stop();
  await local.remove();
});

beforeEach(() => {
  checker.reading = () => ({ exitCode: 0, result: {} });
  longhorn.faults.restore = () => undefined;
  longhorn.faults.backup = () => undefined;
});

function run(...line: string[]): Promise<Ended> {
  return kraft([...line, "--directory", directory]);
}

function claim(name: string): Promise<unknown> {
  return local.cluster.api.create(`/api/v1/namespaces/${namespace}/persistentvolumeclaims`, {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name, namespace },
    spec: {
      storageClassName: "kraft-standard",
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: "1Gi" } },
    },
  });
}

const collections = {
  volumes: `${longhornApi}/volumes`,
  snapshots: `${longhornApi}/snapshots`,
  backups: `${longhornApi}/backups`,
  backupVolumes: `${longhornApi}/backupvolumes`,
  persistentVolumes: "/api/v1/persistentvolumes",
  claims: "/api/v1/persistentvolumeclaims",
  pods: "/api/v1/pods",
} as const;

/** Everything that a drill could touch, by UID; and what lies in the store. */
async function everything(): Promise<string[]> {
  const lists = await Promise.all(
    Object.entries(collections).map(async ([kind, path]) => {
      const objects = await local.cluster.api.list<Stored>(path);
      return objects.map(({ metadata: { name, uid, deletionTimestamp } }) =>
        [kind, name, uid, deletionTimestamp === undefined ? "" : "being deleted"].join(" "),
      );
    }),
  );
  return [...lists.flat(), ...[...store.backups.keys()].map((name) => `stored ${name}`)].sort();
}

async function annotations(tenant: string): Promise<Readonly<Record<string, string>>> {
  const found = await local.cluster.api.get(`/api/v1/namespaces/${tenantNames(tenant).namespace}`);
  return found?.metadata.annotations ?? {};
}

async function volumeOf(name: string): Promise<Volume> {
  const volumes = await local.cluster.api.list<Volume>(collections.volumes);
  const found = volumes.find(
    ({ metadata, status }) =>
      status?.kubernetesStatus?.pvcName === name && metadata.labels?.["kraft.dev/drill"] === undefined,
  );
  return found ?? assert.fail(`no volume of ${name}`);
}

test("drill of a tenant without a backup: says which volumes have none, and records that nothing is proven", async () => {
  const { code, stdout, stderr } = await run("drill", "blue", "--stack", "local");
  assert.equal(code, 1, stderr);
  assert.match(stdout, /\n {2}datastore +FAILED +no backup +has no completed backup\n/);
  assert.match(stdout, /\nNothing is proven: not all backups of blue could be restored and read\.\n$/);
  const found = await annotations("blue");
  assert.match(found["kraft.dev/restore-drill-failed"] ?? "", /^\d{4}-.*Z varlibrancher.*: has no completed backup$/);
  assert.equal(found["kraft.dev/proven-restorable"], undefined);
});

test("backup: every volume of the tenant and of nobody else, with whose claim it is", async () => {
  const { code, stdout, stderr } = await run("backup", "acme", "--stack", "local", "--json");
  assert.equal(code, 0, stderr);
  const report = JSON.parse(stdout) as BackupReport;
  assert.deepEqual(
    report.volumes.map(({ ok, claim: name }) => [ok, name]),
    [
      [true, shop],
      [true, datastoreClaim],
    ],
  );
  assert.equal(store.backups.size, 2);
  for (const { labels } of store.backups.values()) {
    const known = JSON.parse(labels["KubernetesStatus"] ?? "") as Record<string, unknown>;
    assert.equal(known["namespace"], namespace);
    assert.equal(known["pvStatus"], "Bound");
  }
  const volume = await volumeOf(shop);
  const [backed] = [...store.backups.values()].filter((stored) => stored.volume === volume.metadata.name);
  assert.equal(volume.status?.lastBackupAt, backed?.snapshotCreatedAt);
});

test("backup: one that Longhorn fails is named, the others are made, and the exit code says so", async () => {
  const failing = (await volumeOf(shop)).metadata.name;
  longhorn.faults.backup = (_, volume) => (volume === failing ? "no space left in the bucket" : undefined);
  const { code, stdout } = await run("backup", "acme", "--stack", "local");
  assert.equal(code, 1);
  assert.match(
    stdout,
    /\n {2}data-shop-acme-6a6b6c +FAILED .* Longhorn could not make the backup: no space left in the/,
  );
  assert.match(stdout, /\n {2}datastore +backed up +backup-[0-9a-f]{16} /);
  assert.match(stdout, /\nNot backed up: data-shop-acme-6a6b6c\.\n$/);
  assert.equal(store.backups.size, 3);
  const datastore = (await volumeOf(datastoreClaim)).metadata.name;
  await eventually("one snapshot of the volume that was backed up twice", async () => {
    const now = await local.cluster.api.list<Stored & { spec: { volume: string } }>(collections.snapshots);
    return now.filter(({ spec }) => spec.volume === datastore).length === 1 ? true : undefined;
  });
});

test("drill: restores and reads every volume, records the proof, leaves nothing behind and touches nothing else", async () => {
  const untouched = await everything();
  const { code, stdout, stderr } = await run("drill", "acme", "--stack", "local", "--json");
  assert.equal(code, 0, stderr);
  const report = JSON.parse(stdout) as DrillReport;
  assert.deepEqual(
    report.volumes.map((volume) => (volume.ok ? [volume.claim, volume.files, volume.datastore] : volume)),
    [
      [shop, 120, "none"],
      [datastoreClaim, 120, "etcd"],
    ],
  );
  assert.deepEqual(await everything(), untouched);
  const found = await annotations("acme");
  assert.equal(
    Date.parse(found["kraft.dev/proven-restorable"] ?? "") / 1000,
    Math.floor(Date.parse(report.provenAt ?? "") / 1000),
  );
  const read = JSON.parse(found["kraft.dev/proven-restorable-volumes"] ?? "") as { read: { claim: string }[] };
  assert.deepEqual(
    read.read.map(({ claim: name }) => name),
    [shop, datastoreClaim],
  );
});

test("drill: a restore that fails and a file that cannot be read prove nothing", async () => {
  const proven = (await annotations("acme"))["kraft.dev/proven-restorable"];
  const untouched = await everything();
  for (const [cause, message] of [
    [() => (longhorn.faults.restore = () => "faulted"), /Longhorn could not restore it: All replica restore failed/],
    [() => (checker.reading = () => ({ exitCode: 1, result: { unread: 3 } })), /3 of 123 files cannot be read/],
  ] as const) {
    longhorn.faults.restore = () => undefined;
    checker.reading = () => ({ exitCode: 0, result: {} });
    cause();
    const { code, stdout, stderr } = await run("drill", "acme", "--stack", "local");
    assert.equal(code, 1, stderr);
    assert.match(stdout, message);
    assert.deepEqual(await everything(), untouched);
    const found = await annotations("acme");
    // What was proven before stays proven; that it failed since is there too.
    assert.equal(found["kraft.dev/proven-restorable"], proven);
    assert.match(found["kraft.dev/restore-drill-failed"] ?? "", message);
  }
});

test("drill: a restore that never ends is given up in time; a simulated pod without a result proves nothing", async () => {
  const untouched = await everything();
  longhorn.faults.restore = () => "endless";
  const endless = await run("drill", "acme", "--stack", "local", "--timeout", "0.1");
  assert.match(endless.stdout, /restoring the backup: not within the time allowed; the volume is attached/);
  longhorn.faults.restore = () => undefined;
  checker.reading = () => undefined;
  const silent = await run("drill", "acme", "--stack", "local");
  assert.match(
    silent.stdout,
    /nothing was read: node optiplex-\d is simulated.* A pod without a result proves nothing/,
  );
  assert.equal(silent.code, 1);
  assert.deepEqual(await everything(), untouched);
});

test("drill: killed anywhere, any number of times, the next one cleans up and comes to its end", async () => {
  const untouched = await everything();
  const start = performance.now();
  assert.equal((await run("drill", "acme", "--stack", "local")).code, 0);
  let whole = performance.now() - start;
  for (let interrupted = 0, runs = 0; interrupted < kills; runs += 1) {
    assert.ok(runs <= 3 * kills, `only ${interrupted} of ${runs} were killed before their end`);
    // Each in another part of it, and the last before its end. A machine that is less busy by now drills faster.
    const part = 0.05 + (0.9 * (interrupted + Math.random())) / kills;
    const ended = await killed(part * whole);
    interrupted += ended === undefined ? 1 : 0;
    whole = ended ?? whole;
  }
  const { code, stdout, stderr } = await run("drill", "acme", "--stack", "local");
  assert.equal(code, 0, `${stdout}${stderr}`);
  assert.deepEqual(await everything(), untouched);
  const lease = `/apis/coordination.k8s.io/v1/namespaces/${drillNamespace}/leases/kraft-drill`;
  assert.equal(await local.cluster.api.get(lease), undefined);
});

/** Kills a drill after that time. @returns how long it took, if it had come to its end before that. */
async function killed(milliseconds: number): Promise<number | undefined> {
  const main = resolve(import.meta.dirname, "../../kraft/main.ts");
  const line = [main, "drill", "acme", "--stack", "local", "--directory", directory];
  const start = performance.now();
  const child = spawn(process.execPath, line, { stdio: "ignore" });
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((done) =>
    child.once("exit", (code, signal) => {
      done({ code, signal });
    }),
  );
  const timer = setTimeout(() => child.kill("SIGKILL"), milliseconds);
  const { code, signal } = await ended;
  clearTimeout(timer);
  if (signal === "SIGKILL") {
    return undefined;
  }
  assert.equal(code, 0);
  return performance.now() - start;
}

test("drill: Ctrl-C cleans up; two at once are refused; what only has a drill's label is left alone", async () => {
  const untouched = await everything();
  const { api } = local.cluster;
  await api.create(collections.volumes, {
    apiVersion: "longhorn.io/v1beta2",
    kind: "Volume",
    metadata: { name: "precious", namespace: "longhorn-system", labels: { "kraft.dev/drill": "acme" } },
    spec: { size: "1073741824", numberOfReplicas: 1 },
  });
  checker.reading = () => undefined;
  const main = join(import.meta.dirname, "../../kraft/main.ts");
  const line = [main, "drill", "acme", "--stack", "local", "--directory", directory];
  const child = spawn(process.execPath, line, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  const ended = new Promise<number | null>((done) => child.once("close", done));
  await eventually("the first drill's pod", async () => {
    const pods = await api.list(`/api/v1/namespaces/${drillNamespace}/pods`);
    return pods.length > 0 ? true : undefined;
  });
  const second = await run("drill", "blue", "--stack", "local");
  assert.match(second.stderr, /^kraft: another drill runs: process \d+ on .*, last heard of /);
  assert.equal(second.code, 1);
  child.kill("SIGINT");
  assert.equal(await ended, 1);
  assert.match(said, /kraft: interrupted by SIGINT/);
  checker.reading = () => ({ exitCode: 0, result: {} });
  const third = await run("drill", "acme", "--stack", "local");
  assert.match(third.stdout, /Not touched: volume precious has a drill's label, but does not have a drill's name\./);
  assert.equal(third.code, 0);
  await deleteGuarded(api, `${collections.volumes}/precious`);
  await eventually("only what was there before", async () =>
    JSON.stringify(await everything()) === JSON.stringify(untouched) ? true : undefined,
  );
});

test("status: who was proven and when, as text, as data and for Prometheus", async () => {
  const text = await run("status", "local");
  assert.match(text.stdout, /\n {2}acme .* \d+ min ago\n/);
  assert.match(
    text.stdout,
    /\n {2}tenant blue: its last restore drill failed \d+ min ago: varlib.*has no completed backup/,
  );
  const { stdout } = await run("status", "local", "--json");
  const status = JSON.parse(stdout) as Status;
  const proven = status.tenants.map(({ name, lastProvenRestorableAt }) => [name, lastProvenRestorableAt !== null]);
  assert.deepEqual(proven, [
    ["acme", true],
    ["blue", false],
  ]);
  const metrics = await run("status", "local", "--prometheus");
  assert.match(metrics.stdout, /^kraft_tenant_last_proven_restorable_timestamp_seconds\{tenant="acme"\} \d{10}$/m);
  assert.match(metrics.stdout, /^kraft_tenant_last_proven_restorable_timestamp_seconds\{tenant="blue"\} 0$/m);
});

test("drill --next: the tenant that was proven longest ago", async () => {
  assert.equal((await run("backup", "blue", "--stack", "local")).code, 0);
  // Blue's drill failed before acme's succeeded.
  const { code, stdout, stderr } = await run("drill", "--next", "--stack", "local", "--json");
  assert.equal(code, 0, stderr);
  assert.equal((JSON.parse(stdout) as DrillReport).tenant, "blue");
  assert.equal((await annotations("blue"))["kraft.dev/restore-drill-failed"], undefined);
});

test("what a drill recorded is no change to the program, and stays", async () => {
  const before = await annotations("acme");
  const { steps } = await local.up({ "kraft:tenants": tenants });
  assert.deepEqual(
    steps.filter(({ operation }) => operation !== "same"),
    [],
  );
  assert.deepEqual(await annotations("acme"), before);
});

test("reclaim: nothing of a volume that is in use, not without confirmation, not without a backup; backups stay", async () => {
  const { api } = local.cluster;
  const { name } = (await volumeOf(shop)).metadata;
  const today = new Date().toISOString().slice(0, 10);
  const confirm = ["reclaim", "--stack", "local", "--volume", name, "--confirm", name, today];
  const inUse = await run(...confirm, "--without-backup");
  assert.match(
    inUse.stderr,
    new RegExp(`its PersistentVolume ${name} is Bound\n +the claim ${namespace}/${shop} names it`),
  );
  assert.equal(inUse.code, 1);

  // Backups are told apart by the second.
  await sleep(1100);
  await deleteGuarded(api, `/api/v1/namespaces/${namespace}/persistentvolumeclaims/${shop}`);
  await eventually("a released volume", async () => {
    const found = await api.get<PersistentVolume>(`${collections.persistentVolumes}/${name}`);
    const status = (await api.get<Volume>(`${collections.volumes}/${name}`))?.status?.kubernetesStatus;
    return found?.status?.phase === "Released" && status?.lastPVCRefAt !== "" ? true : undefined;
  });
  const list = await run("reclaim", "--stack", "local");
  assert.match(
    list.stdout,
    new RegExp(`\n {2}acme +${shop} +${name} +48 MiB of 1 GiB +\\d+ min ago +\\d+ min ago +not since\n`),
  );
  const unconfirmed = await run("reclaim", "--stack", "local", "--volume", name, "--confirm", name, "2026-01-01");
  assert.equal(unconfirmed.code, 2);
  const old = await run(...confirm);
  assert.match(old.stderr, /its last backup .* is older than the end of its claim .* back it up first: npx kraft/);
  assert.equal(old.code, 1);

  // A claim that somebody wants to bind to it by hand.
  await api.create("/api/v1/namespaces/default/persistentvolumeclaims", {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: "rescue", namespace: "default" },
    spec: {
      storageClassName: "kraft-standard",
      volumeName: name,
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: "1Gi" } },
    },
  });
  const named = await run(...confirm, "--without-backup");
  assert.match(named.stderr, /the claim default\/rescue names it/);
  assert.equal(named.code, 1);
  await api.delete("/api/v1/namespaces/default/persistentvolumeclaims/rescue");

  const backedUp = await run("backup", "acme", "--volume", name, "--stack", "local");
  assert.equal(backedUp.code, 0, `${backedUp.stdout}${backedUp.stderr}`);
  const kept = [...store.backups.keys()];
  const untouched = await everything();
  const done = await run(...confirm);
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stdout, /is deleted, 48 MiB on each copy\. Its backups are kept\./);
  assert.deepEqual([...store.backups.keys()], kept);
  const claims = await api.list<Claim>(collections.claims);
  assert.ok(!claims.some(({ spec }) => spec.volumeName === name));
  const now = new Set(await everything());
  assert.deepEqual(
    untouched
      .filter((line) => !now.has(line) && !line.startsWith("snapshots "))
      .map((line) => line.split(" ").slice(0, 2)),
    [
      ["persistentVolumes", name],
      ["volumes", name],
    ],
  );
});
