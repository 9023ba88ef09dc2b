import { hostTraits } from "../components/plan/machines/machine.ts";
import type { NodeHardware, Stack } from "./stack.ts";

function optiplex(number: number): NodeHardware {
  return {
    name: `optiplex-${number}`,
    model: "Dell OptiPlex Micro",
    threads: 4,
    memoryGiB: 32,
    longhornGiB: 800,
    // An assumption: an OptiPlex 3050 Micro was measured at 5 to 18 W idle (maxgenson.de/blog/optiplex-power-tweaks).
    watts: 15,
    // Intel's I219-LM, in every Micro.
    networkDrivers: ["e1000e"],
  };
}

const nodes = [optiplex(1), optiplex(2), optiplex(3)];
const { exposure, dataPath } = hostTraits("k3s", nodes.length);

/** Three Dell OptiPlex Micros on k3s with embedded etcd: any one of them may die. */
export const homelab: Stack = {
  name: "homelab",
  description: "three Dell OptiPlex Micros on k3s",
  distribution: "k3s",
  kubernetesVersion: "1.35.6",
  guestVersion: "v1.35.6-k3s1",
  k3kVersion: "1.2.0-rc4",
  nodes,
  network: { podCidr: "10.42.0.0/16", serviceCidr: "10.43.0.0/16", clusterDns: "10.43.0.10" },
  exposure,
  storage: { dataPath, dedicatedDisk: true },
};
