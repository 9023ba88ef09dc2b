import type { Destination, Sender } from "./matrix.ts";

/** Who sends. What stands in a namespace of a tenant is `acme`'s, unless it is said to be another tenant's. */
export const senders: readonly Sender[] = [
  { name: "pod", key: "k3k-acme/web" },
  { name: "pod in disguise", key: "k3k-acme/disguised" },
  { name: "other tenant", key: "k3k-blue/web" },
  { name: "solver", key: "k3k-acme/solver" },
  { name: "K3k kubelet", key: "k3k-acme/kubelet" },
  { name: "K3k server", key: "k3k-acme/server" },
  { name: "Traefik", key: "traefik/traefik" },
  { name: "cert-manager", key: "cert-manager/controller" },
  { name: "Longhorn", key: "longhorn-system/manager" },
  { name: "K3k", key: "k3k-system/k3k" },
  { name: "home", key: "ip:192.168.1.50" },
  { name: "internet", key: "ip:9.9.9.9" },
];

const ofTenant = ["pod", "pod in disguise", "solver", "K3k kubelet", "K3k server"];
const everyPodOfTenants = [...ofTenant, "other tenant"];
const hostApi = ["K3k kubelet", "Traefik", "cert-manager", "Longhorn", "K3k"];

/** Ports of the internet that lead to `acme`, as its stack file has them. */
export const portsOfAcme = {
  "25565/tcp": "games/minecraft:25565",
  "34197/udp": "games/factorio:34197",
} as const;

