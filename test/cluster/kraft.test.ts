import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { parse, stringify } from "yaml";
import { connect } from "../../cluster/client.ts";
import type { Claim, KubernetesObject } from "../../cluster/objects.ts";
import { paths } from "../../cluster/paths.ts";
import { runningVersions } from "../../cluster/running-versions.ts";
import { tenantNames } from "../../components/plan/names.ts";
import { declaredVersions } from "../../infra/checks/support.ts";
import { versionChangeProblems } from "../../infra/guards/version-changes.ts";
import { renewalOf } from "../../infra/kubeconfig-renewal.ts";
import { k3kReleases } from "../../infra/versions.ts";
import type { Status } from "../../kraft/status/report.ts";
import type { WelcomeFacts } from "../../kraft/welcome/facts.ts";
import { sampleIngress, sampleObjects } from "../../kraft/welcome/sample.ts";
import { engineFolder } from "../../local/engine.ts";
import { simulatedAddress } from "../../local/simulated-nodes.ts";
import { stacks } from "../../stacks/index.ts";
import { kraft } from "../fixtures/kraft/command.ts";
import { read, text } from "../fixtures/kraft/html.ts";
import { k3kKubeconfig } from "../fixtures/kraft/k3k-kubeconfig.ts";
import { synced } from "./boundary/translate.ts";
import { certificatesAreCounted, type Embedded, eventually } from "./embedded.ts";
import { platform } from "./platform.ts";

const { namespace } = tenantNames("acme");
/** Two, since each takes its time to come up. */
const tenants = {
  acme: { domains: ["acme.example"], size: "small" },
  blue: { domains: ["blue.example"], size: "medium" },
};
const notAfter = new Date(Date.now() + 300 * 86_400_000);
const folder = mkdtempSync(join(tmpdir(), "kraft-tool-"));

interface LocalFile {
  readonly config: {
    readonly "kraft:cluster": { readonly kubeconfig: string; readonly context: string; readonly uid: string };
  };
}

function k3kOf(version: string) {
  return k3kReleases.find((release) => release.version === version) ?? assert.fail(`K3k ${version}`);
}

let local: Embedded;
/** Where the stack file of this run is, with the cluster that it is for. */
let directory: string;

before(async () => {
  local = await platform();
  await local.up({ "kraft:tenants": tenants });
  await certificatesAreCounted(local.cluster, "acme");
  directory = engineFolder(local.cluster.directory);
  // No guest's API server runs here, so that K3k never comes to write it.
  await local.cluster.api.create(`/api/v1/namespaces/${namespace}/secrets`, {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "k3k-acme-kubeconfig", namespace },
    stringData: { "kubeconfig.yaml": k3kKubeconfig(notAfter) },
  });
});

/** Creates an object and its status, as its controller would if it ran here. */
async function observed(
  collection: string,
  object: KubernetesObject & { readonly spec: object; readonly status: object },
) {
  const { status, ...declared } = object;
  await local.cluster.api.create(collection, declared);
  const { apiVersion, kind, metadata } = declared;
  await local.cluster.api.apply(`${collection}/${metadata.name}/status`, { apiVersion, kind, metadata, status });
}

after(async () => {
  rmSync(folder, { recursive: true });
  await local.remove();
});

/** The stack file of this run with other values under one key, in a folder of its own. */
function withKey(key: string, name: string, change: Readonly<Record<string, unknown>>): string {
  const changed = mkdtempSync(join(folder, `${name}-`));
  const file = parse(readFileSync(join(directory, "Pulumi.local.yaml"), "utf8")) as {
    config: Record<string, Readonly<Record<string, unknown>>>;
  };
  file.config[key] = { ...file.config[key], ...change };
  writeFileSync(join(changed, "Pulumi.local.yaml"), stringify(file));
  return changed;
}

function withCluster(name: string, change: Readonly<Record<string, string>>): string {
  return withKey("kraft:cluster", name, change);
}

