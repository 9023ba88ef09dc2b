import { createHash } from "node:crypto";
import { stringify } from "yaml";
import { processesPerPod } from "../size.ts";
import { apiServerFlags } from "./api-server.ts";
import { kernelLimits } from "./kernel-limits.ts";
import { bootloader, diskKey, type HostTraits, type Machine } from "./machine.ts";
import { ipv6OffArgument } from "./pod-bridges.ts";

/** A drive of a machine by the WWID that `talosctl get disks` shows: names like sda change from start to start. */
export interface Drives {
  /** Talos itself, and etcd: its contents are overwritten when Talos is installed. */
  readonly system: string;
  /** Longhorn's alone. Kept when Talos is installed anew, since it is found by its label. */
  readonly longhorn: string;
}

/** What determines the machine configuration of one node. Nothing in it is secret. */
export interface TalosNodeSettings {
  readonly name: string;
  /** Address in the home network, which the router's DHCP always gives to this machine. */
  readonly address: string;
  readonly machine: Machine;
  readonly drives: Drives;
  /** Size of Longhorn's file system. */
  readonly longhornGiB: number;
  readonly traits: HostTraits;
  /** Version of Talos, without a `v`. */
  readonly talosVersion: string;
  readonly network: { readonly podCidr: string; readonly serviceCidr: string };
}

/**
 * What a node keeps for itself and gives to no pod. `infra/checks/figures.ts` counts with the same: on Talos the processes
 * of the control plane are pods of their own, but etcd, the kubelet and containerd are not.
 */
export const kubeletReservation = {
  systemReserved: { cpu: "1", memory: "2Gi" },
  kubeReserved: { cpu: "1", memory: "2Gi" },
} as const;

/**
 * The patch, of several documents, that turns the configuration that `talosctl gen config` generates for any machine into
 * that of Kraft's. The secrets stay in their own file, and what does not differ from Talos' defaults is not in it.
 */
export function talosPatch(settings: TalosNodeSettings): string {
  return documents([
    machineAndCluster(settings),
    // Without `auto` the generated document would have both, which Talos refuses.
    { apiVersion: "v1alpha1", kind: "HostnameConfig", auto: "off", hostname: settings.name },
    volume("STATE", settings),
    volume("EPHEMERAL", settings),
    longhornVolume(settings, startKey(settings.machine)),
  ]);
}

/**
 * A second key of the disks, beside the one that a machine starts with: what the machine's own UUID or TPM unlocks is
 * lost with its mainboard. Secret.
 */
export function recoveryKeyPatch(
  settings: Pick<TalosNodeSettings, "drives" | "longhornGiB">,
  passphrase: string,
): string {
  const key = { slot: 1, static: { passphrase } };
  return documents([
    // Not STATE: the passphrase itself is kept in it.
    { apiVersion: "v1alpha1", kind: "VolumeConfig", name: "EPHEMERAL", encryption: { provider: "luks2", keys: [key] } },
    // The whole document again: merging two of these, Talos 1.13 takes the second's drive, even if it names none.
    longhornVolume(settings, key),
  ]);
}

