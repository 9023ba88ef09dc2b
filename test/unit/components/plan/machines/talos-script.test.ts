import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import {
  installerImage,
  recoveryKeyPatch,
  schematicId,
  talosPatch,
} from "../../../../../components/plan/machines/talos-config.ts";
import { secretInput, talosScript, waitingTimes } from "../../../../../components/plan/machines/talos-script.ts";
import { terminalReporter } from "../../../../../local/terminal.ts";
import { readyTools, toolPath } from "../../../../../local/toolchain/ready.ts";
import { passphrase, settings } from "./example.ts";

// There is no machine: test/fixtures/talos/talosctl stands for it and for talosctl. The configurations are real.
const standIn = resolve(import.meta.dirname, "../../../../fixtures/talos");
const folder = mkdtempSync(join(tmpdir(), "kraft-talos-"));
let tool: string;
let secrets: string;
let machine: string;

before(async () => {
  tool = toolPath(await readyTools(terminalReporter(), ["talos"]), "talos-config");
  secrets = spawnSync(tool, ["gen", "secrets", "--talos-version", "v1.13"], { encoding: "utf8" }).stdout;
});

beforeEach(() => {
  machine = mkdtempSync(join(folder, "machine-"));
  put("talosctl", "1.13.9");
  put("drives", `${settings.drives.system}\n${settings.drives.longhorn}`);
  put("kubeconfig", "a kubeconfig");
});

after(() => {
  rmSync(folder, { recursive: true });
});

function put(name: string, text: string): void {
  writeFileSync(join(machine, name), `${text}\n`);
}

/** One that was installed and began its cluster. */
function running(changes: Readonly<Record<string, string>> = {}): void {
  const state = { state: "running", talos: "1.13.9", schematic: schematicId(settings.machine), kubernetes: "1.35.6" };
  for (const [name, text] of Object.entries({ ...state, etcd: "", ...changes })) {
    put(name, text);
  }
}

function run(changes: Readonly<Record<string, string>> = {}) {
  const { secrets: bundle = secrets, ...variables } = changes;
  const environment = {
    NODE: settings.name,
    ADDRESS: settings.address,
    CLUSTER: "kraft-proliant",
    TALOS_VERSION: "1.13.9",
    BORN_WITH: "1.13",
    KUBERNETES_VERSION: "1.35.6",
    IMAGE: installerImage(settings.machine, "1.13.9"),
    SCHEMATIC: schematicId(settings.machine),
    SYSTEM_DRIVE: settings.drives.system,
    LONGHORN_DRIVE: settings.drives.longhorn,
    DRAINS: "false",
    CLUSTER_INIT: "never",
    RECOVER_FROM: "",
    KUBECONFIG_FILE: "~/kube/config.yaml",
    CONTEXT: "kraft-proliant",
    SNAPSHOTS: join(machine, "snapshots", "etcd"),
    PATCH: talosPatch(settings),
  };
  const temporary = join(machine, "temporary");
  mkdirSync(temporary, { recursive: true });
  rmSync(join(machine, "calls"), { force: true });
  const { status, stdout, stderr } = spawnSync("/bin/bash", ["--norc", "-c", 'exec bash --norc -c "$SCRIPT"'], {
    encoding: "utf8",
    input: secretInput(bundle, recoveryKeyPatch(settings, passphrase)),
    env: {
      PATH: `${standIn}:${process.env["PATH"] ?? ""}`,
      TMPDIR: temporary,
      MACHINE: machine,
      HOME: machine,
      TALOS_CONFIG: tool,
      SCRIPT: talosScript(),
      ...environment,
      ...waitingTimes,
      START_SECONDS: "1",
      ETCD_SECONDS: "0",
      PAUSE_SECONDS: "0.1",
      ...variables,
    },
  });
  const calls = existsSync(join(machine, "calls")) ? readFileSync(join(machine, "calls"), "utf8") : "";
  const secret = /passphrase: \S+|(?:token|secret|key|crt|secretboxEncryptionSecret): (\S{16,})/g;
  for (const [, value] of secrets.matchAll(secret)) {
    assert.ok(!`${stdout}${stderr}${calls}`.includes(value ?? passphrase), "no secret is printed or an argument");
  }
  assert.ok(!`${stdout}${stderr}${calls}`.includes(passphrase));
  assert.deepEqual(readdirSync(temporary), [], "nothing is left behind");
  return { status, stdout, stderr, did: actions(calls) };
}

