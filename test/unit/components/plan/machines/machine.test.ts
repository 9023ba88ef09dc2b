import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  bootloader,
  diskKey,
  hostTraits,
  type Machine,
  wwidPrefix,
} from "../../../../../components/plan/machines/machine.ts";
import {
  installerImage,
  kubeletReservation,
  schematic,
  schematicId,
  systemExtensions,
} from "../../../../../components/plan/machines/talos-config.ts";
import { mebibytes } from "../../../../../components/plan/size.ts";
import { allocatable } from "../../../../../infra/checks/figures.ts";
import { stacks } from "../../../../../stacks/index.ts";
import { proliantMachine } from "./example.ts";

const gen8 = proliantMachine();
const modern: Machine = {
  firmware: "uefi",
  tpm: true,
  processor: { vendor: "amd", level: 3 },
  controller: "nvme",
};

test("what follows from the number of nodes and their operating system", () => {
  const table = [
    ["k3s", 3, "loadBalancer", "/var/lib/longhorn", true],
    ["k3s", 2, "loadBalancer", "/var/lib/longhorn", true],
    ["k3s", 1, "hostPort", "/var/lib/longhorn", false],
    ["talos", 1, "hostPort", "/var/mnt/longhorn", false],
    ["talos", 3, "loadBalancer", "/var/mnt/longhorn", true],
    ["embedded", 3, "loadBalancer", "/var/lib/longhorn", true],
  ] as const;
  for (const [distribution, nodes, exposure, dataPath, drains] of table) {
    const expected = { exposure, dataPath, drains };
    assert.deepEqual(hostTraits(distribution, nodes), expected, `${nodes} on ${distribution}`);
  }
});

test("every stack is exposed and stores as its machines demand", () => {
  for (const stack of stacks.values()) {
    const { exposure, dataPath } = hostTraits(stack.distribution, stack.nodes.length);
    assert.deepEqual([stack.exposure, stack.storage.dataPath], [exposure, dataPath], stack.name);
  }
});

test("a TPM holds the disks' keys only behind UEFI", () => {
  const table = [
    ["uefi", true, "tpm", "systemd-boot"],
    ["uefi", false, "node-id", "systemd-boot"],
    ["bios", true, "node-id", "grub"],
    ["bios", false, "node-id", "grub"],
  ] as const;
  for (const [firmware, tpm, key, loader] of table) {
    const machine = { ...modern, firmware, tpm };
    assert.deepEqual([diskKey(machine), bootloader(machine)], [key, loader], `${firmware}, TPM ${tpm}`);
  }
});

test("what the ProLiant is: no UEFI, no TPM, AVX but not AVX2, drives made of several disks", () => {
  assert.deepEqual([diskKey(gen8), bootloader(gen8), gen8.processor.level], ["node-id", "grub", 2]);
  assert.equal(gen8.controller, "smart-array");
  assert.equal(gen8.processor.vendor, "intel");
  assert.equal(wwidPrefix(gen8), "naa.600508b1");
  assert.equal(wwidPrefix(modern), "");
});

test("every machine on Talos is described, and its Talos has a version", () => {
  for (const stack of [...stacks.values()].filter(({ distribution }) => distribution === "talos")) {
    assert.match(stack.talosVersion ?? "", /^1\.\d+\.\d+$/);
    for (const node of stack.nodes) {
      assert.ok(node.machine, node.name);
    }
  }
});

test("extensions: what Longhorn asks for, and the processor's microcode", () => {
  assert.deepEqual(systemExtensions(gen8), [
    "siderolabs/intel-ucode",
    "siderolabs/iscsi-tools",
    "siderolabs/util-linux-tools",
  ]);
  assert.ok(systemExtensions(modern).includes("siderolabs/amd-ucode"));
});

test("a schematic is named as the Image Factory names it", () => {
  // Of these extensions alone, as in public configurations: the name is a digest of the text, so it tells whether ours is right.
  const argument = "    extraKernelArgs:\n        - ipv6.disable_ipv6=1\n";
  assert.ok(schematic(gen8).includes(`customization:\n${argument}    systemExtensions:\n`));
  assert.equal(
    createHash("sha256").update(schematic(gen8).replace(argument, "")).digest("hex"),
    "36cd6536eaec8ba802be2d38974108359069cedba8857302f69792b26b87c010",
  );
  assert.equal(schematicId(gen8), "6307a00714bd70aa51bbd8a82dc233ceaa6c18ec3076b1f8ad6e0d819d20e704");
  assert.match(schematic(gen8), / {4}systemExtensions:\n {8}officialExtensions:\n {12}- siderolabs/);
  assert.notEqual(schematicId(modern), schematicId(gen8));
  assert.equal(
    installerImage(gen8, "1.13.9"),
    "factory.talos.dev/metal-installer/6307a00714bd70aa51bbd8a82dc233ceaa6c18ec3076b1f8ad6e0d819d20e704:v1.13.9",
  );
});

test("the guide registers the very schematic that the stack installs", () => {
  const guide = readFileSync(new URL("../../../../../docs/machines-proliant.md", import.meta.url), "utf8");
  assert.ok(guide.replace(/^ {3}/gm, "").includes(schematic(gen8)));
  assert.ok(guide.includes(schematicId(gen8)));
});

test("what the kubelet keeps back is what the capacity check counts", () => {
  const node = { name: "a", model: "", threads: 48, memoryGiB: 128, longhornGiB: 1, watts: 1 };
  const { systemReserved, kubeReserved } = kubeletReservation;
  // The kubelet's own threshold for evictions: memory.available<100Mi.
  const kept = mebibytes(systemReserved.memory) + mebibytes(kubeReserved.memory) + 100;
  const { millicpu, memoryMebibytes } = allocatable(node, "talos");
  assert.equal(memoryMebibytes, 128 * 1024 - kept);
  assert.equal(millicpu, 48_000 - 1000 * (Number(systemReserved.cpu) + Number(kubeReserved.cpu)));
});
