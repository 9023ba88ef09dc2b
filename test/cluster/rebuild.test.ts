import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import type { KubernetesObject } from "../../cluster/objects.ts";
import { tenantNames } from "../../components/plan/names.ts";
import { engineFolder } from "../../local/engine.ts";
import type { EngineRun } from "../../local/engine-run.ts";
import type { Volume } from "../../local/longhorn/objects.ts";
import { readS3Keys } from "../../local/s3.ts";
import { silentReporter } from "../../local/terminal.ts";
import { readyTools } from "../../local/toolchain/ready.ts";
import {
  type BackupStore,
  daily,
  datastoreVolume,
  tenantVolume,
  type VolumeSpec,
  writeBackups,
} from "../fixtures/backup-store.ts";
import { kraft } from "../fixtures/kraft/command.ts";
import { type S3Server, startS3 } from "../fixtures/s3-server.ts";
import { type Embedded, embedded, eventually } from "./embedded.ts";
import { platform } from "./platform.ts";
import { CatalogueStore } from "./simulated-longhorn/catalogue-store.ts";
import { SimulatedLonghorn } from "./simulated-longhorn/simulated-longhorn.ts";

const folder = mkdtempSync(join(tmpdir(), "kraft-rebuild-"));
const tenants = {
  acme: { domains: ["acme.example"], size: "small" },
  // Came from another stack once, and comes back from this one's own backups all the same.
  blue: { domains: ["blue.example"], size: "medium", from: "homelab" },
  // Gone before the fire: of her only the backups are meant to be left.
  coral: { domains: ["coral.example"], size: "small", state: "archived" },
};
const nights = daily(3, new Date(Date.now() - 6 * 3_600_000));
const small = { size: 64 * 1024 ** 2 };
const volumes: readonly VolumeSpec[] = [
  datastoreVolume("acme", nights),
  datastoreVolume("blue", nights),
  tenantVolume("acme", { name: "data-db-0", namespace: "shop" }, nights, small),
  tenantVolume("blue", { name: "media", namespace: "default" }, nights, { ...small, storageClass: "kraft-bulk" }),
];
const ofCoral = datastoreVolume("coral", nights);

interface BoundClaim extends KubernetesObject {
  readonly spec: { readonly volumeName?: string };
  readonly status?: { readonly phase?: string };
}

let server: S3Server;
let store: BackupStore;
let config: Readonly<Record<string, unknown>>;
let first: Embedded;
let second: Embedded;
let longhorn: SimulatedLonghorn | undefined;
let tokens: Readonly<Record<string, string>>;

const restored = { "kraft:phase": "restore" };
const secrets = { "kraft:sourceTokenSeed": "0123456789abcdef0123456789abcdef0123456789abcdef" };

before(async () => {
  first = await platform();
  const old = first.cluster.directory;
  const keys = readS3Keys(old) ?? assert.fail("the platform has no S3 server");
  const tools = await readyTools(silentReporter);
  const place = { region: "eu-central-2", bucket: "kraft-local" };
  // It outlives both clusters, as Wasabi would.
  server = await startS3({ directory: join(folder, "wasabi"), tools, ...keys, ...place });
  store = { ...keys, ...place, endpoint: server.endpoint, prefix: "local" };
  config = { "kraft:tenants": tenants, "kraft:backup": { ...place, prefix: "local", endpoint: server.endpoint } };

  first.secrets = secrets;
  await first.up(config);
  tokens = await guestTokens(first);
  await writeBackups(tools, store, [...volumes, ofCoral]);

  // What is kept outside the house: the stack file and the passphrase. Everything else burns.
  const next = join(folder, "second", "local");
  const kept = ["credentials/pulumi-passphrase", "credentials/s3-keys.json", "pulumi/Pulumi.local.yaml"];
  for (const file of kept) {
    mkdirSync(dirname(join(next, file)), { recursive: true });
    cpSync(join(old, file), join(next, file));
  }
  await first.remove();
  second = await embedded("local", next);
  second.secrets = secrets;
});

after(async () => {
  await longhorn?.stop();
  await second.remove();
  await server.stop();
  rmSync(folder, { recursive: true });
});

