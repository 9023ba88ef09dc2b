import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import { deleteGuarded } from "../../cluster/delete-guarded.ts";
import { paths } from "../../cluster/paths.ts";
import { platformNamespaces } from "../../components/plan/network/platform-policies.ts";
import type { Api } from "../../local/api.ts";
import type { LonghornStandIn } from "../../local/longhorn/longhorn-stand-in.ts";
import { standInWithDisks } from "../../local/longhorn/main.ts";
import {
  type Backup,
  type Claim,
  longhornApi,
  type PersistentVolume,
  type Snapshot,
  type Volume,
  type VolumeAttachment,
  volumeAttachments,
} from "../../local/longhorn/objects.ts";
import { readS3Keys, s3Client, s3Endpoint, s3Port } from "../../local/s3.ts";
import { terminalReporter } from "../../local/terminal.ts";
import { toolPath, type Tools } from "../../local/toolchain/ready.ts";
import { readyTools } from "../../local/toolchain/ready.ts";
import { type Embedded, eventually } from "./embedded.ts";
import { platform } from "./platform.ts";
import { Plugin } from "./volumes/csi.ts";
import { Home, type Machine } from "./volumes/home.ts";

// Real: the API server with its controllers for claims and attachments, the file systems, the loop devices, the CSI calls,
// the S3 server and Longhorn's own library. Simulated: the nodes, whose pods have no containers; this test makes the calls
// that a kubelet would make.

const namespace = "volumes";
const folder = mkdtempSync(join(tmpdir(), "kraft-volumes-"));
const mebibyte = 1024 ** 2;
let local: Embedded;
let api: Api;
let tools: Tools;
let home: Home;
let one: Machine;
let two: Machine;
let standIn: LonghornStandIn;
/** What time it is for recurring jobs. */
let ahead = 0;
/** What the stand-in said that went wrong. */
const reports: string[] = [];

before(async () => {
  tools = await readyTools(terminalReporter(), ["storage", "volumes"]);
  local = await platform();
  api = local.cluster.api;
  // Starts the S3 server, with the keys that the platform's Secret has.
  await local.engine({});
  home = new Home(folder, tools);
  await home.start();
  one = await home.machine("optiplex-1");
  two = await home.machine("optiplex-2");
  for (const { name } of [one, two]) {
    // A kubelet says so of its node: Kubernetes' controller attaches volumes to such nodes only.
    await api.merge(paths.nodes.named(name), {
      metadata: { annotations: { "volumes.kubernetes.io/controller-managed-attach-detach": "true" } },
    });
  }
  standIn = newStandIn();
  standIn.start();
  await api.create("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
});

after(async () => {
  // Whatever of it is there: `before` may have failed.
  const parts: { readonly standIn?: LonghornStandIn; readonly home?: Home; readonly local?: Embedded } = {
    standIn,
    home,
    local,
  };
  await parts.standIn?.stop().catch(() => undefined);
  await parts.home?.stop();
  await parts.local?.remove();
  rmSync(folder, { recursive: true, force: true });
});

function newStandIn(): LonghornStandIn {
  return standInWithDisks({
    api,
    disksSocket: home.socket,
    backupStore: toolPath(tools, "backup-store"),
    s3Endpoint: s3Endpoint(s3Port(local.cluster)),
    interval: 100,
    report: (text) => reports.push(text),
    clock: () => new Date(Date.now() + ahead),
  });
}

function get<Kind>(path: string): Promise<Kind | undefined> {
  return api.get<Kind>(path);
}

function volumeOf(name: string): Promise<Volume | undefined> {
  return get<Volume>(`${longhornApi}/volumes/${name}`);
}

const claimPath = (name: string): string => `/api/v1/namespaces/${namespace}/persistentvolumeclaims/${name}`;

async function claim(name: string, storage = "64Mi", more: object = {}): Promise<string> {
  await api.create(`/api/v1/namespaces/${namespace}/persistentvolumeclaims`, {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name, namespace },
    spec: {
      accessModes: ["ReadWriteOnce"],
      storageClassName: "kraft-standard",
      resources: { requests: { storage } },
      ...more,
    },
  });
  return eventually(`the claim ${name} to be bound`, async () => {
    const found = await get<Claim & { readonly status?: { readonly phase?: string } }>(claimPath(name));
    return found?.status?.phase === "Bound" ? found.spec.volumeName : undefined;
  });
}

