import { platformNamespaces } from "../network/platform-policies.ts";
import { nodeExporterNamespace, ports, services } from "./parts.ts";

/** A guest that is to answer. */
export interface WatchedTenant {
  readonly tenant: string;
  readonly namespace: string;
  /** The name at which its API server is reached. */
  readonly apiHost: string;
}

export interface ScrapeSettings {
  /** Tenants whose guest runs: those that are suspended or leave are not missed. */
  readonly tenants: readonly WatchedTenant[];
  /** How long figures are kept, on a volume of this size. */
  readonly history: { readonly days: number; readonly gibibytes: number };
}

/** How often everything is asked, and every rule checked: two minutes' worth of samples survive one lost answer. */
const interval = "30s";

/** Where a pod's token and the cluster's authority are. */
const account = "/var/run/secrets/kubernetes.io/serviceaccount";

/** What of each source is kept: what the rules ask for, and what says how much of a node is used. */
const kept = {
  kubelet: "kubelet_volume_stats_(available|capacity)_bytes|kubelet_running_pods",
  nodes:
    "node_(filesystem_(avail|size)_bytes|memory_(MemAvailable|MemTotal)_bytes|hwmon_temp_celsius|cpu_seconds_total|boot_time_seconds|load1)",
  longhorn:
    "longhorn_(volume_(robustness|last_backup_at|actual_size_bytes|capacity_bytes)|backup_state|disk_(usage|capacity)_bytes)",
  alertmanager: "alertmanager_(alerts|notifications(_failed)?_total)",
  prometheus: "prometheus_tsdb_(head_series|storage_blocks_bytes)|process_resident_memory_bytes",
} as const;

function keepOnly(regex: string) {
  return [{ source_labels: ["__name__"], regex, action: "keep" }];
}

/** Pods of one namespace with a label `app`, asked on one port; each is labelled with its node. */
function podJob(
  name: string,
  namespace: string,
  app: readonly [label: string, value: string],
  port: number,
  keep: string,
) {
  const [label, value] = app;
  return {
    job_name: name,
    kubernetes_sd_configs: [{ role: "pod", namespaces: { names: [namespace] } }],
    relabel_configs: [
      {
        source_labels: [`__meta_kubernetes_pod_label_${label.replaceAll(/[^a-z0-9]/g, "_")}`],
        regex: value,
        action: "keep",
      },
      // One target for each pod, whatever ports its containers declare; a pod without an address is not there yet.
      { source_labels: ["__meta_kubernetes_pod_ip"], regex: ".+", action: "keep" },
      { source_labels: ["__meta_kubernetes_pod_ip"], replacement: `$1:${port}`, target_label: "__address__" },
      { source_labels: ["__meta_kubernetes_pod_node_name"], target_label: "node" },
      { source_labels: ["__meta_kubernetes_pod_name"], target_label: "instance" },
    ],
    metric_relabel_configs: keepOnly(keep),
  };
}

/** Names that the blackbox exporter asks Traefik for, as a visitor would from inside of the house. */
const throughTraefik = [
  { target_label: "__param_target", source_labels: ["__param_target"] },
  { target_label: "__address__", replacement: `${services.probes}:${ports.probes}` },
];

/** Where Traefik answers for all names, from inside of the cluster: no router need support NAT loopback for this. */
const traefik = `https://traefik.${platformNamespaces.traefik}.svc`;

