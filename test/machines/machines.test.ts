import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { K3sNodes } from "../../components/k3s-nodes.ts";
import type { K3sClusterPlan } from "../../components/plan/machines/node-script.ts";
import { k3sPlan, nodeScripts } from "../../infra/nodes/declare.ts";
import { askNodes } from "../../kraft/host-kubeconfig/host-kubeconfig.ts";
import { rewriteKubeconfig } from "../../kraft/kubeconfig/rewrite.ts";
import { eventually } from "../../local/api.ts";
import { stacks } from "../../stacks/index.ts";
import { type LabEngine, labEngine, type Run } from "./lab/engine.ts";
import { insideLaboratory } from "./lab/inside.ts";
import { Lab, type LabNode } from "./lab/lab.ts";

// Real: sshd, keys, sudo, Debian with its dpkg, the engine, three machines on a network. Stand-ins that write down what
// they are called with: k3s, systemctl, the kernel's settings, the package server (test/machines/stand-ins).
const surroundings = await insideLaboratory(import.meta.filename);

const token = "0123456789abcdef0123456789abcdef";
let lab: Lab;
let engine: LabEngine;
/** What the operator has in the stack file. */
let declared: {
  version: string;
  clusterInit: boolean;
  again: string;
  token: string;
  sha256: string;
  hostKeys: Record<string, string>;
};

before(async () => {
  lab = new Lab(surroundings.root);
  await lab.start();
  engine = await labEngine(lab.folder, surroundings);
  declared = {
    version: "v1.35.6+k3s1",
    clusterInit: true,
    again: "first",
    token,
    sha256: "",
    hostKeys: Object.fromEntries(lab.nodes.map(({ name, hostKey }) => [name, hostKey])),
  };
});

beforeEach(async () => {
  await lab.tidy();
});

after(async () => {
  await lab.stop();
});

function node(number: number): LabNode {
  return lab.nodes[number - 1] ?? assert.fail(`no node ${number}`);
}

/** The homelab's plan, with the laboratory's addresses and less patience. */
function plan(): K3sClusterPlan {
  const stack = stacks.get("homelab") ?? assert.fail();
  const nodes = stack.nodes.map((hardware, index) => ({ ...hardware, address: lab.nodes[index]?.address ?? "" }));
  const machines = {
    distribution: "k3s",
    user: "kraft",
    api: "api.kraft.test",
    clusterInit: declared.clusterInit,
    sha256: declared.sha256 === "" ? {} : { amd64: declared.sha256, arm64: declared.sha256 },
    rerunToken: declared.again,
    secrets: { machineKey: "", k3sToken: "" },
  } as const;
  return {
    ...k3sPlan(stack, nodes, machines),
    version: declared.version,
    releaseUrl: lab.releases,
    limits: { freeMebibytes: 16, healthSeconds: 6, healthInterval: 0.2, drainSeconds: 5, volumeSeconds: 2 },
  };
}

function program(): void {
  new K3sNodes("machines", {
    plan: plan(),
    scripts: nodeScripts(),
    ssh: { user: "kraft", privateKey: pulumi.secret(lab.privateKey), hostKeys: declared.hostKeys },
    token: pulumi.secret(declared.token),
  });
}

async function up(): Promise<Run> {
  return engine.up(program);
}

async function upWell(): Promise<Run> {
  const run = await up();
  assert.equal(run.said, "");
  return run;
}

async function refused(message: RegExp): Promise<Run> {
  const run = await up();
  assert.ok(run.failed);
  assert.match(run.said, message);
  return run;
}

function withoutSecrets(text: string): void {
  for (const secret of [token, "OPENSSH PRIVATE KEY"]) {
    const at = text.indexOf(secret);
    assert.ok(at < 0, `a secret is in: ${text.slice(Math.max(0, at - 300), at)}`);
  }
}

/** What was done, without what only asks. */
function starts(calls: readonly string[]): string[] {
  return calls.filter((call) => call.includes(" k3s server "));
}

