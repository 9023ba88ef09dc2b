import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { parseAllDocuments } from "yaml";
import { hostTraits } from "../../../../../components/plan/machines/machine.ts";
import {
  recoveryKeyPatch,
  type TalosNodeSettings,
  talosPatch,
} from "../../../../../components/plan/machines/talos-config.ts";
import { terminalReporter } from "../../../../../local/terminal.ts";
import { readyTools, toolPath } from "../../../../../local/toolchain/ready.ts";
import { passphrase, settings } from "./example.ts";

type Fields = Record<string, unknown>;

const folder = mkdtempSync(join(tmpdir(), "kraft-talos-"));
let tool: string;

before(async () => {
  tool = toolPath(await readyTools(terminalReporter(), ["talos"]), "talos-config");
  const made = spawnSync(tool, [
    "gen",
    "secrets",
    "--talos-version",
    "v1.13",
    "--output-file",
    join(folder, "secrets"),
  ]);
  assert.equal(made.status, 0, String(made.stderr));
});

after(() => {
  rmSync(folder, { recursive: true });
});

/** What Talos' own library makes of a rendering, and says of it: as the component's script asks it. */
function judged(patch: string, keys: string = recoveryKeyPatch(settings, passphrase)) {
  writeFileSync(join(folder, "patch"), patch);
  writeFileSync(join(folder, "keys"), keys);
  const flags = ["--install-disk", "", "--with-secrets", join(folder, "secrets"), "--talos-version", "v1.13"];
  const patches = ["patch", "keys"].flatMap((name) => ["--config-patch-control-plane", `@${join(folder, name)}`]);
  const plain = ["--kubernetes-version", "1.35.6", "--with-docs=false", "--with-examples=false"];
  const made = spawnSync(
    tool,
    ["gen", "config", "kraft", `https://${settings.address}:6443`, ...flags, ...patches, ...plain, "--output", "-"],
    { encoding: "utf8" },
  );
  if (made.status !== 0) {
    return { valid: false, message: made.stderr, documents: [] };
  }
  writeFileSync(join(folder, "machine"), made.stdout);
  const { status, stderr } = spawnSync(
    tool,
    ["validate", "--config", join(folder, "machine"), "--mode", "metal", "--strict"],
    { encoding: "utf8" },
  );
  const documents = parseAllDocuments(made.stdout).map((document) => document.toJS() as Fields);
  return { valid: status === 0, message: stderr, documents };
}

function rendered(changes: Partial<TalosNodeSettings> = {}) {
  const all = { ...settings, ...changes };
  return judged(talosPatch(all), recoveryKeyPatch(all, passphrase));
}

function named(documents: readonly Fields[], kind: string, name?: string): Fields {
  const found = documents.find((document) => document["kind"] === kind && document["name"] === name);
  return found ?? assert.fail(`${kind} ${name ?? ""}`);
}

describe("Talos' own library accepts every rendering", () => {
  const machine = settings.machine;
  const renderings: Readonly<Record<string, Partial<TalosNodeSettings>>> = {
    "of the ProLiant": {},
    "of one with UEFI and a TPM": { machine: { ...machine, firmware: "uefi", tpm: true } },
    "of one with AMD's processor and plain disks": {
      machine: { ...machine, processor: { vendor: "amd", level: 3 }, controller: "nvme" },
      drives: { system: "eui.0025388b01", longhorn: "eui.0025388b02" },
    },
    "of one among several": { traits: hostTraits("talos", 3) },
    "of an older Talos": { talosVersion: "1.12.0" },
  };
  for (const [name, changes] of Object.entries(renderings)) {
    test(name, () => {
      const { valid, message } = rendered(changes);
      assert.ok(valid, message);
    });
  }
});

describe("Talos' own library refuses what is broken", () => {
  const broken: Readonly<Record<string, readonly [(patch: string) => string, RegExp]>> = {
    "a misspelt key": [(patch) => patch.replace("extraMounts:", "extraMount:"), /unknown keys|extraMount/],
    "a selector that is no expression": [(patch) => patch.replace("disk.wwid ==", "disk.wwid ="), /Syntax error/],
    "a selector of a field that disks do not have": [
      (patch) => patch.replace("disk.wwid", "disk.wwn"),
      /undefined field/,
    ],
    "a network plugin that there is not": [
      (patch) => patch.replace("name: flannel", "name: canal"),
      /cni name should be one of/,
    ],
    "a label that Kubernetes refuses": [(patch) => patch.replace('level: "2"', 'level: "-2-"'), /label/],
    "an automatic host name beside the given one": [
      (patch) => patch.replace('auto: "off"', "auto: stable"),
      /hostname/,
    ],
    "no drive to install on": [
      (patch) => patch.replace(/ {4}diskSelector:\n {6}wwid: .*\n/, ""),
      /either install disk or diskSelector/,
    ],
    "kernel arguments from two places": [
      (patch) => patch.replace("wipe: false", "wipe: false\n    extraKernelArgs: [console=ttyS1]"),
      /can't be used together/,
    ],
  };
  for (const [name, [change, message]] of Object.entries(broken)) {
    test(name, () => {
      const patch = talosPatch(settings);
      assert.notEqual(change(patch), patch, "the test changes something");
      const result = judged(change(patch), change(recoveryKeyPatch(settings, passphrase)));
      assert.equal(result.valid, false);
      assert.match(result.message, message);
    });
  }

  test("two keys in one slot", () => {
    const keys = recoveryKeyPatch(settings, passphrase).replaceAll("slot: 1", "slot: 0");
    const result = judged(talosPatch(settings), keys);
    assert.equal(result.valid, false);
    assert.match(result.message, /duplicate key slot 0/);
  });
});