/** Prometheus' configuration. A site is watched from the moment on that its Ingress is there. */
export function prometheusConfig({ tenants, history }: ScrapeSettings) {
  return {
    global: { scrape_interval: interval, scrape_timeout: "10s", evaluation_interval: interval },
    // The newest two hours are not counted.
    storage: { tsdb: { retention: { time: `${history.days}d`, size: `${history.gibibytes * 768}MB` } } },
    rule_files: ["/etc/prometheus/rules.json"],
    alerting: {
      alertmanagers: [{ static_configs: [{ targets: [`${services.alertmanager}:${ports.alertmanager}`] }] }],
    },
    scrape_configs: [
      {
        job_name: "prometheus",
        static_configs: [{ targets: [`localhost:${ports.prometheus}`], labels: { instance: "prometheus" } }],
        metric_relabel_configs: keepOnly(kept.prometheus),
      },
      {
        job_name: "alertmanager",
        static_configs: [
          { targets: [`${services.alertmanager}:${ports.alertmanager}`], labels: { instance: "alertmanager" } },
        ],
        metric_relabel_configs: keepOnly(kept.alertmanager),
      },
      {
        job_name: "kubelet",
        scheme: "https",
        authorization: { credentials_file: `${account}/token` },
        // A kubelet's certificate is often of an authority of its own; whoever stands in the way learns a token that may
        // read figures only.
        tls_config: { insecure_skip_verify: true },
        kubernetes_sd_configs: [{ role: "node" }],
        relabel_configs: [
          { source_labels: ["__meta_kubernetes_node_name"], target_label: "node" },
          { source_labels: ["__meta_kubernetes_node_name"], target_label: "instance" },
        ],
        metric_relabel_configs: keepOnly(kept.kubelet),
      },
      podJob("nodes", nodeExporterNamespace, ["app.kubernetes.io/name", services.nodes], ports.nodes, kept.nodes),
      podJob("longhorn", platformNamespaces.longhorn, ["app", "longhorn-manager"], ports.longhorn, kept.longhorn),
      ...(tenants.length === 0
        ? []
        : [
            {
              job_name: "guests",
              metrics_path: "/probe",
              params: { module: ["guest"] },
              static_configs: tenants.map(({ tenant, apiHost }) => ({
                targets: [apiHost],
                labels: { tenant, __param_target: `${traefik}/readyz` },
              })),
              relabel_configs: [
                { source_labels: ["__address__"], target_label: "__param_hostname" },
                { source_labels: ["__address__"], target_label: "host" },
                { source_labels: ["__address__"], target_label: "instance" },
                ...throughTraefik,
              ],
            },
            {
              job_name: "sites",
              metrics_path: "/probe",
              params: { module: ["site"] },
              kubernetes_sd_configs: [{ role: "ingress", namespaces: { names: tenants.map((t) => t.namespace) } }],
              relabel_configs: [
                // cert-manager's Ingress for a challenge is gone within minutes.
                { source_labels: ["__meta_kubernetes_ingress_name"], regex: "cm-acme-http-solver-.*", action: "drop" },
                { source_labels: ["__meta_kubernetes_ingress_scheme"], regex: "https", action: "keep" },
                { source_labels: ["__meta_kubernetes_namespace"], regex: "k3k-(.+)", target_label: "tenant" },
                {
                  source_labels: ["__meta_kubernetes_ingress_path"],
                  replacement: `${traefik}$1`,
                  target_label: "__param_target",
                },
                { source_labels: ["__meta_kubernetes_ingress_host"], target_label: "__param_hostname" },
                { source_labels: ["__meta_kubernetes_ingress_host"], target_label: "host" },
                {
                  source_labels: ["__meta_kubernetes_ingress_host", "__meta_kubernetes_ingress_path"],
                  separator: "",
                  target_label: "instance",
                },
                ...throughTraefik,
              ],
            },
          ]),
    ],
  };
}

/** Every answer that comes from the site itself, a refusal included: only 5xx says that there is none. */
const answered = Array.from({ length: 300 }, (_, index) => 200 + index);

/** What the blackbox exporter counts as an answer. */
export function probeConfig() {
  const http = {
    preferred_ip_protocol: "ip4",
    follow_redirects: false,
    // The name is asked of Traefik by its address; how long a certificate lasts is a rule of its own.
    tls_config: { insecure_skip_verify: true },
  };
  return {
    modules: {
      // K3s refuses whoever has no certificate, which proves that it runs.
      guest: { prober: "http", timeout: "8s", http: { ...http, valid_status_codes: [200, 401, 403] } },
      site: { prober: "http", timeout: "8s", http: { ...http, valid_status_codes: answered } },
    },
  };
}