describe("machines", () => {
  test("a preview shows the whole script and no secret", async () => {
    const run = await engine.preview(program);
    assert.equal(run.said, "");
    assert.match(run.everything, /secrets-encryption: true/);
    withoutSecrets(run.everything);
  });

  test("the first up prepares three machines, one after the other, and joins them", async () => {
    const run = await upWell();
    assert.equal(run.changes["create"], 9);
    const calls = lab.takeCalls();
    assert.deepEqual(
      starts(calls),
      [1, 2, 3].map((number) => `optiplex-${number} k3s server v1.35.6+k3s1`),
    );
    assert.deepEqual(
      [...new Set(calls.map((call) => call.split(" ")[0]).filter((name) => name !== "operator"))],
      ["optiplex-1", "optiplex-2", "optiplex-3"],
    );
    for (const { read, inside } of lab.nodes.map((each) => ({
      read: (path: string) => each.read(path),
      inside: (line: string) => each.inside(line),
    }))) {
      assert.equal(inside("dpkg-query -W -f='${db:Status-Status}' open-iscsi"), "installed");
      assert.match(read("/etc/rancher/k3s/config.yaml"), /disable:\n {2}- traefik\n {2}- local-storage/);
      assert.equal(read("/etc/rancher/k3s/token"), `${token}\n`);
      assert.equal(inside("stat -c %a /etc/rancher/k3s/token /etc/rancher/k3s/config.yaml").trim(), "600\n600");
    }
    const joins = lab.nodes.map((each) => each.read("/etc/rancher/k3s/config.yaml.d/20-join.yaml"));
    assert.deepEqual(joins, ["cluster-init: true\n", ...Array<string>(2).fill("server: https://10.77.0.11:6443\n")]);
  });

  test("no secret is in what was printed, in an event or in the state", async () => {
    declared.again = "second";
    const run = await upWell();
    for (const text of [run.everything, engine.state()]) {
      withoutSecrets(text);
    }
    assert.match(engine.state(), /END_OF_FILE/, "the state was read");
  });

  test("the second up changes nothing, and neither does going through every node again", async () => {
    lab.takeCalls();
    const same = await upWell();
    assert.deepEqual(Object.keys(same.changes), ["same"]);
    assert.deepEqual(lab.takeCalls(), []);
    declared.again = "third";
    const again = await upWell();
    assert.equal(again.changes["update"], 3);
    assert.match(again.progress, /optiplex-3: k3s v1\.35\.6\+k3s1 runs, the node is healthy/);
    assert.doesNotMatch(again.progress, /wrote|starting|installing/);
    assert.deepEqual(
      lab.takeCalls().filter((call) => !call.includes(" modprobe ")),
      [],
    );
  });

  test("a changed version goes to one node after the other, each with a snapshot before", async () => {
    declared.version = "v1.35.7+k3s1";
    declared.clusterInit = false;
    await upWell();
    const calls = lab.takeCalls().filter((call) => call.includes(" k3s "));
    assert.deepEqual(calls, [
      "optiplex-1 k3s etcd-snapshot save --name kraft-before-v1.35.7-k3s1",
      ...[1, 2, 3].map((number) => `optiplex-${number} k3s server v1.35.7+k3s1`),
    ]);
  });

  test("another minor version drains, and the next node waits until every volume has its copies", async () => {
    declared.version = "v1.36.0+k3s1";
    lab.set("drain-fails", "");
    await refused(/machines-optiplex-1[\s\S]*could not be drained within 5 s, and was left as it is/);
    lab.set("drain-fails", undefined);
    assert.deepEqual(
      lab.takeCalls().filter((call) => /kubectl|k3s server/.test(call)),
      [
        "optiplex-1 kubectl drain optiplex-1 --ignore-daemonsets --delete-emptydir-data --timeout=5s",
        // Some pods may have moved before it failed.
        "optiplex-1 kubectl delete pods --all-namespaces --selector mode=shared,type=agent --wait=false",
        "optiplex-1 kubectl uncordon optiplex-1",
      ],
    );
    lab.set("degraded-volumes", "pvc-1\n");
    await refused(/machines-optiplex-1[\s\S]*volumes still lack a copy after 2 s: pvc-1/);
    assert.deepEqual(starts(lab.takeCalls()), ["optiplex-1 k3s server v1.36.0+k3s1"]);
    lab.set("degraded-volumes", "");
    lab.set("silent-about-volumes.longhorn.io", "");
    await refused(/machines-optiplex-1[\s\S]*volumes could not be listed for 2 s\. No further node was touched\./);
    assert.deepEqual(starts(lab.takeCalls()), []);
    lab.set("silent-about-volumes.longhorn.io", undefined);
    await upWell();
    const calls = lab.takeCalls().filter((call) => /kubectl|k3s server/.test(call));
    assert.deepEqual(calls, [
      "optiplex-1 kubectl uncordon optiplex-1",
      ...[2, 3].flatMap((number) => [
        `optiplex-${number} kubectl drain optiplex-${number} --ignore-daemonsets --delete-emptydir-data --timeout=5s`,
        // Else what it moved away would be gone for good, and the guests would not know.
        `optiplex-${number} kubectl delete pods --all-namespaces --selector mode=shared,type=agent --wait=false`,
        `optiplex-${number} k3s server v1.36.0+k3s1`,
        `optiplex-${number} kubectl uncordon optiplex-${number}`,
      ]),
    ]);
    lab.set("degraded-volumes", undefined);
  });

  test("a version that does not start stops at the first node, and the next version repairs it", async () => {
    declared.version = "v1.36.1+k3s1";
    lab.set("broken-v1.36.1+k3s1", "");
    await refused(/machines-optiplex-1[\s\S]*k3s does not start\. No further node was touched\./);
    assert.equal(starts(lab.takeCalls()).length, 1);
    declared.version = "v1.36.2+k3s1";
    await upWell();
    assert.equal(starts(lab.takeCalls()).length, 3);
  });

  test("an older version is refused before anything is done", async () => {
    declared.version = "v1.36.1+k3s1";
    await refused(
      /k3s v1\.36\.2\+k3s1 is installed, and the stack asks for the older v1\.36\.1\+k3s1\. Nothing was changed\./,
    );
    declared.version = "v1.38.0+k3s1";
    await refused(/skips a minor version/);
    assert.deepEqual(lab.takeCalls(), []);
    declared.version = "v1.36.2+k3s1";
    await upWell();
  });

  test("a program with another SHA-256 than its release or the stack file says is not installed", async () => {
    declared.version = "v1.36.3+k3s1";
    lab.tamper = (text) => `${text}\n# changed on its way\n`;
    await refused(
      /k3s v1\.36\.3\+k3s1 has the SHA-256 [0-9a-f]{64}, its release says [0-9a-f]{64}\. Nothing was installed/,
    );
    lab.tamper = undefined;
    declared.sha256 = "0".repeat(64);
    await refused(/kraft:machines\.sha256\.(amd64|arm64) says 0{64}\. Nothing was installed/);
    declared.sha256 = "";
    assert.deepEqual(starts(lab.takeCalls()), []);
    await upWell();
    assert.equal(starts(lab.takeCalls()).length, 3);
  });

  test("servers that cannot be listed may be away", async () => {
    declared.version = "v1.36.4+k3s1";
    lab.set("silent-about-nodes", "");
    await refused(
      /machines-optiplex-1[\s\S]*its API server does not list the servers\. k3s on optiplex-1 was not restarted/,
    );
    lab.set("silent-about-nodes", undefined);
    assert.deepEqual(starts(lab.takeCalls()), []);
  });

  test("a machine that is off: it is said which, no node after it is touched, and the next up goes on", async () => {
    await node(2).powerOff();
    await refused(
      /machines-optiplex-1[\s\S]*not ready: optiplex-2 \(v1\.36\.3\+k3s1, 10\.77\.0\.12\)\. k3s on optiplex-1 was not restarted: the cluster would stop\./,
    );
    assert.deepEqual(starts(lab.takeCalls()), []);
    await node(2).powerOn();
    lab.takeCalls();
    await node(1).powerOff();
    await refused(/machines-optiplex-1[\s\S]*after 3 failed attempts: dial tcp 10\.77\.0\.11:22: /);
    assert.deepEqual(lab.takeCalls(), []);
    await node(1).powerOn();
    lab.takeCalls();
    await upWell();
    assert.equal(starts(lab.takeCalls()).length, 3);
  });

  test("a machine with another host key than the stack file's gets neither a command nor a secret", async () => {
    const { name } = node(2);
    const right = declared.hostKeys[name] ?? "";
    declared.hostKeys[name] = node(3).hostKey;
    declared.again = "wrong host key";
    await refused(/machines-optiplex-2[\s\S]*after 3 failed attempts: ssh: handshake failed: ssh: host key mismatch/);
    assert.ok(!lab.takeCalls().some((call) => call.startsWith(name)));
    declared.hostKeys[name] = right;
    await upWell();
  });

  test("a full disk is refused in numbers, and repaired by the next up", async () => {
    const filled = join(node(3).root, "var", "filled");
    node(3).inside("dd if=/dev/zero of=/var/filled bs=1M 2>/dev/null || true");
    declared.version = "v1.36.5+k3s1";
    await refused(/machines-optiplex-3[\s\S]*\/ has \d MiB free, 16 are needed\. Nothing was changed\./);
    assert.deepEqual(starts(lab.takeCalls()).length, 2);
    rmSync(filled);
    await upWell();
    assert.deepEqual(starts(lab.takeCalls()), ["optiplex-3 k3s server v1.36.5+k3s1"]);
  });

  test("Longhorn's file system that is not mounted is refused", async () => {
    await node(1).powerOff();
    writeFileSync(join(node(1).root, "etc", "longhorn-disk-is-missing"), "");
    await node(1).powerOn();
    declared.again = "no disk";
    await refused(/no file system is mounted at \/var\/lib\/longhorn\. Nothing was changed\./);
    await node(1).powerOff();
    rmSync(join(node(1).root, "etc", "longhorn-disk-is-missing"));
    await node(1).powerOn();
    lab.takeCalls();
    await upWell();
  });

  test("a power cut in the middle of a run, and of an installation, is repaired by the next up", async () => {
    node(2).inside("dpkg --purge nfs-common >/dev/null");
    lab.set("hang-while-installing", "");
    declared.version = "v1.36.6+k3s1";
    const interrupted = up();
    assert.ok(await eventually(() => Promise.resolve(lab.recorded("optiplex-2 hanging")), 60));
    await node(2).powerOff();
    const run = await interrupted;
    assert.ok(run.failed);
    assert.match(run.said, /machines-optiplex-2/);
    assert.match(node(2).inside("dpkg --audit"), /nfs-common/, "the installation is half done");
    lab.set("hang-while-installing", undefined);
    await node(2).powerOn();
    lab.takeCalls();
    await upWell();
    assert.equal(node(2).inside("dpkg --audit"), "");
    assert.deepEqual(
      starts(lab.takeCalls()),
      [2, 3].map((number) => `optiplex-${number} k3s server v1.36.6+k3s1`),
    );
  });

  test("what was written before a power cut is acted upon after it", async () => {
    node(1).inside("sed -i 's/48/47/' /etc/rancher/k3s/config.yaml");
    const pending = join(node(1).root, "var", "lib", "kraft", "pending");
    declared.again = "pending";
    writeFileSync(join(pending, "k3s"), "");
    await upWell();
    assert.deepEqual(starts(lab.takeCalls()), ["optiplex-1 k3s server v1.36.6+k3s1"]);
  });

  test("a node that was set up anew joins the others, and never begins a second cluster", async () => {
    const before = node(2).read("/var/lib/rancher/k3s/server/db/etcd/cluster");
    declared.clusterInit = true;
    await node(1).powerOff();
    node(1).inside("rm -rf /var/lib/rancher /etc/rancher /usr/local/bin/k3s /var/lib/kraft");
    node(1).newHostKey();
    await node(1).powerOn();
    lab.takeCalls();
    declared.hostKeys[node(1).name] = node(1).hostKey;
    await upWell();
    assert.equal(node(1).read("/var/lib/rancher/k3s/server/db/etcd/cluster"), before);
    declared.clusterInit = false;
    await node(2).powerOff();
    await node(3).powerOff();
    await node(1).powerOff();
    node(1).inside("rm -rf /var/lib/rancher /etc/rancher /var/lib/kraft");
    node(1).newHostKey();
    await node(1).powerOn();
    declared.hostKeys[node(1).name] = node(1).hostKey;
    await refused(/no other node of the cluster answers \(10\.77\.0\.12 10\.77\.0\.13, port 6443\)/);
    await node(2).powerOn();
    await node(3).powerOn();
    await upWell();
  });

  test("the operator's tool fetches the kubeconfig from a node that proves who it is", async () => {
    const key = join(lab.folder, "key");
    const nodes = lab.nodes.map(({ name, address }) => ({ name, address, hostKey: declared.hostKeys[name] ?? "" }));
    const answer = await askNodes(nodes, "kraft", key);
    assert.equal(answer.node.name, node(1).name);
    assert.equal(`${answer.uid}\n`, node(1).read("/var/lib/rancher/k3s/server/db/etcd/cluster"));
    const { text, expires } = rewriteKubeconfig(
      answer.kubeconfig,
      "kraft-homelab",
      "https://api.kraft.test:6443",
      "k3s",
    );
    assert.match(text, /server: https:\/\/api\.kraft\.test:6443/);
    assert.match(text, /current-context: kraft-homelab/);
    assert.ok(expires !== undefined && expires > new Date());
    const impostors = nodes.map((each) => ({ ...each, hostKey: node(3).hostKey }));
    const [one, two] = impostors;
    await assert.rejects(
      askNodes([one ?? assert.fail(), two ?? assert.fail()], "kraft", key),
      /no node gave its kubeconfig\n {2}optiplex-1 \(10\.77\.0\.11\): Host key verification failed\.\n {2}optiplex-2/,
    );
  });

  test("another token than the cluster's is refused, and so is a k3s that was set up in another way", async () => {
    declared.token = "f".repeat(32);
    const run = await refused(
      /kraft:k3sToken is not the token of the cluster that this node belongs to\. Nothing was changed\./,
    );
    assert.doesNotMatch(run.everything, /f{32}/);
    declared.token = token;
    declared.again = "by hand";
    node(1).inside("sed -i '/Written by Kraft/d' /etc/rancher/k3s/config.yaml");
    await refused(/k3s was set up here in another way, and Kraft does not take it over/);
    node(1).inside("sed -i '1i # Written by Kraft' /etc/rancher/k3s/config.yaml");
    node(1).inside("sed -i 's/^flannel-backend: .*/flannel-backend: vxlan/' /etc/rancher/k3s/config.yaml");
    await refused(
      /created with flannel-backend: vxlan, which can never change; it should become flannel-backend: wireguard-native/,
    );
  });
});
