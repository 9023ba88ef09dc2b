import { hostTraits } from "../components/plan/machines/machine.ts";
import { homelab } from "./homelab.ts";
import type { NodeHardware, Stack } from "./stack.ts";

const nodes: readonly NodeHardware[] = [
  {
    name: "proliant-1",
    model: "HP ProLiant DL380 Gen8",
    threads: 48,
    memoryGiB: 128,
    longhornGiB: 3000,
    // An assumption for two processors and a shelf of disks: the power meter of its iLO shows what it really is.
    watts: 180,
    machine: {
      // Generation 8 is the last without UEFI, and its TPM is a 1.2.
      firmware: "bios",
      tpm: false,
      // Two Xeon E5-2600 v2 (Ivy Bridge): AVX, but not AVX2.
      processor: { vendor: "intel", level: 2 },
      // A P420i with battery-backed cache. In HBA mode it could not boot from its disks.
      controller: "smart-array",
    },
  },
];
const { exposure, dataPath } = hostTraits("talos", nodes.length);

/** One HP ProLiant DL380 Gen8 on Talos: disks are protected by its RAID controller, the machine itself by backups only. */
export const proliant: Stack = {
  name: "proliant",
  description: "one HP ProLiant DL380 Gen8 on Talos",
  distribution: "talos",
  talosVersion: "1.13.9",
  initialTalosVersion: "1.13",
  kubernetesVersion: "1.35.6",
  guestVersion: "v1.35.6-k3s1",
  k3kVersion: "1.2.0-rc4",
  nodes,
  // Those of the homelab, and not Talos's own: a guest that moves keeps the addresses of its Services and nodes.
  network: homelab.network,
  exposure,
  storage: { dataPath, dedicatedDisk: true },
};
