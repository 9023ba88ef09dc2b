import {
  grafanaNamespace,
  monitoringNamespace,
  nodeExporterNamespace,
  ports,
  reporter,
  services,
} from "../monitoring/parts.ts";
import { type HostNetwork, internet, toClusterDns, toHostApi } from "./host-network.ts";
import { platformNamespaces, traefikPods, traefikPorts } from "./platform-policies.ts";
import { address } from "./policy.ts";
import { denyEverything, type NetworkRules, podsIn, type Selector, tcp, withinNamespace } from "./policy.ts";

/** The label by which workloads of the monitoring are told apart. */
export const nameLabel = "app.kubernetes.io/name";

function named(name: string): Selector {
  return { matchLabels: { [nameLabel]: name } };
}

const prometheus = podsIn(monitoringNamespace, { [nameLabel]: services.prometheus });
const grafana = podsIn(grafanaNamespace, { [nameLabel]: services.grafana });

/**
 * What watches the platform: among its own pods; Prometheus to what it asks, the blackbox exporter to Traefik, and the one that asks about
 * objects to the API server; Alertmanager to
 * the internet on the ports of its targets. Nobody calls them but the API server, for the operator's tool, and Grafana where
 * there is one.
 */
export function monitoringPolicies(
  network: HostNetwork,
  targetPorts: readonly number[],
  dashboards = false,
): readonly NetworkRules[] {
  return [
    denyEverything,
    withinNamespace,
    { name: "to-dns", egress: [toClusterDns] },
    {
      name: "prometheus",
      pods: named(services.prometheus),
      ...(dashboards && { ingress: [{ from: [grafana], ports: tcp(ports.prometheus) }] }),
      egress: [
        ...toHostApi(network),
        { to: network.nodes.map(address), ports: tcp(ports.kubelet) },
        { to: [podsIn(nodeExporterNamespace)], ports: tcp(ports.nodes) },
        { to: [podsIn(platformNamespaces.longhorn)], ports: tcp(ports.longhorn) },
      ],
    },
    { name: "probes", pods: named(services.probes), egress: [{ to: [traefikPods], ports: traefikPorts }] },
    { name: "objects", pods: named(services.objects), egress: toHostApi(network) },
    {
      name: "alertmanager",
      pods: named(services.alertmanager),
      // The address from which a pod sees the API server's calls depends on the network plugin.
      ingress: [{ ports: tcp(ports.alertmanager) }],
      egress: [{ to: internet(network), ports: tcp(...targetPorts) }],
    },
  ];
}

/** The exporter on every node: Prometheus asks it, and it asks nobody. */
export const nodeExporterPolicies: readonly NetworkRules[] = [
  denyEverything,
  { name: "from-prometheus", ingress: [{ from: [prometheus], ports: tcp(ports.nodes) }] },
];

/** Longhorn's figures, for Prometheus only. */
export const longhornFiguresPolicy: NetworkRules = {
  name: "from-prometheus",
  pods: { matchLabels: { app: "longhorn-manager" } },
  ingress: [{ from: [prometheus], ports: tcp(ports.longhorn) }],
};

/** What draws the dashboards: it asks Prometheus, and nobody asks it. `kubectl port-forward` comes from within its pod. */
export const grafanaPolicies: readonly NetworkRules[] = [
  denyEverything,
  { name: "to-dns", egress: [toClusterDns] },
  { name: "to-prometheus", egress: [{ to: [prometheus], ports: tcp(ports.prometheus) }] },
];

/** What brings tenants' use into their guests: it asks Prometheus and the API server, and nobody asks it. */
export function reporterPolicies(network: HostNetwork): readonly NetworkRules[] {
  return [
    denyEverything,
    { name: "to-dns", egress: [toClusterDns] },
    { name: "reporter", egress: [...toHostApi(network), { to: [prometheus], ports: tcp(ports.prometheus) }] },
  ];
}

/** The same from Prometheus' side. */
export const prometheusFromReporter: NetworkRules = {
  name: "from-reporter",
  pods: named(services.prometheus),
  ingress: [{ from: [podsIn(reporter.namespace)], ports: tcp(ports.prometheus) }],
};