test("status: what runs is shown, what does not is named, and the exit code says so", async () => {
  const { code, stdout, stderr } = await kraft(["status", "local", "--directory", directory]);
  assert.match(stdout, /^local: an embedded cluster in place of three OptiPlex Micros\n/, stderr);
  assert.match(stdout, /\n {2}optiplex-1 {2}ready +v1\.35/);
  assert.match(stdout, /\n {2}k3k-system +k3k +Deployment +1\/1/);
  assert.match(stdout, /\n {2}acme +Provisioning +0 of 2 +0 of 4Gi +5Gi of 55Gi +0 of 30 +never/);
  assert.match(stdout, /\n {2}backup-daily +10 1 \* \* \* +.*\d\d:\d\d.* +default, standard +30\n/);
  assert.match(stdout, /\n\d+ things are wrong\n/);
  assert.match(stdout, /\n {2}tenant acme: its Cluster is Provisioning/);
  assert.equal(code, 1);
});

test("init describes a cluster that runs: its UID, its nodes and their hardware; check lacks the secrets alone", async () => {
  const { kubeconfig, context, uid, stack } = local.cluster;
  const described = mkdtempSync(join(folder, "init-"));
  copyFileSync(join(directory, "Pulumi.yaml"), join(described, "Pulumi.yaml"));
  const answers = {
    ...{ setup: "own", kubeconfig, context, longhorn: "690Gi", resolver: "192.168.1.1" },
    ...{ domain: "cluster.meier.example", bucket: "meier-backup", region: "eu-central-2" },
  };
  const options = Object.entries(answers).flatMap(([name, answer]) => [`--${name}`, answer]);
  const { code, stderr } = await kraft(["init", "homelab", "--directory", described, ...options]);
  assert.equal(code, 0, stderr);
  const { config } = parse(readFileSync(join(described, "Pulumi.homelab.yaml"), "utf8")) as {
    readonly config: Readonly<Record<string, unknown>>;
  };
  assert.deepEqual(config["kraft:cluster"], { kubeconfig, context, uid });
  assert.deepEqual(
    config["kraft:nodes"],
    Object.fromEntries(
      stack.nodes.map(({ name, threads, memoryGiB }) => [
        name,
        {
          address: simulatedAddress(stack, name),
          hardware: { threads, memory: `${memoryGiB}Gi`, longhorn: "690Gi" },
        },
      ]),
    ),
  );
  const checked = await kraft(["check", "homelab", "--directory", described, "--json"]);
  const [result] = (JSON.parse(checked.stdout) as { stacks: { problems: { key: string }[] }[] }).stacks;
  assert.deepEqual(
    result?.problems.map(({ key }) => key),
    ["guestTokenSeed", "wasabiAccessKeyId", "wasabiSecretAccessKey"].map((name) => `kraft:${name}`),
  );
});

/** Gives a claim of acme's a volume, as Longhorn's driver would: Kubernetes itself binds the two. */
async function bind(claim: string, volume: string): Promise<void> {
  const { api } = local.cluster;
  const path = `/api/v1/namespaces/${namespace}/persistentvolumeclaims/${claim}`;
  const { spec } = await eventually(`the claim ${claim}`, () => api.get<Claim>(path));
  await api.create("/api/v1/persistentvolumes", {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: volume },
    spec: {
      capacity: { storage: "5Gi" },
      accessModes: ["ReadWriteOnce"],
      persistentVolumeReclaimPolicy: "Retain",
      storageClassName: spec?.storageClassName,
      claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name: claim },
      csi: { driver: "driver.longhorn.io", volumeHandle: volume },
    },
  });
  await eventually(`${claim} is bound`, async () => {
    const bound = await api.get<Claim>(path);
    return bound?.status?.phase === "Bound" ? true : undefined;
  });
}

