import { shutdownSeconds } from "./k3s.ts";
import { kernelLimits } from "./kernel-limits.ts";

/** A file that a node's script writes. */
export interface NodeFile {
  readonly path: string;
  /** As `chmod` takes it. */
  readonly mode: string;
  /** What has to be done when it changes; the script knows what. */
  readonly group: "modules" | "sysctl" | "logind" | "journald" | "watchdog" | "offload" | "k3s";
  readonly content: string;
}

/** The drivers of network cards that need help. */
export const networkDrivers = ["e1000e"] as const;
export type NetworkDriver = (typeof networkDrivers)[number];

/**
 * Packages that Longhorn 1.12 asks for (longhorn.io, installation requirements), `nftables` for `podBridgeRules`, and `ethtool`
 * where a card needs it.
 */
export function packages(drivers: readonly NetworkDriver[]): string[] {
  const always = ["ca-certificates", "cryptsetup", "curl", "dmsetup", "nfs-common", "nftables", "open-iscsi"];
  return [...always, ...(drivers.length > 0 ? ["ethtool"] : [])].sort();
}

/** Kernel modules: `iscsi_tcp` before iscsid starts. */
export const modules: readonly string[] = ["br_netfilter", "dm_crypt", "iscsi_tcp", "overlay", "wireguard"];

/** What k3s demands with `protect-kernel-defaults` (docs.k3s.io, security/hardening-guide), and `kernelLimits`. */
export const kernelSettings: Readonly<Record<string, number>> = {
  ...kernelLimits,
  "kernel.panic": 10,
  "kernel.panic_on_oops": 1,
  "vm.overcommit_memory": 1,
  "vm.panic_on_oom": 0,
};

/** The operating system's files of a node. */
export function systemFiles(drivers: readonly NetworkDriver[]): NodeFile[] {
  const files: NodeFile[] = [
    { path: "/etc/modules-load.d/kraft.conf", mode: "644", group: "modules", content: lines(modules) },
    {
      path: "/etc/sysctl.d/90-kraft.conf",
      mode: "644",
      group: "sysctl",
      content: lines(Object.entries(kernelSettings).map(([key, value]) => `${key} = ${value}`)),
    },
    {
      // After the file of unattended-upgrades, which allows less: the kubelet would then end no pod in order.
      path: "/etc/systemd/logind.conf.d/zz-kraft.conf",
      mode: "644",
      group: "logind",
      content: lines(["[Login]", `InhibitDelayMaxSec=${shutdownSeconds.all + 30}`]),
    },
    {
      path: "/etc/systemd/journald.conf.d/90-kraft.conf",
      mode: "644",
      group: "journald",
      content: lines(["[Journal]", "SystemMaxUse=500M"]),
    },
    {
      // A node that hangs resets itself, from the next boot on.
      path: "/etc/systemd/system.conf.d/90-kraft.conf",
      mode: "644",
      group: "watchdog",
      content: lines(["[Manager]", "RuntimeWatchdogSec=60"]),
    },
  ];
  if (drivers.includes("e1000e")) {
    files.push({
      // "Detected Hardware Unit Hang" of Intel's I219-LM: the node vanishes until its power is cut.
      path: "/etc/udev/rules.d/90-kraft-offload.rules",
      mode: "644",
      group: "offload",
      content: lines([
        'ACTION=="add", SUBSYSTEM=="net", DRIVERS=="e1000e", RUN+="/usr/sbin/ethtool -K $name tso off gso off"',
      ]),
    });
  }
  return files;
}

function lines(texts: readonly string[]): string {
  return `${texts.join("\n")}\n`;
}
