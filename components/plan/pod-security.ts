/** The Pod Security level of a namespace, and why it is not `restricted`. */
export type PodSecurity =
  { readonly level: "restricted" } | { readonly level: "baseline" | "privileged"; readonly reason: string };

/** The levels of the platform's namespaces and of tenants'. */
export const podSecurity = {
  certManager: { level: "restricted" },
  traefik: {
    loadBalancer: { level: "restricted" },
    hostPort: {
      level: "privileged",
      reason:
        "Traefik takes ports 80 and 443 of the only node, and Pod Security has no level that allows a host port alone",
    },
  },
  k3k: {
    restricted: { level: "restricted" },
    unrestricted: {
      level: "baseline",
      reason: "the chart of this version of K3k cannot set a security context for its controller",
    },
  },
  metallb: {
    level: "privileged",
    reason: "MetalLB answers on the nodes' own network for an address that is none of theirs",
  },
  longhorn: {
    level: "privileged",
    reason: "Longhorn mounts volumes on the nodes, which is what Pod Security exists to forbid",
  },
  monitoring: { level: "restricted" },
  grafana: { level: "restricted" },
  reports: { level: "restricted" },
  nodeExporter: {
    level: "privileged",
    reason:
      "how full a node's file systems are is read from the node itself, and Pod Security has no level for reading alone",
  },
  drill: {
    level: "baseline",
    reason: "what reads a restored volume must read the files of every user",
  },
  tenant: {
    level: "baseline",
    reason: "K3s' API server in the guest and many ordinary images run as root",
  },
} as const satisfies Record<string, PodSecurity | Record<string, PodSecurity>>;

/** The label that puts a level into force. */
export function podSecurityLabels({ level }: PodSecurity): Readonly<Record<string, string>> {
  return { "pod-security.kubernetes.io/enforce": level };
}

/** Security contexts that `restricted` demands, for charts that do not set them. */
export const restrictedContexts = {
  // The user "nobody", since the image names none.
  pod: { runAsNonRoot: true, runAsUser: 65534, runAsGroup: 65534, seccompProfile: { type: "RuntimeDefault" } },
  container: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
} as const;
