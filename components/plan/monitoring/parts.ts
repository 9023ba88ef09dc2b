import { platformNamespaces } from "../network/platform-policies.ts";

/** Where what watches the platform runs, but for what runs on every node and reads its file systems. */
export const monitoringNamespace = "monitoring";

/** Where the exporter of every node runs. */
export const nodeExporterNamespace = "node-exporter";

/** Where what draws the dashboards runs: beside what watches, and not among it. */
export const grafanaNamespace = "grafana";

/** What brings a tenant's use into the tenant's guest: where it runs, and its service account. */
export const reporter = { namespace: "tenant-reports", account: "reporter" } as const;

/** Names of workloads and, where they have one, of their Services. */
export const services = {
  prometheus: "prometheus",
  alertmanager: "alertmanager",
  probes: "blackbox-exporter",
  objects: "object-exporter",
  nodes: "node-exporter",
  grafana: "grafana",
} as const;

/** The ports that each program listens on by default, Longhorn's manager and the kubelet included. */
export const ports = {
  prometheus: 9090,
  alertmanager: 9093,
  probes: 9115,
  nodes: 9100,
  grafana: 3000,
  longhorn: 9500,
  kubelet: 10250,
} as const;

/**
 * Containers without which the platform stops doing something, by namespace and by the name that their charts give them. What of
 * Longhorn does not run is in its own figures.
 */
export const platformParts = [
  { namespace: platformNamespaces.k3k, container: "k3k" },
  { namespace: platformNamespaces.certManager, container: "cert-manager-controller" },
  { namespace: platformNamespaces.certManager, container: "cert-manager-webhook" },
  { namespace: platformNamespaces.traefik, container: "traefik" },
] as const;

/** A week in seconds, as Prometheus writes a bucket of a histogram, whatever its source writes. */
export const weekBucket = "604800.0";

/** The series that says what a tenant may use, by its labels `namespace`, `tenant` and `resource`: bytes, or a number of pods. */
export const allowanceSeries = "kraft_tenant_allowance";

/** Jobs of Prometheus that ask the API server about objects, with how often they ask. */
export const objectJobs = {
  walls: "1m",
  "backup-target": "1m",
  "failed-backups": "5m",
  drills: "5m",
  proofs: "5m",
} as const;