function pod(name: string, claimName: string, node: string): Promise<unknown> {
  return api.create(`/api/v1/namespaces/${namespace}/pods`, {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace },
    spec: {
      nodeSelector: { "kubernetes.io/hostname": node },
      containers: [{ name: "main", image: "simulated", volumeMounts: [{ name: "data", mountPath: "/data" }] }],
      volumes: [{ name: "data", persistentVolumeClaim: { claimName } }],
    },
  });
}

/** The VolumeAttachment that Kubernetes' own controller makes for a pod. */
function attachmentOf(persistentVolume: string, node: string): Promise<VolumeAttachment> {
  return eventually(`${persistentVolume} to be attached to ${node}`, async () =>
    (await api.list<VolumeAttachment>(volumeAttachments)).find(
      ({ spec, status }) =>
        spec.nodeName === node && spec.source.persistentVolumeName === persistentVolume && status?.attached === true,
    ),
  );
}

/** A VolumeAttachment as Kubernetes' controller would make it. */
function attach(name: string, persistentVolume: string, node: string): Promise<unknown> {
  return api.create(volumeAttachments, {
    apiVersion: "storage.k8s.io/v1",
    kind: "VolumeAttachment",
    metadata: { name },
    spec: {
      attacher: "driver.longhorn.io",
      nodeName: node,
      source: { persistentVolumeName: persistentVolume },
    },
  });
}

function detached(volume: string): Promise<true> {
  return eventually(`volume ${volume} to be detached`, async () =>
    (await volumeOf(volume))?.status?.state === "detached" ? true : undefined,
  );
}

const capability = {
  mount: { fs_type: "ext4", mount_flags: [] },
  access_mode: { mode: "SINGLE_NODE_MULTI_WRITER" },
};

function pathsOf(machine: Machine, volume: string): { readonly staging: string; readonly target: string } {
  return {
    staging: join(machine.kubelet, "plugins/kubernetes.io/csi/driver.longhorn.io", volume, "globalmount"),
    target: join(machine.kubelet, "pods", volume, "volumes/kubernetes.io~csi/data/mount"),
  };
}

/** As the kubelet does for a pod: gives the folder that its container would see. */
async function mount(machine: Machine, volume: string, readonly = false): Promise<string> {
  const { staging, target } = pathsOf(machine, volume);
  const common = { volume_id: volume, staging_target_path: staging, volume_capability: capability };
  await machine.plugin.call("NodeStageVolume", common);
  // The kubelet makes only the folder above.
  await machine.plugin.call("NodePublishVolume", { ...common, target_path: target, readonly });
  return target;
}

async function unmount(machine: Machine, volume: string): Promise<void> {
  const { staging, target } = pathsOf(machine, volume);
  await machine.plugin.call("NodeUnpublishVolume", { volume_id: volume, target_path: target });
  await machine.plugin.call("NodeUnstageVolume", { volume_id: volume, staging_target_path: staging });
}

/** Every file of a folder with what it is and what is in it. */
function listing(path: string, machine: Machine): string {
  return home.run(
    `cd ${path}; find . -path ./lost+found -prune -o -printf '%y %m %U:%G %s %T@ %p %l\\n' | sed -E 's/^(d .*) [0-9]+ /\\1 /' | sort; find . -path ./lost+found -prune -o -type f -print0 | sort -z | xargs -0 sha256sum`,
    machine,
  );
}

async function snapshot(volume: string, name: string): Promise<void> {
  await api.create(`${longhornApi}/snapshots`, {
    apiVersion: "longhorn.io/v1beta2",
    kind: "Snapshot",
    metadata: { name, namespace: platformNamespaces.longhorn },
    spec: { volume, createSnapshot: true },
  });
  await eventually(`the snapshot ${name}`, async () =>
    (await get<Snapshot>(`${longhornApi}/snapshots/${name}`))?.status?.readyToUse === true ? true : undefined,
  );
}

type MadeBackup = Backup & {
  readonly status: {
    readonly url: string;
    readonly size: string;
    readonly newlyUploadDataSize: string;
    readonly error?: string;
  };
};

async function backup(volume: string, name: string): Promise<MadeBackup> {
  await snapshot(volume, `snapshot-of-${name}`);
  await api.create(`${longhornApi}/backups`, {
    apiVersion: "longhorn.io/v1beta2",
    kind: "Backup",
    metadata: {
      name,
      namespace: platformNamespaces.longhorn,
      labels: { "backup-volume": volume, "backup-target": "default" },
    },
    spec: { snapshotName: `snapshot-of-${name}`, labels: { KubernetesStatus: JSON.stringify({ pvcName: "data" }) } },
  });
  return eventually(`the backup ${name}`, async () => {
    const found = await get<MadeBackup>(`${longhornApi}/backups/${name}`);
    assert.notEqual(found?.status.state, "Error", found?.status.error);
    return found?.status.state === "Completed" ? found : undefined;
  });
}

