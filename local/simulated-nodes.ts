import { simulatedRange } from "../infra/config/rules/addresses.ts";
import type { NodeHardware, Stack } from "../stacks/index.ts";

/** What a kubelet leaves to pods of a machine: k3s reserves nothing by default, an operating system needs about this. */
const systemMemoryGiB = 1;

/** The name server of simulated nodes: nothing answers there. */
export const simulatedRouter = inRange(1);

/** Address of a simulated node, from the same range. */
export function simulatedAddress(stack: Pick<Stack, "nodes">, name: string): string {
  return inRange(11 + stack.nodes.findIndex((node) => node.name === name));
}

function inRange(last: number): string {
  return simulatedRange.replace(/0\/24$/, String(last));
}

/** The Node object of a machine of the stack's hardware, kept alive by kwok. Its label says that it is simulated. */
export function simulatedNode(node: NodeHardware, stack: Stack) {
  const capacity = {
    cpu: String(node.threads),
    memory: `${node.memoryGiB}Gi`,
    "ephemeral-storage": `${node.longhornGiB}Gi`,
    pods: "110",
  };
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name: node.name,
      labels: {
        "kraft.dev/simulated": "true",
        "kubernetes.io/hostname": node.name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "node-role.kubernetes.io/control-plane": "true",
      },
      annotations: { "kraft.dev/model": node.model },
    },
    status: {
      capacity,
      addresses: [
        { type: "InternalIP", address: simulatedAddress(stack, node.name) },
        { type: "Hostname", address: node.name },
      ],
      allocatable: { ...capacity, memory: `${node.memoryGiB - systemMemoryGiB}Gi` },
      nodeInfo: {
        kubeletVersion: `v${stack.kubernetesVersion}+simulated`,
        architecture: "amd64",
        operatingSystem: "linux",
        osImage: "simulated by kwok",
        kernelVersion: "simulated",
        containerRuntimeVersion: "kwok://simulated",
        kubeProxyVersion: "",
        bootID: "",
        machineID: "",
        systemUUID: "",
      },
    },
  };
}
