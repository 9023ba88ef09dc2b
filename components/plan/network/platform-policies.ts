import { tenantLabel } from "../names.ts";
import { policyPorts, type PublicPort } from "../ports.ts";
import { type HostNetwork, internet, toClusterDns, toHostApi, toPublicAddresses } from "./host-network.ts";
import { denyEverything, type NetworkRules, type Peer, podsIn, tcp, withinNamespace } from "./policy.ts";

/** Namespaces of the platform's own components. */
export const platformNamespaces = {
  traefik: "traefik",
  certManager: "cert-manager",
  longhorn: "longhorn-system",
  k3k: "k3k-system",
} as const;

/** Traefik's pods, seen from another namespace. */
export const traefikPods = podsIn(platformNamespaces.traefik, { "app.kubernetes.io/name": "traefik" });

/** Ports of Traefik that are open to the internet: `web` and `websecure`, not its dashboard or metrics. */
export const traefikPorts = tcp(8000, 8443);

/** Ports of a guest's server that K3k's controller needs: its API server, and etcd, from which it removes members. */
export const guestServerPorts = tcp(6443, 2379);

const tenants: Peer = { namespaceSelector: { matchExpressions: [{ key: tenantLabel, operator: "Exists" }] } };

/** To the host's API server and its DNS. */
function toHost(network: HostNetwork): NetworkRules {
  return { name: "to-host", egress: [...toHostApi(network), toClusterDns] };
}

/**
 * Ports that the host's API server calls are open to every source: the address from which a pod sees its calls depends on
 * the network plugin. Tenants cannot reach them, since their own policies do not let them out.
 */
function fromApiServer(name: string, matchLabels: Readonly<Record<string, string>>, ports: number[]): NetworkRules {
  return { name, pods: { matchLabels }, ingress: [{ ports: tcp(...ports) }] };
}

/**
 * Traefik: from everywhere to its two entry points, and to the tenants' pods. Public ports of tenants are open in the same way;
 * no pod of the cluster gets there, since their own policies let them out to the two entry points only.
 */
export function traefikPolicies(
  network: HostNetwork,
  publicPorts: readonly PublicPort[] = [],
): readonly NetworkRules[] {
  return [
    denyEverything,
    { name: "entry-points", ingress: [{ ports: [...traefikPorts, ...policyPorts(publicPorts)] }] },
    { name: "to-tenants", egress: [{ to: [tenants] }] },
    toHost(network),
  ];
}

/** cert-manager: its webhook, the certificate authority, and the challenges as the authority will see them. */
export function certManagerPolicies(network: HostNetwork): readonly NetworkRules[] {
  return [
    denyEverything,
    fromApiServer("webhook", { "app.kubernetes.io/component": "webhook" }, [10250]),
    {
      name: "to-authority",
      egress: [
        { to: internet(network), ports: tcp(80, 443) },
        // The challenge by its public name: through the router and back, or where the address leads inside the cluster.
        ...toPublicAddresses(network),
        { to: [traefikPods], ports: traefikPorts },
      ],
    },
    toHost(network),
  ];
}

/** Longhorn: among its own pods, its webhooks, NFS from the nodes for shared volumes, and S3 for backups. */
export function longhornPolicies(network: HostNetwork): readonly NetworkRules[] {
  return [
    denyEverything,
    withinNamespace,
    fromApiServer("webhook", { "longhorn.io/admission-webhook": "longhorn-admission-webhook" }, [9501, 9502]),
    {
      name: "shared-volumes",
      pods: { matchLabels: { "longhorn.io/component": "share-manager" } },
      ingress: [{ ports: tcp(2049) }],
    },
    { name: "to-backups", egress: [{ to: internet(network), ports: tcp(443) }] },
    toHost(network),
  ];
}

/**
 * MetalLB: its controller's webhook, and the host's API server. The speakers, which announce the address, use the nodes'
 * network, to which no NetworkPolicy applies.
 */
export function metallbPolicies(network: HostNetwork): readonly NetworkRules[] {
  return [
    denyEverything,
    fromApiServer("webhook", { "app.kubernetes.io/component": "controller" }, [9443]),
    toHost(network),
  ];
}

/** The K3k controller: to the guests' API servers and their etcd; nobody calls it. */
export function k3kPolicies(network: HostNetwork): readonly NetworkRules[] {
  return [denyEverything, { name: "to-guests", egress: [{ to: [tenants], ports: guestServerPorts }] }, toHost(network)];
}