test("status: backups and certificates, as Longhorn's and cert-manager's own CRDs hold them", async () => {
  const hour = 3_600_000;
  const longhorn = "/apis/longhorn.io/v1beta2/namespaces/longhorn-system";
  await bind(tenantNames("acme").datastoreClaim, "pvc-1");
  await observed(`${longhorn}/volumes`, {
    apiVersion: "longhorn.io/v1beta2",
    kind: "Volume",
    metadata: {
      name: "pvc-1",
      namespace: "longhorn-system",
      labels: { "recurring-job-group.longhorn.io/critical": "enabled" },
    },
    spec: { size: "5368709120", frontend: "blockdev" },
    status: {
      state: "attached",
      robustness: "degraded",
      lastBackupAt: new Date(Date.now() - 20.5 * hour).toISOString(),
      kubernetesStatus: { namespace, pvcName: "varlibrancherk3s-k3k-acme-server-0", pvStatus: "Bound" },
    },
  });
  await observed(`${longhorn}/backuptargets`, {
    apiVersion: "longhorn.io/v1beta2",
    kind: "BackupTarget",
    metadata: { name: "default", namespace: "longhorn-system" },
    spec: { backupTargetURL: "s3://kraft-local@eu-central-2/local/" },
    status: { available: true, lastSyncedAt: new Date().toISOString() },
  });
  await observed(`/apis/cert-manager.io/v1/namespaces/${namespace}/certificates`, {
    apiVersion: "cert-manager.io/v1",
    kind: "Certificate",
    metadata: { name: "shop-tls", namespace },
    spec: {
      secretName: "shop-tls",
      dnsNames: ["shop.acme.example"],
      issuerRef: { name: "kraft-issuer", kind: "ClusterIssuer", group: "cert-manager.io" },
    },
    status: {
      notAfter: new Date(Date.now() + 30.5 * 24 * hour).toISOString(),
      conditions: [
        {
          type: "Ready",
          status: "False",
          reason: "Pending",
          message: "order pending",
          lastTransitionTime: new Date().toISOString(),
        },
      ],
    },
  });
  const { stdout, stderr } = await kraft(["status", "local", "--directory", directory]);
  assert.match(stdout, /\n {2}acme +datastore +5Gi +degraded +20 h ago\n/, stderr);
  assert.match(stdout, /\n {2}volume datastore of acme: degraded: a copy is missing\n/);
  assert.match(stdout, /\n {2}volume datastore of acme: last backup 20 h ago, due every 6 h\n/);
  assert.match(stdout, /\nBackup target: s3:\/\/kraft-local@eu-central-2\/local\/, available, looked at 0 min ago\n/);
  assert.match(stdout, /\n {2}k3k-acme +shop-tls +shop\.acme\.example +NOT READY +in 30 days\n/);
  assert.match(stdout, /\n {2}certificate k3k-acme\/shop-tls: is not ready: order pending\n/);
});

test("status --json: the same as data", async () => {
  const { stdout } = await kraft(["status", "local", "--json", "--directory", directory]);
  const status = JSON.parse(stdout) as Status;
  assert.equal(status.cluster.uid, local.cluster.uid);
  assert.deepEqual(
    status.tenants.map(({ name, declared }) => [name, declared]),
    [
      ["acme", true],
      ["blue", true],
    ],
  );
  assert.ok(status.backups.schedules.every(({ present }) => present));
  assert.equal(status.ok, false);
});

test("status --html: everything that is wrong on one page, which replaces no file by itself", async () => {
  const path = join(folder, "page.html");
  const line = ["status", "local", "--directory", directory, "--html", path];
  const { code, stdout, stderr } = await kraft([...line, "--json"]);
  assert.deepEqual([code, stderr], [1, `Written to ${path}.\n`]);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const html = readFileSync(path, "utf8");
  const page = text(read(html));
  const { problems } = JSON.parse(stdout) as Status;
  assert.ok(problems.length > 0);
  for (const { subject, message, severity } of problems) {
    assert.ok(page.includes(`${severity} ${subject}: ${message}`.replace(/\s+/g, " ")), `${subject}: ${message}`);
  }
  const again = await kraft(line);
  assert.deepEqual([again.code, again.stdout], [1, ""]);
  assert.match(again.stderr, /page\.html is there already and was left as it is/);
  assert.equal(readFileSync(path, "utf8"), html);
  assert.match((await kraft([...line, "--force"])).stderr, /Written to /);
  assert.notEqual(readFileSync(path, "utf8"), html);
  const printed = await kraft(line.slice(0, -1));
  assert.equal(printed.code, 1);
  assert.match(printed.stdout, /^<!DOCTYPE html>\n[^]*<\/html>\n$/);
});