/** Each guest's token, as the API server keeps it. */
async function guestTokens({ cluster }: Embedded): Promise<Record<string, string>> {
  const entries = Object.keys(tenants).map(async (name) => {
    const { namespace, tokenSecret } = tenantNames(name);
    const secret = await cluster.api.get<KubernetesObject & { readonly data: Readonly<Record<string, string>> }>(
      `/api/v1/namespaces/${namespace}/secrets/${tokenSecret}`,
    );
    return [name, secret?.data["token"] ?? assert.fail(`no token of ${name}`)] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

function restore(...line: string[]) {
  return kraft(["restore", "local", "--directory", engineFolder(second.cluster.directory), ...line], {
    AWS_ACCESS_KEY_ID: store.accessKeyId,
    AWS_SECRET_ACCESS_KEY: store.secretAccessKey,
  });
}

function guests(): Promise<readonly KubernetesObject[]> {
  return second.cluster.api.list("/apis/k3k.io/v1beta1/clusters");
}

function schedules(): Promise<readonly KubernetesObject[]> {
  return second.cluster.api.list("/apis/longhorn.io/v1beta2/namespaces/longhorn-system/recurringjobs");
}

function changes({ steps }: EngineRun): string[] {
  return steps.map(({ operation, urn }) => `${operation} ${urn.slice(urn.lastIndexOf("::") + 2)}`).sort();
}

test("on the new cluster, phase run is refused: everything is only in the bucket", async () => {
  const message = await second.refusal("up", config);
  for (const tenant of ["acme", "blue"]) {
    assert.match(
      message,
      new RegExp(`"run", but of ${tenant} 2 volumes are only in the bucket: .*k3k-${tenant}-server-0`),
    );
  }
  assert.doesNotMatch(message, /coral/);
  assert.match(message, /fix: {5}kraft:phase: restore, pulumi up, then npx kraft restore apply/);
  assert.deepEqual(await second.cluster.api.list("/api/v1/namespaces?labelSelector=kraft.dev%2Ftenant"), []);
});

test("in phase restore the platform comes up, without schedules and without guests", async () => {
  const run = await second.up({ ...config, ...restored });
  assert.ok(
    run.steps.every(({ operation }) => operation === "create"),
    changes(run).join("\n"),
  );
  assert.deepEqual(await guests(), []);
  assert.deepEqual(await schedules(), []);
  assert.deepEqual(await guestTokens(second), tokens);
  const namespaces = await second.cluster.api.list("/api/v1/namespaces?labelSelector=kraft.dev%2Ftenant");
  assert.deepEqual(namespaces.map(({ metadata }) => metadata.name).sort(), ["k3k-acme", "k3k-blue", "k3k-coral"]);
});

test("one tenant's volumes are back: phase run is still refused, for the others'", async () => {
  longhorn = new SimulatedLonghorn(second.cluster.api, { store: new CatalogueStore(store), interval: 200 });
  longhorn.start();
  const { code, stdout, stderr } = await restore("--apply", "--tenant", "acme");
  assert.equal(code, 0, stdout + stderr);
  const message = await second.refusal("preview", config);
  assert.match(message, /"run", but of blue 2 volumes are only in the bucket/);
  assert.doesNotMatch(message, /of acme/);
});

test("everything is back: every claim under its name, with its volume from its newest backup, before any guest starts", async () => {
  const { code, stdout, stderr } = await restore("--apply");
  assert.equal(code, 0, stdout + stderr);
  assert.deepEqual(await guests(), []);
  const claims = await second.cluster.api.list<BoundClaim>("/api/v1/persistentvolumeclaims");
  const found = await Promise.all(
    claims.map(async ({ metadata, spec, status }) => {
      const volume = await second.cluster.api.get<Volume>(
        `/apis/longhorn.io/v1beta2/namespaces/longhorn-system/volumes/${spec.volumeName ?? ""}`,
      );
      return [metadata.namespace, metadata.name, status?.phase, spec.volumeName, volume?.spec.fromBackup] as const;
    }),
  );
  const expected = volumes.map(({ name, kubernetesStatus, backups }) => [
    kubernetesStatus?.namespace,
    kubernetesStatus?.pvcName,
    "Bound",
    name,
    `s3://kraft-local@eu-central-2/local/?backup=${backups.at(-1)?.name ?? ""}&volume=${name}`,
  ]);
  assert.deepEqual([...found].sort(), expected.sort());
});

test("then the guests and the schedules: K3k finds the datastores that came back, and nothing else changes", async () => {
  const uids = async (): Promise<(string | undefined)[]> =>
    (await second.cluster.api.list("/api/v1/persistentvolumeclaims")).map(({ metadata }) => metadata.uid).sort();
  const before = await uids();
  const run = await second.up(config);
  assert.ok(!run.steps.some(({ operation }) => /delete|replace/.test(operation)), changes(run).join("\n"));
  assert.deepEqual((await guests()).map(({ metadata }) => metadata.name).sort(), ["acme", "blue"]);
  assert.ok((await schedules()).length > 5);
  for (const tenant of ["acme", "blue"]) {
    const { namespace, datastoreClaim } = tenantNames(tenant);
    await eventually(`the server of ${tenant} with its old volume`, async () => {
      const pod = await second.cluster.api.get<
        KubernetesObject & {
          readonly spec: {
            readonly volumes: readonly { readonly persistentVolumeClaim?: { readonly claimName: string } }[];
          };
        }
      >(`/api/v1/namespaces/${namespace}/pods/k3k-${tenant}-server-0`);
      return pod?.spec.volumes.find(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName === datastoreClaim);
    });
  }
  assert.deepEqual(await uids(), before);
  assert.deepEqual(changes(await second.preview(config)), []);
});
