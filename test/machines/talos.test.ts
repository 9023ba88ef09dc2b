import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { HostCluster } from "../../components/host-cluster.ts";
import { installerImage } from "../../components/plan/machines/talos-config.ts";
import { bootstrap } from "../../infra/nodes/bootstrap.ts";
import { declareTalos } from "../../infra/nodes/declare.ts";
import { eventually } from "../../local/api.ts";
import { terminalReporter } from "../../local/terminal.ts";
import { readyTools, toolPath } from "../../local/toolchain/ready.ts";
import { proliant } from "../../stacks/proliant.ts";
import { passphrase, settings } from "../unit/components/plan/machines/example.ts";
import { type LabEngine, labEngine, type Run } from "./lab/engine.ts";

// Real: the engine, the component, its script, and Talos' own library, which makes and checks the configurations. Stand-ins:
// talosctl with the machine behind it (test/fixtures/talos/talosctl), and Pulumi's command provider (local/tools/command).
const folder = mkdtempSync(join(tmpdir(), "kraft-talos-"));
const machine = join(folder, "machine");
const temporary = join(folder, "temporary");
const kubeconfig = join(folder, "kube", "config.yaml");
let engine: LabEngine;
let talosSecrets: string;
/** What the operator has in stacks/ and in the stack file. */
const declared = { talosVersion: "1.13.8", machines: {} as Record<string, unknown>, again: "first" };

before(async () => {
  const tools = await readyTools(terminalReporter(), ["engine", "command", "talos"]);
  const talosConfig = toolPath(tools, "talos-config");
  for (const path of [machine, temporary]) {
    mkdirSync(path);
  }
  // The engine and its providers have the environment of whoever starts them.
  Object.assign(process.env, {
    PATH: [resolve(import.meta.dirname, "../fixtures/talos"), process.env["PATH"]].join(delimiter),
    MACHINE: machine,
    TALOS_CONFIG: talosConfig,
    TMPDIR: temporary,
  });
  const kubernetes = tools.get("pulumi-resource-kubernetes") ?? assert.fail();
  engine = await labEngine(folder, {
    kubernetes,
    pulumi: toolPath(tools, "pulumi"),
    provider: toolPath(tools, "pulumi-resource-command"),
  });
  talosSecrets = spawnSync(talosConfig, ["gen", "secrets", "--talos-version", "v1.13"], { encoding: "utf8" }).stdout;
  put("talosctl", "1.13.9");
  put("state", "silent");
  put("drives", `${settings.drives.system}\n${settings.drives.longhorn}`);
  put("kubeconfig", "a kubeconfig");
});

after(() => {
  rmSync(folder, { recursive: true, force: true });
});

function put(name: string, text: string): void {
  writeFileSync(join(machine, name), `${text}\n`);
}

function take(name: string): void {
  rmSync(join(machine, name));
}

/** The proliant stack while only its machine is declared, with less patience. */
async function program(): Promise<void> {
  // Not registerResourceTransform: what it hands on, here stdin, is not secret any more.
  pulumi.runtime.registerStackTransformation(({ type, props, opts }) => {
    if (type !== "command:local:Command") {
      return undefined;
    }
    const patience = { START_SECONDS: "1", ETCD_SECONDS: "0", PAUSE_SECONDS: "0.1" };
    const { environment, ...rest } = props as { readonly environment: object };
    return { props: { ...rest, environment: { ...environment, ...patience } }, opts };
  });
  await bootstrap(
    { ...proliant, talosVersion: declared.talosVersion },
    {
      values: {
        cluster: {
          kubeconfig,
          context: "kraft-proliant",
          uid: "00000000-0000-0000-0000-000000000000",
        },
        nodes: { [settings.name]: { address: settings.address, drives: settings.drives } },
        machines: { again: declared.again, ...declared.machines },
        talosSecrets,
        diskPassphrase: passphrase,
      },
      encrypted: new Set(["talosSecrets", "diskPassphrase"]),
    },
  );
}

/** What the machine was told to do since the last call, in order; questions and paths left out. */
function takeCalls(): string[] {
  const file = join(machine, "calls");
  const calls = existsSync(file) ? readFileSync(file, "utf8") : "";
  rmSync(file, { force: true });
  withoutSecrets(calls);
  return calls
    .split("\n")
    .map((line) => line.replace(/--talosconfig \S+ |--endpoints \S+ |--nodes \S+ |--file \S+ /g, ""))
    .map((line) => line.replace(/ --control-plane-nodes.*|(?<=snapshot) \S+/g, "").trim())
    .filter((line) => /^(apply-config|bootstrap|upgrade|etcd snapshot|health|reboot|reset|kubeconfig)/.test(line))
    .map((line) => line.replace(/^kubeconfig .*/, "kubeconfig"));
}

