/** Namespace of MetalLB. It is not in every stack, unlike those of `platformNamespaces`. */
export const metallbNamespace = "metallb-system";

/**
 * The class of Services that MetalLB gives their addresses. k3s' own load balancer leaves Services with a class alone, so
 * that both may be there.
 */
export const metallbClass = "kraft.dev/metallb";

/** Name of the pool that holds the entrypoint's address, and of what announces it. */
export const entryPool = "entry";

/**
 * Values for MetalLB's chart, for one address that moves between nodes of one home network (layer 2): no routing protocol,
 * which a home's router does not speak.
 */
export function metallbValues(): Record<string, unknown> {
  const small = { requests: { cpu: "20m", memory: "48Mi" }, limits: { memory: "192Mi" } };
  return {
    loadBalancerClass: metallbClass,
    // It looks at objects that only Kraft writes, from values that were checked: while it is down, an update goes on.
    crds: { validationFailurePolicy: "Ignore" },
    controller: { priorityClassName: "system-cluster-critical", resources: small },
    speaker: {
      priorityClassName: "system-node-critical",
      // All nodes are of the control plane.
      tolerateMaster: true,
      ignoreExcludeLB: true,
      frr: { enabled: false },
      resources: small,
    },
  };
}