function machineAndCluster(settings: TalosNodeSettings): object {
  const { address, machine, drives, traits, network } = settings;
  const own = `${address}/32`;
  return {
    machine: {
      install: {
        diskSelector: { wwid: drives.system },
        image: installerImage(machine, settings.talosVersion),
        wipe: false,
        // GRUB takes the kernel's arguments from the image, as systemd-boot does: one place for both.
        ...(bootloader(machine) === "grub" ? { grubUseUKICmdline: true } : {}),
      },
      kubelet: {
        // With another address than the declared one the node does not come up, rather than half.
        nodeIP: { validSubnets: [own] },
        // /var/mnt is read-only to the kubelet, and mounts do not come back out of it (Talos 1.13, kubelet service).
        extraMounts: [
          {
            destination: traits.dataPath,
            type: "bind",
            source: traits.dataPath,
            options: ["bind", "rshared", "rw"],
          },
        ],
        extraConfig: {
          ...kubeletReservation,
          // Databases get the time to write what they hold when the machine is told to stop.
          shutdownGracePeriod: "90s",
          shutdownGracePeriodCriticalPods: "30s",
          podPidsLimit: processesPerPod,
          serializeImagePulls: false,
          maxParallelImagePulls: 3,
        },
      },
      nodeLabels: {
        "kraft.dev/x86-64-level": String(machine.processor.level),
        // Talos takes its control plane out of load balancers; here there is nothing else to balance to.
        "node.kubernetes.io/exclude-from-external-load-balancers": { $patch: "delete" },
      },
      sysctls: Object.fromEntries(Object.entries(kernelLimits).map(([key, limit]) => [key, String(limit)])),
    },
    cluster: {
      allowSchedulingOnControlPlanes: true,
      // It would tell a server on the internet about this cluster so that its nodes find each other; they are listed here.
      discovery: { enabled: false },
      network: {
        podSubnets: [network.podCidr],
        serviceSubnets: [network.serviceCidr],
        // Off by default, and without it no NetworkPolicy is in force: nothing would keep tenants apart.
        cni: { name: "flannel", flannel: { kubeNetworkPoliciesEnabled: true } },
      },
      apiServer: { extraArgs: apiServerFlags },
      // Fixed for ever with the first start; 1022 addresses a node leave room for more than the default of 110 pods.
      controllerManager: { extraArgs: { "node-cidr-mask-size": "22" } },
      etcd: { advertisedSubnets: [own] },
    },
  };
}

function volume(name: "STATE" | "EPHEMERAL", { machine }: TalosNodeSettings): object {
  return {
    apiVersion: "v1alpha1",
    kind: "VolumeConfig",
    name,
    encryption: { provider: "luks2", keys: [startKey(machine)] },
  };
}

/** What Talos mounts at /var/mnt/longhorn. */
function longhornVolume(
  { drives, longhornGiB }: Pick<TalosNodeSettings, "drives" | "longhornGiB">,
  key: object,
): object {
  return {
    apiVersion: "v1alpha1",
    kind: "UserVolumeConfig",
    name: "longhorn",
    provisioning: {
      diskSelector: { match: `disk.wwid == ${JSON.stringify(drives.longhorn)}` },
      // A tenth less, for what partition, encryption and file system take; on a wrong drive nothing is made.
      minSize: `${Math.floor(longhornGiB * 0.9)}GiB`,
      grow: true,
    },
    encryption: { provider: "luks2", keys: [key] },
  };
}

/** The key of slot 0, which unlocks a volume without anybody being there. */
function startKey(machine: Machine): object {
  return diskKey(machine) === "tpm"
    ? { slot: 0, tpm: { checkSecurebootStatusOnEnroll: true } }
    : { slot: 0, nodeID: {} };
}

/** In YAML 1.1, where `off` is no text: which of them Talos reads has changed over its versions. */
function documents(all: readonly object[]): string {
  return all.map((document) => stringify(document, { lineWidth: 0, version: "1.1" })).join("---\n");
}

/**
 * System extensions that Longhorn asks for (longhorn.io/docs, "Talos Linux Support"), and the processor's microcode.
 */
export function systemExtensions({ processor }: Machine): readonly string[] {
  const microcode = processor.vendor === "intel" ? "siderolabs/intel-ucode" : "siderolabs/amd-ucode";
  return [microcode, "siderolabs/iscsi-tools", "siderolabs/util-linux-tools"].sort();
}

/** The schematic of a machine's images, as Talos' Image Factory takes it. */
export function schematic(machine: Machine): string {
  const customization = {
    extraKernelArgs: [ipv6OffArgument],
    systemExtensions: { officialExtensions: systemExtensions(machine) },
  };
  return stringify({ customization }, { indent: 4 });
}

/**
 * The schematic's name at the Image Factory: the SHA-256 of its text (siderolabs/image-factory, pkg/schematic). The
 * factory makes images only for those that were sent to it once.
 */
export function schematicId(machine: Machine): string {
  return createHash("sha256").update(schematic(machine)).digest("hex");
}

/** The image that installs and upgrades Talos on a machine; `version` has no `v`. */
export function installerImage(machine: Machine, version: string): string {
  return `factory.talos.dev/metal-installer/${schematicId(machine)}:v${version}`;
}
