/** Where what watches the platform runs, but for what runs on every node and reads its file systems. */
export const monitoringNamespace = "monitoring";

/** Where the exporter of every node runs. */
export const nodeExporterNamespace = "node-exporter";

/** Names of workloads and, where they have one, of their Services. */
export const services = {
  prometheus: "prometheus",
  alertmanager: "alertmanager",
  probes: "blackbox-exporter",
  nodes: "node-exporter",
} as const;

/** The ports that each program listens on by default, Longhorn's manager and the kubelet included. */
export const ports = {
  prometheus: 9090,
  alertmanager: 9093,
  probes: 9115,
  nodes: 9100,
  longhorn: 9500,
  kubelet: 10250,
} as const;