/** Keys of the blocks that the bucket has. */
async function blocks(): Promise<readonly string[]> {
  const keys = readS3Keys(local.cluster.directory);
  assert.ok(keys !== undefined);
  const client = s3Client({ ...keys, endpoint: s3Endpoint(s3Port(local.cluster)), region: "eu-central-2" });
  try {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: "kraft-local" }));
    return Contents.map(({ Key = "" }) => Key).filter((key) => key.endsWith(".blk"));
  } finally {
    client.destroy();
  }
}

let volume: string;
/** What the volume held at its first backup. */
let atFirstBackup: string;

test("the plugin registers as the kubelet wants it, and refuses what it cannot do", async () => {
  const registration = Plugin.registration(join(one.kubelet, "plugins_registry/driver.longhorn.io-reg.sock"));
  const found = await registration.call("GetInfo", {});
  registration.close();
  assert.deepEqual(found, {
    type: "CSIPlugin",
    name: "driver.longhorn.io",
    endpoint: join(one.kubelet, "plugins/driver.longhorn.io/csi.sock"),
    supported_versions: ["1.0.0"],
  });
  assert.equal((await one.plugin.call<{ readonly node_id: string }>("NodeGetInfo", {})).node_id, "optiplex-1");
  const staging_target_path = join(folder, "nowhere");
  const refused = (change: object): Promise<object> =>
    one.plugin.call("NodeStageVolume", {
      volume_id: "pvc-none",
      staging_target_path,
      volume_capability: capability,
      ...change,
    });
  await assert.rejects(refused({}), /UNAVAILABLE: volume pvc-none is not attached/);
  await assert.rejects(refused({ volume_id: "../../etc" }), /INVALID_ARGUMENT/);
  await assert.rejects(
    refused({ volume_capability: { ...capability, mount: undefined, block: {} } }),
    /volumeMode Block is not possible/,
  );
  await assert.rejects(
    refused({ volume_capability: { ...capability, mount: { fs_type: "xfs" } } }),
    /ext4 only, not xfs/,
  );
});

test("a pod's claim becomes a volume, attached to its node and to no other, and files stay in it", async () => {
  volume = await claim("data");
  await detached(volume);
  await pod("writer", "data", "optiplex-1");
  await attachmentOf(volume, "optiplex-1");
  await eventually("a volume that says so", async () => {
    const { state, currentNodeID } = (await volumeOf(volume))?.status ?? {};
    return state === "attached" && currentNodeID === "optiplex-1" ? true : undefined;
  });
  await attach("by-hand", volume, "optiplex-2");
  const refused = await eventually("a second node to be refused", async () => {
    const found = await get<VolumeAttachment>(`${volumeAttachments}/by-hand`);
    return found?.status?.attachError === undefined ? undefined : found;
  });
  assert.equal(refused.status?.attached, false);
  assert.equal(refused.status.attachError?.message, `volume ${volume} is attached to optiplex-1`);
  await api.delete(`${volumeAttachments}/by-hand`);

  const target = await mount(one, volume);
  assert.equal(await mount(one, volume), target, "again is the same");
  home.run(
    `cd ${target}; head -c 9000000 /dev/urandom > large; mkdir -p a/b; echo hello > a/b/small; ln -s a/b/small link;
     chmod 640 large; chown 1000:2000 a/b/small; truncate -s 5M sparse; sync -f .`,
    one,
  );
  const stats = await one.plugin.call<{ readonly usage: readonly { readonly unit: string; readonly used: number }[] }>(
    "NodeGetVolumeStats",
    { volume_id: volume, volume_path: target },
  );
  assert.ok((stats.usage.find(({ unit }) => unit === "BYTES")?.used ?? 0) > 9_000_000);
  await assert.rejects(one.plugin.call("NodeGetVolumeStats", { volume_id: volume, volume_path: folder }), /NOT_FOUND/);
});