test("kubeconfig: on standard output, with the tenant's server and names, and its expiry beside", async () => {
  const { code, stdout, stderr } = await kraft(["kubeconfig", "acme", "--stack", "local", "--directory", directory]);
  const config = parse(stdout) as { clusters: { name: string; cluster: { server: string } }[] };
  assert.deepEqual(
    config.clusters.map(({ name, cluster }) => [name, cluster.server]),
    [["acme", "https://acme.api.kraft.test"]],
  );
  assert.match(stderr, /^The kubeconfig of acme is valid until \d{4}-\d\d-\d\d \d\d:\d\d UTC \(in 299 days\)\.\n$/);
  assert.equal(code, 0);
});

test("kubeconfig -o: a file for its user alone, not replaced without --force", async () => {
  const path = join(folder, "acme.yaml");
  const line = ["kubeconfig", "acme", "--stack", "local", "--directory", directory, "-o", path];
  const first = await kraft(line);
  assert.equal(first.code, 0, first.stderr);
  assert.equal(first.stdout, "");
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const second = await kraft(line);
  assert.match(second.stderr, /is there already and was left as it is/);
  assert.equal(second.code, 1);
  const forced = await kraft([...line, "--force", "--json"]);
  assert.deepEqual(JSON.parse(forced.stdout), {
    tenant: "acme",
    server: "https://acme.api.kraft.test",
    // Certificates know no fractions of a second.
    expires: new Date(Math.floor(notAfter.getTime() / 1000) * 1000).toISOString(),
    kubeconfig: null,
    file: path,
  });
});

test("kubeconfig of a guest that was never ready: what is missing, and where to look", async () => {
  const { code, stdout, stderr } = await kraft(["kubeconfig", "blue", "--stack", "local", "--directory", directory]);
  assert.match(stderr, /no kubeconfig yet: Secret k3k-blue-kubeconfig in namespace k3k-blue does not exist/);
  assert.equal(stdout, "");
  assert.equal(code, 1);
});

test("another cluster than the stack file's is not asked for anything", async () => {
  const wrong = withCluster("uid", { uid: "22222222-2222-2222-2222-222222222222" });
  for (const line of [
    ["status", "local"],
    ["kubeconfig", "acme", "--stack", "local"],
  ]) {
    const { code, stdout, stderr } = await kraft([...line, "--directory", wrong]);
    assert.match(
      stderr,
      /kraft:cluster\.uid\n {4}found: {3}"22222222-.*, but context kraft-local-local of .* is the cluster /,
    );
    assert.equal(stdout, "");
    assert.equal(code, 1);
  }
});

test("a context that is not there, a cluster that does not answer, credentials that are refused", async () => {
  const { kubeconfig } = local.cluster;
  const text = readFileSync(kubeconfig, "utf8");
  const changed = (name: string, change: (text: string) => string): string => {
    const path = join(folder, name);
    writeFileSync(path, change(text));
    return withCluster(name, { kubeconfig: path });
  };
  for (const [where, message] of [
    [
      withCluster("context", { context: "nobody" }),
      /kraft:cluster\.context\n {4}found: {3}"nobody"\n {4}allowed: kraft-local-local\n/,
    ],
    [
      changed("closed", (config) => config.replace(/https:\/\/127\.0\.0\.1:\d+/, "https://127.0.0.1:9")),
      /^kraft: https:\/\/127\.0\.0\.1:9 does not answer \(context kraft-local-local of .*\): .*ECONNREFUSED/,
    ],
    [changed("token", (config) => config.replace(/token: .*/, "token: nobody")), /refuses the credentials of context/],
    [
      // The authority of another cluster: somebody stands in between.
      changed("authority", (config) => {
        const foreign = /certificate-authority-data: .*/.exec(k3kKubeconfig(notAfter))?.[0] ?? "";
        return config.replace(/certificate-authority-data: .*/, foreign);
      }),
      /does not answer .*: .*certificate/,
    ],
  ] as const) {
    const { code, stdout, stderr } = await kraft(["status", "local", "--directory", where]);
    assert.match(stderr, message);
    assert.equal(stdout, "");
    assert.equal(code, 1);
  }
});

