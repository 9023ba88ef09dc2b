import { tenantLabel } from "../names.ts";
import { internet, toClusterDns, toHostApi, type HostNetwork } from "./host-network.ts";
import { denyEverything, withinNamespace, type NetworkRules, type Peer } from "./policy.ts";

/** Namespaces of the platform's own parts. */
export const platformNamespaces = {
  traefik: "traefik",
  certManager: "cert-manager",
  longhorn: "longhorn-system",
  k3k: "k3k-system",
} as const;

/** Traefik's pods, seen from another namespace. */
export const traefikPods: Peer = {
  namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": platformNamespaces.traefik } },
  podSelector: { matchLabels: { "app.kubernetes.io/name": "traefik" } },
};

/** What everyone on the internet may reach of Traefik: `web` and `websecure`, never its dashboard or metrics. */
export const traefikPorts = [
  { protocol: "TCP", port: 8000 },
  { protocol: "TCP", port: 8443 },
] as const;

const tenants: Peer = { namespaceSelector: { matchExpressions: [{ key: tenantLabel, operator: "Exists" }] } };

/**
 * Ports that the host's API server calls are open to every source: it calls from a node, whose address a pod sees as one
 * that depends on the network plugin. Tenants do not get there, since nothing lets them out.
 */
function fromApiServer(name: string, matchLabels: Readonly<Record<string, string>>, ports: number[]): NetworkRules {
  return {
    name,
    pods: { matchLabels },
    ingress: [{ ports: ports.map((port) => ({ protocol: "TCP", port })) }],
  };
}

/** Traefik: from everywhere to its two entry points, and to the tenants' pods. */
export function traefikPolicies(network: HostNetwork): readonly NetworkRules[] {
  return [
    denyEverything,
    { name: "entry-points", ingress: [{ ports: traefikPorts }] },
    { name: "to-tenants", egress: [{ to: [tenants] }] },
    { name: "to-host", egress: [...toHostApi(network), toClusterDns] },
  ];
}

/** cert-manager: its webhook, the certificate authority, and the challenges as the authority would see them. */
export function certManagerPolicies(network: HostNetwork): readonly NetworkRules[] {
  return [
    denyEverything,
    fromApiServer("webhook", { "app.kubernetes.io/component": "webhook" }, [10250]),
    {
      name: "to-authority",
      egress: [
        {
          to: internet(network),
          ports: [
            { protocol: "TCP", port: 80 },
            { protocol: "TCP", port: 443 },
          ],
        },
        // Where the entrypoint's address leads inside the cluster.
        { to: [traefikPods], ports: traefikPorts },
      ],
    },
    { name: "to-host", egress: [...toHostApi(network), toClusterDns] },
  ];
}

/** Longhorn: among its own pods, its webhooks, NFS from the nodes for volumes that many write, and the backups' S3. */
export function longhornPolicies(network: HostNetwork): readonly NetworkRules[] {
  return [
    denyEverything,
    withinNamespace,
    fromApiServer("webhook", { "longhorn.io/admission-webhook": "longhorn-admission-webhook" }, [9501, 9502]),
    {
      name: "shared-volumes",
      pods: { matchLabels: { "longhorn.io/component": "share-manager" } },
      ingress: [{ ports: [{ protocol: "TCP", port: 2049 }] }],
    },
    { name: "to-backups", egress: [{ to: internet(network), ports: [{ protocol: "TCP", port: 443 }] }] },
    { name: "to-host", egress: [...toHostApi(network), toClusterDns] },
  ];
}

/**
 * MetalLB: its controller's webhook, and the host's API server. What announces the address has the nodes' own network,
 * which no NetworkPolicy reaches.
 */
export function metallbPolicies(network: HostNetwork): readonly NetworkRules[] {
  return [
    denyEverything,
    fromApiServer("webhook", { "app.kubernetes.io/component": "controller" }, [9443]),
    { name: "to-host", egress: [...toHostApi(network), toClusterDns] },
  ];
}

/** The K3k controller: to the guests' API servers and their etcd; nobody calls it. */
export function k3kPolicies(network: HostNetwork): readonly NetworkRules[] {
  return [
    denyEverything,
    {
      name: "to-guests",
      egress: [
        {
          to: [tenants],
          ports: [
            { protocol: "TCP", port: 6443 },
            { protocol: "TCP", port: 2379 },
          ],
        },
      ],
    },
    { name: "to-host", egress: [...toHostApi(network), toClusterDns] },
  ];
}