test("a backup has what the snapshot had; the next one writes only what changed; a restore has every byte", async () => {
  const { target } = pathsOf(one, volume);
  atFirstBackup = listing(target, one);
  const first = await backup(volume, "first");
  const before = await blocks();
  home.run(`cd ${target}; echo changed > a/b/small; sync -f .`, one);
  const second = await backup(volume, "second");
  const added = (await blocks()).length - before.length;
  assert.ok(added > 0 && added <= 4, `${added} blocks for one small file`);
  assert.ok(Number(second.status.newlyUploadDataSize) < Number(first.status.newlyUploadDataSize) / 10);
  assert.ok(before.length >= 4, "nine megabytes that do not compress");
  home.run(`rm -r ${target}/large; sync -f ${target}`, one);

  for (const [name, from] of [
    ["restored", first],
    ["restored-second", second],
  ] as const) {
    await api.create(`${longhornApi}/volumes`, {
      apiVersion: "longhorn.io/v1beta2",
      kind: "Volume",
      metadata: { name, namespace: platformNamespaces.longhorn },
      spec: { fromBackup: from.status.url, size: "1", frontend: "blockdev", numberOfReplicas: 1, dataEngine: "v1" },
    });
  }
  for (const name of ["restored", "restored-second"]) {
    await eventually(`the volume ${name}`, async () => {
      const { state, restoreRequired } = (await volumeOf(name))?.status ?? {};
      return state === "detached" && restoreRequired === false ? true : undefined;
    });
    await api.create("/api/v1/persistentvolumes", {
      apiVersion: "v1",
      kind: "PersistentVolume",
      metadata: { name },
      spec: {
        capacity: { storage: "64Mi" },
        accessModes: ["ReadWriteOnce"],
        persistentVolumeReclaimPolicy: "Retain",
        storageClassName: "kraft-standard",
        csi: { driver: "driver.longhorn.io", volumeHandle: name, fsType: "ext4" },
      },
    });
    await attach(`attach-${name}`, name, "optiplex-2");
    await attachmentOf(name, "optiplex-2");
    await mount(two, name, true);
  }
  assert.equal(listing(pathsOf(two, "restored").target, two), atFirstBackup);
  assert.equal(home.run(`cat ${pathsOf(two, "restored-second").target}/a/b/small`, two), "changed\n");
  assert.throws(() => home.run(`touch ${pathsOf(two, "restored").target}/x`, two), /Read-only file system/);
});

test("a claim that asks for more gets it, with its data", async () => {
  const { target } = pathsOf(one, volume);
  const before = listing(target, one);
  await api.merge(claimPath("data"), { spec: { resources: { requests: { storage: "128Mi" } } } });
  await eventually("a larger PersistentVolume", async () => {
    const found = await get<PersistentVolume>(`/api/v1/persistentvolumes/${volume}`);
    return found?.spec.capacity?.storage === "128Mi" ? true : undefined;
  });
  assert.equal((await volumeOf(volume))?.spec.size, String(128 * mebibyte));
  // Where root may not enlarge a mounted file system, it grows with the next attachment, and the claim says so.
  const grown = await eventually("a claim that says what becomes of its file system", async () => {
    const { status } = (await get<Claim>(claimPath("data"))) ?? {};
    const pending = status?.conditions?.some(({ type }) => type === "FileSystemResizePending") === true;
    return status?.capacity?.storage === "128Mi" ? "grown" : pending ? "pending" : undefined;
  });
  const expand = { volume_id: volume, volume_path: target, capacity_range: { required_bytes: 128 * mebibyte } };
  if (grown === "pending") {
    await assert.rejects(one.plugin.call("NodeExpandVolume", expand), /only while no pod uses it/);
    await unmount(one, volume);
    await api.delete(`/api/v1/namespaces/${namespace}/pods/writer`);
    await detached(volume);
    await pod("writer", "data", "optiplex-1");
    await attachmentOf(volume, "optiplex-1");
    await mount(one, volume);
  }
  await one.plugin.call("NodeExpandVolume", expand);
  await eventually("a claim that has what it asked for", async () => {
    const { status } = (await get<Claim>(claimPath("data"))) ?? {};
    return status?.capacity?.storage === "128Mi" && (status.conditions ?? []).length === 0 ? true : undefined;
  });
  assert.ok(Number(home.run(`stat -f -c '%b * %S' ${target} | xargs -I{} sh -c 'echo $(({}))'`, one)) > 110 * mebibyte);
  assert.equal(listing(target, one), before);
});

test("killed in the middle of snapshots, the disks go on: nothing stays frozen, and no half snapshot is left", async () => {
  const { target } = pathsOf(one, volume);
  home.run(`head -c 40000000 /dev/urandom > ${target}/large; sync -f ${target}`, one);
  for (const [index, delay] of [5, 20, 40, 60, 90, 130].entries()) {
    const name = `killed-${index}`;
    const taken = snapshot(volume, name);
    await sleep(100 + delay);
    await home.killDisks();
    await home.startDisks();
    // Whoever writes would hang for ever on a file system that stays frozen.
    home.run(`timeout 20 sh -c 'echo ${index} > ${target}/written; sync -f ${target}'`, one);
    await taken;
    home.run(`e2fsck -fn ${home.volumes}/volumes/${volume}/snapshots/${name}.img`);
  }
  assert.equal(home.run(`find ${home.volumes} -name '.unfinished-*'`), "");
});