test("the sample of the welcome sheet passes the platform's own rules", async () => {
  const { stdout } = await kraft(["welcome", "acme", "--stack", "local", "--json", "--directory", directory]);
  const facts = JSON.parse(stdout) as WelcomeFacts;
  const deployment = sampleObjects(facts).find((object) => "kind" in object && object.kind === "Deployment") as {
    readonly spec: { readonly template: { readonly spec: object } };
  };
  const { api } = local.cluster;
  const { uid = "" } = (await api.get(paths.clusters.named(namespace, "acme")))?.metadata ?? {};
  const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "sample", namespace: "default" } };
  const inNamespace = <Kind extends { readonly metadata: object }>(object: Kind) => ({
    ...object,
    metadata: { ...object.metadata, namespace },
  });
  for (const [path, object] of [
    [`/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses`, sampleIngress(facts)],
    [
      `/api/v1/namespaces/${namespace}/pods`,
      // On the host it names the claim as K3k does.
      synced({ name: "acme", namespace, uid }, { ...pod, spec: deployment.spec.template.spec }),
    ],
  ] as const) {
    const accepted = await api.answer("POST", path, inNamespace(object));
    assert.equal(accepted.status, 201, accepted.message);
  }
  const foreign = inNamespace(sampleIngress({ ...facts, domains: ["blue.example"] }));
  const refused = await api.answer("POST", `/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses`, foreign);
  assert.match(refused.message, /not within your domains: shop\.blue\.example/);
});

test("onboard: sheet, kubeconfig and sample in a folder for its user alone; run again, only what is new", async () => {
  const out = join(folder, "bundle");
  const line = ["onboard", "acme", "--stack", "local", "--directory", directory, "--out", out];
  const first = await kraft(line);
  assert.equal(first.code, 0, first.stderr);
  for (const name of ["README.md", "kubeconfig.yaml", "sample.yaml"]) {
    assert.equal(statSync(join(out, name)).mode & 0o777, 0o600, name);
  }
  assert.equal(statSync(out).mode & 0o777, 0o700);
  const sheet = readFileSync(join(out, "README.md"), "utf8");
  assert.ok(sheet.includes(readFileSync(join(out, "sample.yaml"), "utf8").trimEnd()), sheet);
  assert.match(sheet, /\| volumes, one of them .* \| \d+ +\| \d+ +\|/);
  const kubeconfig = readFileSync(join(out, "kubeconfig.yaml"), "utf8");
  const second = await kraft(line);
  assert.match(second.stdout, /kubeconfig\.yaml, as it was\n {2}sample\.yaml, as it was/);
  assert.equal(readFileSync(join(out, "kubeconfig.yaml"), "utf8"), kubeconfig);
  const { stdout } = await kraft(["status", "local", "--json", "--directory", directory]);
  const { tenants } = JSON.parse(stdout) as Status;
  assert.ok(tenants.find(({ name }) => name === "acme")?.kubeconfigEndsAt?.startsWith("20"), stdout);
});

