import type { Stack } from "./stack.ts";

/** One HP ProLiant DL380 Gen8 on Talos: disks are protected by its RAID controller, the machine itself by backups only. */
export const proliant: Stack = {
  name: "proliant",
  description: "one HP ProLiant DL380 Gen8 on Talos",
  distribution: "talos",
  kubernetesVersion: "1.35.6",
  guestVersion: "v1.35.6-k3s1",
  k3kVersion: "1.2.0-rc4",
  nodes: [
    {
      name: "proliant-1",
      model: "HP ProLiant DL380 Gen8",
      threads: 48,
      memoryGiB: 128,
      longhornGiB: 3000,
      // An assumption for two processors and a shelf of disks: the power meter of its iLO shows what it really is.
      watts: 180,
    },
  ],
  network: { podCidr: "10.244.0.0/16", serviceCidr: "10.96.0.0/12", clusterDns: "10.96.0.10" },
  exposure: "hostPort",
  storage: { dataPath: "/var/mnt/longhorn", dedicatedDisk: true },
};