test("after a power cut the volume is attached again, with everything that was synced", async () => {
  const { target } = pathsOf(one, volume);
  home.run(`echo synced > ${target}/synced; sync -f ${target}`, one);
  const before = listing(target, one);
  await home.stop();
  assert.deepEqual(home.left(), []);
  await home.start();
  one = await home.machine("optiplex-1");
  two = await home.machine("optiplex-2");
  await eventually("the volume to be mountable again", async () => {
    await mount(one, volume);
    return true;
  });
  assert.equal(listing(target, one), before);
});

test("a schedule makes snapshots and backups of its group, and keeps as many as it says", async () => {
  await api.create(`${longhornApi}/recurringjobs`, {
    apiVersion: "longhorn.io/v1beta2",
    kind: "RecurringJob",
    metadata: { name: "every-day", namespace: platformNamespaces.longhorn },
    spec: {
      name: "every-day",
      task: "backup",
      cron: "30 12 * * *",
      groups: ["only-this"],
      retain: 2,
      concurrency: 1,
      labels: {},
    },
  });
  await api.merge(`${longhornApi}/volumes/${volume}`, {
    metadata: { labels: { "recurring-job-group.longhorn.io/only-this": "enabled" } },
  });
  const ofJob = async (): Promise<readonly Backup[]> =>
    (await api.list<Backup>(`${longhornApi}/backups`)).filter(
      ({ status }) => status?.state === "Completed" && status.labels?.["RecurringJob"] === "every-day",
    );
  const seen = new Set<string>();
  for (let day = 1; day <= 3; day += 1) {
    ahead += 24 * 3_600_000;
    await eventually(`the backup of day ${day}`, async () => {
      for (const { metadata } of await ofJob()) {
        seen.add(metadata.name);
      }
      return seen.size === day ? true : undefined;
    });
  }
  await eventually("the first one to go", async () => ((await ofJob()).length === 2 ? true : undefined));
  // A snapshot goes at its own turn, which may come after the backup's.
  await eventually("the last backup's snapshot alone, which the next one is compared with", async () => {
    const made = (await api.list<Snapshot>(`${longhornApi}/snapshots`)).filter(
      ({ spec }) => spec.labels?.["RecurringJob"] === "every-day",
    );
    return made.length === 1 ? true : undefined;
  });
  await deleteGuarded(api, `${longhornApi}/recurringjobs/every-day`);
});

test("run as a process of its own it goes on where the other stopped; a volume that is deleted leaves nothing", async () => {
  await standIn.stop();
  const main = spawn(process.execPath, [
    join(import.meta.dirname, "../../local/longhorn/main.ts"),
    ...[`--kubeconfig=${local.cluster.kubeconfig}`, `--disks-socket=${home.socket}`],
    ...[`--backup-store=${toolPath(tools, "backup-store")}`, `--s3-endpoint=${s3Endpoint(s3Port(local.cluster))}`],
  ]);
  const ended = new Promise((resolve) => main.once("exit", resolve));
  try {
    await unmount(one, volume);
    await unmount(one, volume);
    await api.delete(`/api/v1/namespaces/${namespace}/pods/writer`);
    await detached(volume);
    await Promise.all(["restored", "restored-second"].map((name) => api.delete(`${volumeAttachments}/attach-${name}`)));
    for (const name of [volume, "restored", "restored-second"]) {
      await deleteGuarded(api, `${longhornApi}/volumes/${name}`);
    }
    await eventually("the volumes to go", async () =>
      (await api.list(`${longhornApi}/volumes`)).length === 0 ? true : undefined,
    );
  } finally {
    main.kill("SIGTERM");
  }
  assert.equal(await ended, 0);
  assert.equal(
    home.run(
      `ls -A ${home.volumes}/volumes ${home.volumes}/incoming ${home.mounts} | grep -v ':$' | grep -v '^$' || true`,
    ),
    "",
  );
  assert.deepEqual(
    reports.filter((text) => /panic|cannot be restored/.test(text)),
    [],
  );
});

test("with its processes everything of it is gone", async () => {
  await home.stop();
  assert.deepEqual(home.left(), []);
});
