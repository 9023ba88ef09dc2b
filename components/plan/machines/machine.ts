import type { Exposure } from "../traefik-values.ts";

/** The properties of a machine that its operating system depends on. */
export interface Machine {
  readonly firmware: "bios" | "uefi";
  /** Whether a TPM 2.0 can hold the keys of its disks. It takes UEFI with Secure Boot as well. */
  readonly tpm: boolean;
  readonly processor: {
    readonly vendor: "intel" | "amd";
    /** Level of x86-64 (System V psABI): 2 has SSE4.2, 3 has AVX2. Images built for more do not start. */
    readonly level: 1 | 2 | 3 | 4;
  };
  /** The controller that the disks are attached to. A Smart Array shows only logical drives, each made of several disks. */
  readonly controller: "smart-array" | "ahci" | "nvme";
}

/**
 * What follows from the number of nodes and their operating system. All nodes are of the control plane, and run
 * everything else too: neither one machine nor three leave any over.
 */
export function hostTraits(distribution: "k3s" | "talos" | "embedded", nodes: number) {
  const several = nodes > 1;
  const exposure: Exposure = several ? "loadBalancer" : "hostPort";
  return {
    /** An address that moves between nodes takes more than one; on a single node its own ports are all there is. */
    exposure,
    /** Where Longhorn keeps replicas: Talos mounts its volumes under /var/mnt, and /var/lib is not Longhorn's there. */
    dataPath: distribution === "talos" ? "/var/mnt/longhorn" : "/var/lib/longhorn",
    /** Whether a node's pods have somewhere to go while it restarts. */
    drains: several,
  };
}

export type HostTraits = ReturnType<typeof hostTraits>;

/**
 * What unlocks the disks of a machine when it starts and nobody is there to type a passphrase. Without a TPM it is the
 * machine's own UUID, which keeps a disk that is pulled, stolen or sent back unreadable, but not one in a machine that is
 * stolen with it.
 */
export function diskKey(machine: Machine): "tpm" | "node-id" {
  return machine.firmware === "uefi" && machine.tpm ? "tpm" : "node-id";
}

/** The bootloader of Talos, which has systemd-boot only for UEFI. */
export function bootloader({ firmware }: Machine): "grub" | "systemd-boot" {
  return firmware === "bios" ? "grub" : "systemd-boot";
}

/**
 * What the WWID of a machine's system and data disks begins with, where that tells them from a USB stick, the virtual
 * media of a remote console, or a volume of Longhorn's: a Smart Array gives its logical drives names with HP's own number
 * (IEEE OUI 00-50-8B, NAA 6).
 */
export function wwidPrefix({ controller }: Machine): string {
  return controller === "smart-array" ? "naa.600508b1" : "";
}
