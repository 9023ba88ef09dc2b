/** Pods that a kubelet runs at most (`maxPods`, kubelet's default). */
export const podsPerNode = 110;

/**
 * What a node of k3s keeps from pods: Kraft's recommendation for an OptiPlex of 4 threads and 32 GiB. The k3s process of a
 * server with etcd takes about 1.5 GiB; that is an assumption, to be measured with `systemctl status k3s`.
 */
export const k3sReserves = {
  /** For the operating system. */
  system: { millicpu: 250, memoryMebibytes: 1024 },
  /** For Kubernetes itself: API server, etcd and kubelet are one process on each node. */
  kube: { millicpu: 250, memoryMebibytes: 2048 },
  /** Free memory under which pods are evicted. */
  evictionMebibytes: 500,
};

/**
 * Seconds that pods have to end when the node shuts down in order, and how many of them are for system pods. A power cut
 * gives nobody this time: a small battery with NUT that calls `shutdown` does.
 */
export const shutdownSeconds = { all: 90, critical: 30 } as const;

/** A drop-in for the kubelet of k3s (1.32 or newer). */
export function kubeletConfiguration(): Record<string, unknown> {
  const { system, kube, evictionMebibytes } = k3sReserves;
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    maxPods: podsPerNode,
    // One tenant's fork bomb stays in its pod.
    podPidsLimit: 4096,
    systemReserved: amounts(system),
    kubeReserved: amounts(kube),
    evictionHard: {
      "memory.available": `${evictionMebibytes}Mi`,
      "nodefs.available": "10%",
      "imagefs.available": "15%",
      "nodefs.inodesFree": "5%",
    },
    shutdownGracePeriod: `${shutdownSeconds.all}s`,
    shutdownGracePeriodCriticalPods: `${shutdownSeconds.critical}s`,
    // After a power cut every pod of the node starts at once.
    serializeImagePulls: false,
    maxParallelImagePulls: 3,
    imageMaximumGCAge: "168h",
  };
}

function amounts({ millicpu, memoryMebibytes }: { millicpu: number; memoryMebibytes: number }) {
  return { cpu: `${millicpu}m`, memory: `${memoryMebibytes}Mi`, "ephemeral-storage": "2Gi" };
}