/** What the machine was told to do, in order; questions left out. */
function actions(calls: string): string[] {
  return calls
    .split("\n")
    .map((line) => line.replace(/--talosconfig \S+ |--endpoints \S+ |--nodes \S+ |--file \S+ ?/g, "").trim())
    .map((line) => line.replace(/ --control-plane-nodes.*| (\S*)\/snapshots\/\S+|--with-\S+ ?/g, "").trim())
    .filter((line) => /^(apply-config|bootstrap|upgrade|upgrade-k8s|etcd snapshot|health|reboot|reset)/.test(line));
}

const unchanged = ["apply-config --mode no-reboot", "health"];

test("a machine as declared: nothing but its configuration is sent, which changes nothing", () => {
  running();
  const first = run();
  assert.equal(first.stderr, "");
  assert.equal(first.status, 0);
  assert.equal(first.stdout, "proliant-1: Talos 1.13.9 and Kubernetes 1.35.6 run, the machine is healthy\n");
  assert.deepEqual(first.did, unchanged);
  assert.deepEqual(run().did, unchanged);
});

test("a first installation, and the same again", () => {
  put("state", "maintenance");
  const first = run({ CLUSTER_INIT: "new" });
  assert.equal(first.status, 0, first.stderr);
  assert.deepEqual(first.did, ["apply-config --insecure", "bootstrap", "health", ...unchanged]);
  const applied = readFileSync(join(machine, "applied"), "utf8");
  assert.match(applied, /wwid: naa\.600508b1001c7ad3f0f1c8a2c9f01a11/);
  assert.ok(applied.includes(passphrase), "the machine itself gets its secrets");
  assert.deepEqual(run({ CLUSTER_INIT: "new" }).did, unchanged, "a second run begins no second cluster");
});

test("an installation that was interrupted goes on", () => {
  running();
  rmSync(join(machine, "etcd"));
  const { status, did } = run({ CLUSTER_INIT: "new" });
  assert.equal(status, 0);
  assert.deepEqual(did, ["bootstrap", "health", ...unchanged]);
});

test("a machine that lost its configuration or its etcd never becomes a new cluster by itself", () => {
  put("state", "maintenance");
  const lost = run();
  assert.equal(lost.status, 1);
  assert.deepEqual(lost.did, []);
  assert.match(lost.stderr, /has no configuration.*Nothing was changed[^]*recoverFrom/);
  running();
  rmSync(join(machine, "etcd"));
  const empty = run();
  assert.equal(empty.status, 1);
  assert.deepEqual(empty.did, []);
  assert.match(empty.stderr, /etcd does not/);
});

test("a snapshot brings the cluster back, once", () => {
  put("state", "maintenance");
  put("snapshot.db", "etcd");
  const recover = { CLUSTER_INIT: "recover", RECOVER_FROM: join(machine, "snapshot.db") } as const;
  const { status, did, stderr } = run(recover);
  assert.equal(status, 0, stderr);
  assert.deepEqual(did[1], `bootstrap --recover-from ${recover.RECOVER_FROM}`);
  assert.deepEqual(run(recover).did, unchanged);
});

test("without the snapshot nothing is installed", () => {
  put("state", "maintenance");
  const { status, did, stderr } = run({ CLUSTER_INIT: "recover", RECOVER_FROM: "/nowhere" });
  assert.deepEqual([status, did], [1, []]);
  assert.match(stderr, /no snapshot \/nowhere/);
});

test("a machine without the drives that were named is not written to", () => {
  put("state", "maintenance");
  put("drives", `${settings.drives.system}\nnaa.5000c500a1b2c3d4`);
  const { status, did, stderr } = run({ CLUSTER_INIT: "new" });
  assert.deepEqual([status, did], [1, []]);
  assert.match(stderr, /naa\.5000c500a1b2c3d4[^]*no drive naa\.600508b1001c2be8d7a9e4f2b2c01b22/);
});

test("Talos is upgraded after a snapshot, without moving pods that have nowhere to go", () => {
  running({ talos: "1.12.4" });
  const { status, did, stderr } = run();
  assert.equal(status, 0, stderr);
  const upgrade = `upgrade --image ${installerImage(settings.machine, "1.13.9")} --drain=false --wait --timeout 30m`;
  assert.deepEqual(did, ["health", "etcd snapshot", upgrade, ...unchanged]);
  const [file = ""] = readdirSync(join(machine, "snapshots"));
  assert.match(file, /^etcd-\d{8}T\d{6}Z-before-talos-1\.13\.9\.db$/);
  assert.equal(readFileSync(join(machine, "snapshots", file), "utf8"), "etcd of 1.12.4 1.35.6\n");
});

