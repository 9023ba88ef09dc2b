import { hostTraits, type Machine } from "../../../../../components/plan/machines/machine.ts";
import type { TalosNodeSettings } from "../../../../../components/plan/machines/talos-config.ts";
import type { ClusterNode, K3sMachines } from "../../../../../infra/model.ts";
import { homelab } from "../../../../../stacks/homelab.ts";
import { proliant } from "../../../../../stacks/proliant.ts";

/** The machine of stacks/proliant.ts. */
export function proliantMachine(): Machine {
  const machine = proliant.nodes[0]?.machine;
  if (machine === undefined) {
    throw new Error("stacks/proliant.ts describes no machine");
  }
  return machine;
}

/** Its settings, with what only an owner knows made up. */
export const settings: TalosNodeSettings = {
  name: "proliant-1",
  address: "192.168.1.11",
  machine: proliantMachine(),
  drives: { system: "naa.600508b1001c7ad3f0f1c8a2c9f01a11", longhorn: "naa.600508b1001c2be8d7a9e4f2b2c01b22" },
  longhornGiB: proliant.nodes[0]?.longhornGiB ?? 0,
  traits: hostTraits("talos", proliant.nodes.length),
  talosVersion: proliant.talosVersion ?? "",
  network: proliant.network,
};

/** One that no disk has. */
export const passphrase = "correct-horse-battery-staple-0123456789";

/** The nodes of stacks/homelab.ts, with made-up addresses. */
export const homelabNodes: readonly ClusterNode[] = homelab.nodes.map((node, index) => ({
  ...node,
  address: `192.168.1.${11 + index}`,
  hostKey: "",
}));

/** How they are reached, made up. */
export const homelabMachines: K3sMachines = {
  distribution: "k3s",
  user: "kraft",
  api: "api.kraft.example",
  clusterInit: false,
  sha256: {},
  rerunToken: undefined,
  secrets: { machineKey: "the-key", k3sToken: "the-token" },
};