/** What must be reachable, and from where. Addresses are those of Pulumi.local.yaml and of its simulated nodes. */
export const destinations: readonly Destination[] = [
  // A tenant's own.
  { name: "the tenant's pod", to: "k3k-acme/web", port: 8080, from: [...ofTenant, "Traefik"] },
  { name: "the tenant's pod, UDP", to: "k3k-acme/web", protocol: "UDP", port: 5000, from: [...ofTenant, "Traefik"] },
  { name: "the solver of a challenge", to: "k3k-acme/solver", port: 8089, from: [...ofTenant, "Traefik"] },
  { name: "the guest's API", to: "k3k-acme/server", port: 6443, from: [...ofTenant, "Traefik", "K3k"] },
  { name: "the guest's etcd", to: "k3k-acme/server", port: 2379, from: [...ofTenant, "Traefik", "K3k"] },
  { name: "the guest's kubelet", to: "k3k-acme/kubelet", port: 10250, from: [...ofTenant, "Traefik"] },
  // Another tenant's.
  { name: "another tenant's pod", to: "k3k-blue/web", port: 8080, from: ["Traefik"] },
  { name: "another tenant's pod, UDP", to: "k3k-blue/web", protocol: "UDP", port: 53, from: ["Traefik"] },
  { name: "another guest's API", to: "k3k-blue/server", port: 6443, from: ["other tenant", "Traefik", "K3k"] },
  { name: "another guest's etcd", to: "k3k-blue/server", port: 2379, from: ["other tenant", "Traefik", "K3k"] },
  { name: "another guest's kubelet", to: "k3k-blue/kubelet", port: 10250, from: ["other tenant", "Traefik"] },
  // The platform.
  {
    name: "Traefik, http",
    to: "traefik/traefik",
    port: 8000,
    from: [...everyPodOfTenants, "cert-manager", "home", "internet"],
  },
  {
    name: "Traefik, https",
    to: "traefik/traefik",
    port: 8443,
    from: [...everyPodOfTenants, "cert-manager", "home", "internet"],
  },
  { name: "a tenant's public port", to: "traefik/traefik", port: 25565, from: ["home", "internet"] },
  { name: "the same, UDP", to: "traefik/traefik", protocol: "UDP", port: 34197, from: ["home", "internet"] },
  { name: "its number by the other protocol", to: "traefik/traefik", port: 34197, from: [] },
  { name: "Traefik's dashboard", to: "traefik/traefik", port: 8080, from: [] },
  { name: "Traefik's metrics", to: "traefik/traefik", port: 9100, from: [] },
  { name: "cert-manager's webhook", to: "cert-manager/webhook", port: 10250, from: ["home", "internet"] },
  { name: "cert-manager's metrics", to: "cert-manager/controller", port: 9402, from: [] },
  { name: "Longhorn's API", to: "longhorn-system/manager", port: 9500, from: [] },
  { name: "Longhorn's UI", to: "longhorn-system/ui", port: 8000, from: ["Longhorn"] },
  { name: "Longhorn's webhook", to: "longhorn-system/manager", port: 9502, from: ["home", "internet"] },
  { name: "Longhorn's replicas", to: "longhorn-system/instance-manager", port: 10000, from: ["Longhorn"] },
  { name: "a shared volume", to: "longhorn-system/share-manager", port: 2049, from: ["Longhorn", "home", "internet"] },
  { name: "the K3k controller", to: "k3k-system/k3k", port: 8080, from: [] },
  {
    name: "the host's DNS",
    to: "kube-system/coredns",
    protocol: "UDP",
    port: 53,
    from: ["K3k kubelet", "K3k server", "Traefik", "cert-manager", "Longhorn", "K3k", "home", "internet"],
  },
  { name: "metrics of the host's DNS", to: "kube-system/coredns", port: 9153, from: ["home", "internet"] },
  // The nodes.
  { name: "a node's API server", to: "ip:198.51.100.11", port: 6443, from: [...hostApi, "home", "internet"] },
  { name: "the API server's Service", to: "ip:10.43.0.1", port: 443, from: [...hostApi, "home", "internet"] },
  { name: "a node's kubelet", to: "ip:198.51.100.12", port: 10250, from: ["home", "internet"] },
  { name: "a node's etcd", to: "ip:198.51.100.13", port: 2379, from: ["home", "internet"] },
  { name: "a node's SSH", to: "ip:198.51.100.11", port: 22, from: ["home", "internet"] },
  { name: "a node port", to: "ip:198.51.100.11", port: 30080, from: ["home", "internet"] },
  { name: "another Service's address", to: "ip:10.43.7.7", port: 80, from: ["home", "internet"] },
  // The home.
  { name: "the router's pages", to: "ip:192.168.1.1", port: 443, from: ["home", "internet"] },
  {
    name: "the router's DNS",
    to: "ip:192.168.1.1",
    protocol: "UDP",
    port: 53,
    from: [...everyPodOfTenants, "home", "internet"],
  },
  { name: "the router's DNS, TCP", to: "ip:192.168.1.1", port: 53, from: [...everyPodOfTenants, "home", "internet"] },
  { name: "a machine at home", to: "ip:192.168.1.50", port: 445, from: ["internet"] },
  { name: "its DNS", to: "ip:192.168.1.50", protocol: "UDP", port: 53, from: ["internet"] },
  { name: "the home's public address", to: "ip:203.0.113.7", port: 443, from: ["cert-manager", "home", "internet"] },
  { name: "the router's page at it", to: "ip:203.0.113.7", port: 8443, from: ["home", "internet"] },
  { name: "the home by IPv6", to: "ip:2001:db8:7::50", port: 445, from: ["home", "internet"] },
  { name: "link-local by IPv6", to: "ip:fe80::1", port: 80, from: ["home", "internet"] },
  { name: "private IPv6", to: "ip:fd12::1", port: 80, from: ["home", "internet"] },
  { name: "the router by 6to4", to: "ip:2002:c0a8:101::1", port: 443, from: ["home", "internet"] },
  { name: "10/8", to: "ip:10.200.0.1", port: 80, from: ["home", "internet"] },
  { name: "172.16/12", to: "ip:172.20.0.1", port: 80, from: ["home", "internet"] },
  { name: "the carrier's network", to: "ip:100.64.0.1", port: 80, from: ["home", "internet"] },
  { name: "a cloud's metadata", to: "ip:169.254.169.254", port: 80, from: ["home", "internet"] },
  { name: "multicast", to: "ip:239.255.255.250", protocol: "UDP", port: 1900, from: ["home", "internet"] },
  { name: "broadcast", to: "ip:255.255.255.255", protocol: "UDP", port: 67, from: ["home", "internet"] },
  // The internet.
  {
    name: "the internet, https",
    to: "ip:1.1.1.1",
    port: 443,
    from: [...everyPodOfTenants, "cert-manager", "Longhorn", "home", "internet"],
  },
  {
    name: "the internet, http",
    to: "ip:1.1.1.1",
    port: 80,
    from: [...everyPodOfTenants, "cert-manager", "home", "internet"],
  },
  {
    name: "the internet, UDP",
    to: "ip:1.1.1.1",
    protocol: "UDP",
    port: 443,
    from: [...everyPodOfTenants, "home", "internet"],
  },
  {
    name: "the internet by IPv6",
    to: "ip:2606:4700:4700::1111",
    port: 443,
    from: [...everyPodOfTenants, "cert-manager", "Longhorn", "home", "internet"],
  },
];
