/** Namespace of MetalLB, which unlike those in `platformNamespaces` not every stack has. */
export const metallbNamespace = "metallb-system";

/** The class of Services that MetalLB assigns addresses to. k3s' own load balancer ignores Services with a class. */
export const metallbClass = "kraft.dev/metallb";

/** Name of the pool that holds the entrypoint's address, and of its advertisement. */
export const entryPool = "entry";

export type MetalLbValues = ReturnType<typeof metallbValues>;

/**
 * Values for MetalLB's chart, for one address that moves between nodes of a home network (layer 2), without a routing
 * protocol, which home routers do not speak.
 */
export function metallbValues() {
  const small = { requests: { cpu: "20m", memory: "48Mi" }, limits: { memory: "192Mi" } };
  return {
    loadBalancerClass: metallbClass,
    // The webhook checks objects that only Kraft writes, from validated values: an update need not wait for it.
    crds: { validationFailurePolicy: "Ignore" },
    controller: { priorityClassName: "system-cluster-critical", resources: small },
    speaker: {
      priorityClassName: "system-node-critical",
      // All nodes belong to the control plane.
      tolerateMaster: true,
      ignoreExcludeLB: true,
      frr: { enabled: false },
      resources: small,
    },
  };
}