describe("the machine configuration that comes of it", () => {
  let documents: readonly Fields[];
  let machine: Fields;
  let cluster: Fields;
  before(() => {
    ({ documents } = rendered());
    const main = documents.find((document) => "machine" in document);
    machine = main?.["machine"] as Fields;
    cluster = main?.["cluster"] as Fields;
  });

  test("installs on the drive that was named, and on no other", () => {
    const { drives } = settings;
    const { disk, diskSelector, wipe } = machine["install"] as Fields;
    assert.deepEqual(
      { disk, diskSelector, wipe },
      { disk: undefined, diskSelector: { wwid: drives.system }, wipe: false },
    );
    const { provisioning } = named(documents, "UserVolumeConfig", "longhorn") as { provisioning: Fields };
    assert.deepEqual(provisioning["diskSelector"], { match: `disk.wwid == "${drives.longhorn}"` });
    assert.equal(provisioning["minSize"], "2700GiB");
  });

  test("keeps network policies in force", () => {
    const { cni } = cluster["network"] as Fields;
    assert.deepEqual(cni, { name: "flannel", flannel: { kubeNetworkPoliciesEnabled: true } });
  });

  test("tells the API server to know the policies that take raw packets from pods", () => {
    const { extraArgs } = cluster["apiServer"] as { readonly extraArgs: Fields };
    assert.equal(extraArgs["feature-gates"], "MutatingAdmissionPolicy=true");
    assert.equal(
      extraArgs["runtime-config"],
      "admissionregistration.k8s.io/v1beta1=true,admissionregistration.k8s.io/v1alpha1=true",
    );
  });

  test("keeps Pod Security at baseline where a namespace says nothing", () => {
    const { admissionControl } = cluster["apiServer"] as {
      admissionControl: { name: string; configuration: Fields }[];
    };
    const security = admissionControl.find(({ name }) => name === "PodSecurity")?.configuration;
    assert.equal((security?.["defaults"] as Fields | undefined)?.["enforce"], "baseline");
    assert.deepEqual((security?.["exemptions"] as Fields | undefined)?.["namespaces"], ["kube-system"]);
  });

  test("encrypts every volume, each with a key that outlives the machine but the one that holds that key", () => {
    const keysOf = (kind: string, name: string): readonly Fields[] =>
      (named(documents, kind, name)["encryption"] as { keys: Fields[] }).keys;
    const start = { slot: 0, nodeID: {} };
    const recovery = { slot: 1, static: { passphrase } };
    assert.deepEqual(keysOf("VolumeConfig", "STATE"), [start]);
    assert.deepEqual(keysOf("VolumeConfig", "EPHEMERAL"), [start, recovery]);
    assert.deepEqual(keysOf("UserVolumeConfig", "longhorn"), [start, recovery]);
  });

  test("lets the only node do everything", () => {
    assert.equal(cluster["allowSchedulingOnControlPlanes"], true);
    assert.deepEqual(machine["nodeLabels"], { "kraft.dev/x86-64-level": "2" });
    assert.deepEqual((cluster["discovery"] as Fields)["enabled"], false);
  });

  test("mounts Longhorn's volume where the chart looks for it, so that mounts come back out", () => {
    const { extraMounts } = machine["kubelet"] as Fields;
    assert.deepEqual(extraMounts, [
      {
        destination: settings.traits.dataPath,
        type: "bind",
        source: settings.traits.dataPath,
        options: ["bind", "rshared", "rw"],
      },
    ]);
  });

  test("has the addresses of the stack, and of no other network card", () => {
    const { podSubnets, serviceSubnets } = cluster["network"] as Fields;
    assert.deepEqual([podSubnets, serviceSubnets], [[settings.network.podCidr], [settings.network.serviceCidr]]);
    const { nodeIP } = machine["kubelet"] as { nodeIP: Fields };
    assert.deepEqual(nodeIP["validSubnets"], ["192.168.1.11/32"]);
    assert.deepEqual((cluster["etcd"] as Fields)["advertisedSubnets"], ["192.168.1.11/32"]);
  });
});

test("what a preview shows holds no secret", () => {
  const patch = talosPatch(settings);
  assert.doesNotMatch(patch, /passphrase|token|key: |secret/i);
});