test("other extensions take an upgrade too", () => {
  running({ schematic: "613e1592b2da41ae5e265e8789429f22e121aab91cb4deb6bc3c0b6262961245" });
  const { did } = run();
  assert.match(did[2] ?? "", /^upgrade --image factory\.talos\.dev/);
});

test("Talos comes before Kubernetes, and both before the configuration", () => {
  running({ talos: "1.12.4", kubernetes: "1.34.9" });
  const { status, did, stdout } = run();
  assert.equal(status, 0);
  const verbs = did.map((call) => call.split(" --")[0]);
  const each = ["health", "etcd snapshot"];
  assert.deepEqual(verbs, [...each, "upgrade", ...each, "upgrade-k8s", "apply-config", "health"]);
  assert.doesNotMatch(stdout, /a secret in a manifest/);
});

test("an older version and one that skips a minor are refused, before anything", () => {
  const table = [
    [{ talos: "1.13.10" }, /Talos 1\.13\.10 runs, and the stack asks for the older 1\.13\.9/],
    [{ talos: "1.14.0" }, /older 1\.13\.9/],
    [{ talos: "1.11.9" }, /skips a minor version[^]*newest 1\.12 first/],
    [{ kubernetes: "1.35.10" }, /Kubernetes 1\.35\.10 runs, and the stack asks for the older 1\.35\.6/],
    [{ kubernetes: "1.33.1" }, /Kubernetes 1\.33\.1 runs, and 1\.35\.6 skips a minor version[^]*newest 1\.34 first/],
  ] as const;
  for (const [changes, message] of table) {
    running(changes);
    const { status, did, stderr } = run();
    assert.deepEqual([status, did], [1, []], JSON.stringify(changes));
    assert.match(stderr, message);
    assert.match(stderr, /Nothing was changed/);
  }
});

test("a version that does not start is not taken for one that runs", () => {
  running({ talos: "1.13.8", "rolls-back": "" });
  const { status, stderr } = run();
  assert.equal(status, 1);
  assert.match(stderr, /Talos 1\.13\.8 runs: the machine went back to it/);
});

test("a machine that is not well is not upgraded", () => {
  running({ talos: "1.13.8", sick: "" });
  const { status, did, stderr } = run();
  assert.deepEqual([status, did], [1, ["health"]]);
  assert.match(stderr, /waiting for all k8s nodes[^]*not healthy/);
});

test("the machine is never restarted for its configuration: what needs it waits, and says so without the difference", () => {
  running({ "needs-restart": "" });
  const { status, did, stdout } = run();
  assert.equal(status, 0);
  assert.deepEqual(did, ["apply-config --mode no-reboot", "apply-config --mode staged", "health"]);
  assert.match(stdout, /THE NEW CONFIGURATION TAKES A RESTART/);
});

test("a configuration that the machine refuses fails", () => {
  running({ refuses: "" });
  const { status, stderr } = run();
  assert.equal(status, 1);
  assert.match(stderr, /InvalidArgument desc = no[^]*keeps the one it has/);
});

test("a machine that does not answer, a talosctl that does not fit, secrets that are none: each in words", () => {
  put("state", "silent");
  assert.match(run().stderr, /nothing of Talos answers at 192\.168\.1\.11/);
  running();
  put("talosctl", "1.12.6");
  assert.match(run().stderr, /talosctl is 1\.12\.6, and the stack has Talos 1\.13\.9/);
  put("talosctl", "1.13.2");
  assert.equal(run().status, 0, "another patch does");
  const broken = run({ secrets: "cluster: {}" });
  assert.deepEqual([broken.status, broken.did], [1, []]);
  assert.match(broken.stderr, /no machine configuration can be made of the secrets/);
});

test("the kubeconfig is put beside what else is in its file, under the name that the stack file has", () => {
  running();
  const file = join(machine, "kube", "config.yaml");
  run();
  assert.equal(readFileSync(file, "utf8"), "apiVersion: v1\nkind: Config\na kubeconfig\nkraft-proliant\n");
  run();
  assert.equal(readFileSync(file, "utf8").split("\n")[0], "apiVersion: v1", "what was there stays");
});