/** Every value of the bundle, and the passphrase. */
function withoutSecrets(text: string): void {
  const values = [...talosSecrets.matchAll(/(?:token|secret|key|crt|id|secretboxEncryptionSecret): (\S{16,})/gi)];
  assert.ok(values.length >= 10, "the bundle is read");
  for (const secret of [passphrase, ...values.map(([, value]) => value ?? "")]) {
    const at = text.indexOf(secret);
    assert.ok(at < 0, `a secret is in: ${text.slice(Math.max(0, at - 300), at)}`);
  }
}

function nothingLeft(run: Run): void {
  withoutSecrets(run.everything);
  withoutSecrets(engine.state());
  assert.deepEqual(readdirSync(temporary), [], "no file with a secret is left");
}

async function upWell(): Promise<{ readonly run: Run; readonly did: readonly string[] }> {
  const run = await engine.up(program);
  assert.equal(run.said, "");
  nothingLeft(run);
  return { run, did: takeCalls() };
}

async function refused(message: RegExp): Promise<readonly string[]> {
  const run = await engine.up(program);
  assert.ok(run.failed);
  assert.match(run.said, message);
  nothingLeft(run);
  return takeCalls();
}

const configured = ["apply-config --mode no-reboot", "health", "kubeconfig"];

describe("a machine on Talos", () => {
  test("a preview shows the configuration and no secret, and asks nothing of the machine", async () => {
    const run = await engine.preview(program);
    assert.equal(run.said, "");
    assert.match(run.everything, /kubeNetworkPoliciesEnabled: true/);
    nothingLeft(run);
    assert.ok(!existsSync(join(machine, "calls")));
  });

  test("one that does not answer: it is said where, and nothing is done", async () => {
    assert.deepEqual(
      await refused(/machines-proliant-1[^]*nothing of Talos answers at 192\.168\.1\.11\. Nothing was changed\./),
      [],
    );
  });

  test("one that waits for a configuration becomes no cluster that nobody asked for", async () => {
    put("state", "maintenance");
    assert.deepEqual(
      await refused(/has no configuration: it is new[^]*set kraft:machines\.clusterInit to true, once/),
      [],
    );
    declared.machines = { clusterInit: true };
    put("drives", settings.drives.system);
    assert.deepEqual(await refused(/there is no drive naa\.600508b1001c2be8d7a9e4f2b2c01b22/), []);
    put("drives", `${settings.drives.system}\n${settings.drives.longhorn}`);
  });

  test("the first up after that installs it, and the next one changes nothing", async () => {
    const { run, did } = await upWell();
    assert.deepEqual(run.changes, { same: 3, create: 1 });
    assert.deepEqual(did, ["apply-config --insecure", "bootstrap", "health", ...configured]);
    assert.match(run.progress, /installing Talos 1\.13\.8 on drive naa[^]*the machine is healthy/);
    const applied = readFileSync(join(machine, "applied"), "utf8");
    assert.ok(applied.includes(passphrase), "the machine itself gets its secrets");
    assert.match(applied, /^ {8}defaultRuntimeSeccompProfileEnabled: true$/m);
    assert.match(applied, /^ {8}fs\.epoll\.max_user_watches: "2147483647"$/m);
    assert.match(readFileSync(kubeconfig, "utf8"), /a kubeconfig\nkraft-proliant/);
    const second = await upWell();
    assert.deepEqual([second.run.changes, second.did], [{ same: 4 }, []]);
  });

  test("another version of Talos is an upgrade after a snapshot, and nothing else", async () => {
    declared.machines = {};
    declared.talosVersion = "1.13.9";
    const preview = await engine.preview(program);
    assert.deepEqual([preview.changes, takeCalls()], [{ same: 3, update: 1 }, []]);
    nothingLeft(preview);
    const { run, did } = await upWell();
    assert.deepEqual(run.changes, { same: 3, update: 1 });
    const image = installerImage(settings.machine, "1.13.9");
    assert.deepEqual(did, [
      "health",
      "etcd snapshot",
      `upgrade --image ${image} --drain=false --wait --timeout 30m`,
      ...configured,
    ]);
    assert.deepEqual((await upWell()).did, []);
  });

  test("an older version is refused, and taking it back is no change", async () => {
    declared.talosVersion = "1.13.8";
    assert.deepEqual(await refused(/Talos 1\.13\.9 runs, and the stack asks for the older 1\.13\.8/), []);
    declared.talosVersion = "1.13.9";
    assert.deepEqual((await upWell()).did, []);
  });

  test("a configuration that the machine refuses is an error until it takes it, and no difference is shown", async () => {
    declared.again = "refused";
    put("refuses", "");
    assert.deepEqual(await refused(/InvalidArgument[^]*refuses its configuration, and keeps the one it has/), [
      "apply-config --mode no-reboot",
    ]);
    take("refuses");
    put("needs-restart", "");
    const { run, did } = await upWell();
    assert.match(run.progress, /THE NEW CONFIGURATION TAKES A RESTART/);
    assert.deepEqual(did, ["apply-config --mode no-reboot", "apply-config --mode staged", ...configured.slice(1)]);
    take("needs-restart");
    assert.deepEqual((await upWell()).did, []);
  });

  test("one that went off is repaired by the next up after it is on", async () => {
    declared.again = "off";
    put("state", "silent");
    assert.deepEqual(await refused(/nothing of Talos answers/), []);
    put("state", "running");
    const { run, did } = await upWell();
    assert.deepEqual([run.changes, did], [{ same: 3, update: 1 }, configured]);
  });

  test("an interrupted up leaves neither a secret nor a process behind, and the next one goes on", async () => {
    put("talos", "1.13.8");
    declared.again = "interrupted";
    put("hangs", "");
    const interruption = new AbortController();
    const run = engine.up(program, interruption.signal);
    const hanging = join(machine, "hanging");
    const hangs = await eventually(() => Promise.resolve(existsSync(hanging)), 30);
    interruption.abort();
    const interrupted = await run;
    assert.ok(hangs, interrupted.said);
    const talosctl = Number(readFileSync(hanging, "utf8"));
    assert.ok(interrupted.failed);
    assert.ok(await eventually(() => Promise.resolve(!existsSync(`/proc/${talosctl}`)), 5), "talosctl still runs");
    assert.ok(await eventually(() => Promise.resolve(readdirSync(temporary).length === 0), 5), "secrets are left");
    nothingLeft(interrupted);
    take("hangs");
    takeCalls();
    const { did } = await upWell();
    assert.deepEqual(did.slice(0, 2), ["health", "etcd snapshot"]);
  });

  test("out of the program it is protected", async () => {
    const run = await engine.up(() => undefined);
    assert.ok(run.failed);
    assert.match(run.said, /machines-proliant-1[^]*protect/);
    assert.deepEqual(takeCalls(), []);
    assert.deepEqual((await upWell()).did, []);
  });

  test("nothing is asked of the API server while the machine is not as declared", async () => {
    const asked: unknown[] = [];
    const server = createServer((connection) => {
      asked.push(connection.remotePort);
      connection.destroy();
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const file = join(folder, "host.yaml");
    const user = { name: "host", user: {} };
    const context = { name: "host", context: { cluster: "host", user: "host" } };
    const clusters = [{ name: "host", cluster: { server: address } }];
    writeFileSync(
      file,
      JSON.stringify({ apiVersion: "v1", kind: "Config", clusters, users: [user], contexts: [context] }),
    );
    const platform = async (): Promise<void> => {
      const nodes = proliant.nodes.map((hardware) => ({
        ...hardware,
        address: settings.address,
        drives: settings.drives,
      }));
      const machines = {
        distribution: "talos",
        init: "never",
        rerunToken: declared.again,
        secrets: { talosSecrets, diskPassphrase: passphrase },
      } as const;
      const talos = declareTalos(proliant, nodes, machines, { kubeconfig, context: "kraft-proliant" });
      const cluster = { kubeconfig: file, context: "host", uid: "", identifier: "kraft-proliant" };
      const host = new HostCluster("host", cluster, { dependsOn: [...talos.ready] });
      await new Promise((known) => host.uid.apply(known));
    };
    try {
      declared.again = "before the platform";
      put("state", "silent");
      const off = await engine.up(platform);
      assert.ok(off.failed);
      assert.match(off.said, /nothing of Talos answers/);
      assert.doesNotMatch(off.said, /kubernetes|host-kube-system/);
      assert.deepEqual(asked, []);
      put("state", "running");
      const on = await engine.up(platform);
      assert.match(on.said, /host-kube-system/, "what listens there is no API server");
      assert.notDeepEqual(asked, []);
      assert.deepEqual(takeCalls(), configured);
    } finally {
      server.close();
    }
  });
});