test("versions: each is read from what runs, and an older one in the file is refused", async () => {
  const { "kraft:cluster": cluster } = (parse(readFileSync(join(directory, "Pulumi.local.yaml"), "utf8")) as LocalFile)
    .config;
  const stack = stacks.get("local") ?? assert.fail();
  const host = await connect({ cluster, file: "Pulumi.local.yaml", directory, remedy: renewalOf(stack, false) });
  // Longhorn's manager, which is not here, writes down what it is.
  await local.cluster.api.create("/apis/longhorn.io/v1beta2/namespaces/longhorn-system/settings", {
    apiVersion: "longhorn.io/v1beta2",
    kind: "Setting",
    metadata: { name: "current-longhorn-version", namespace: "longhorn-system" },
    value: "v1.12.1",
  });
  const running = await runningVersions(host);
  const declared = declaredVersions({ stack: stacks.get("local") ?? assert.fail(), k3k: k3kOf("1.1.0") });
  assert.match(running.kubernetes ?? "", /^v1\.35\./);
  assert.deepEqual(
    { ...running, kubernetes: declared.kubernetes },
    {
      kubernetes: declared.kubernetes,
      talos: {},
      longhorn: "v1.12.1",
      certManager: declared.certManager,
      traefik: declared.traefik,
      k3k: "v1.1.0",
      guests: Object.fromEntries(["acme", "blue"].map((name) => [name, { told: declared.guest, ran: declared.guest }])),
    },
  );
  assert.deepEqual(versionChangeProblems(declared, running, false), []);
  const older = versionChangeProblems({ ...declared, longhorn: "1.11.1", guest: "v1.34.1-k3s1" }, running, false);
  assert.deepEqual(
    older.map(({ found }) => found),
    [
      "1.11.1, while v1.12.1 runs",
      `v1.34.1-k3s1, while ${declared.guest} runs in acme`,
      `v1.34.1-k3s1, while ${declared.guest} runs in blue`,
    ],
  );
});

test("status: who is stopped, who left, who is to come, and a copy that follows, as the real kinds hold it", async () => {
  const { api } = local.cluster;
  await api.apply("/api/v1/namespaces/k3k-blue", {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      name: "k3k-blue",
      annotations: { "kraft.dev/moved-to": `proliant ${new Date(Date.now() - 3.5 * 24 * 3_600_000).toISOString()}` },
    },
  });
  await observed("/apis/longhorn.io/v1beta2/namespaces/longhorn-system/volumes", {
    apiVersion: "longhorn.io/v1beta2",
    kind: "Volume",
    metadata: {
      name: "pvc-2",
      namespace: "longhorn-system",
      labels: { "recurring-job-group.longhorn.io/none": "enabled" },
    },
    spec: { size: "5368709120", frontend: "", Standby: true },
    status: {
      state: "attached",
      robustness: "healthy",
      isStandby: true,
      kubernetesStatus: { namespace: "k3k-carol", pvcName: "varlibrancherk3s-k3k-carol-server-0" },
    },
  });
  const changed = withKey("kraft:tenants", "moving", {
    acme: { ...tenants.acme, state: "suspended" },
    blue: { ...tenants.blue, state: "archived" },
    carol: { domains: ["carol.example"], size: "small", from: "homelab" },
  });
  const { code, stdout, stderr } = await kraft(["status", "local", "--directory", changed]);
  assert.match(stdout, /\n {2}acme +suspended /, stderr);
  assert.match(
    stdout,
    /\n {2}tenant acme: is suspended in the stack file, but its guest is not stopped: run pulumi up\n/,
  );
  assert.doesNotMatch(stdout, /acme: its Cluster is Provisioning/);
  assert.match(stdout, /\n {2}blue +moved to proliant /);
  assert.match(stdout, /\n {2}tenant blue: moved to proliant 3 days ago\n/);
  assert.match(
    stdout,
    /\n {2}tenant blue: is archived in the stack file, but its Cluster still exists: run pulumi up\n/,
  );
  assert.match(stdout, /\n {2}carol +moving from homelab /);
  assert.match(stdout, /\n {2}tenant carol: is moving here from homelab: npx kraft move carol -s local\n/);
  assert.doesNotMatch(stdout, /tenant carol: .*pulumi up|volume datastore of carol/);
  assert.match(stdout, /\n {2}carol +datastore +5Gi +following +never\n/);
  assert.equal(code, 1);
});
