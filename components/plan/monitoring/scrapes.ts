import { tenantNames } from "../names.ts";
import { apiServerPort } from "../network/host-network.ts";
import { platformNamespaces } from "../network/platform-policies.ts";
import type { ObjectProbe } from "./object-probes.ts";
import {
  monitoringNamespace,
  nodeExporterNamespace,
  objectJobs,
  platformParts,
  ports,
  services,
  weekBucket,
} from "./parts.ts";
import type { TenantAllowance } from "./rules.ts";

/** A guest that is to answer. */
export interface WatchedTenant extends TenantAllowance {
  /** The name at which its API server is reached. */
  readonly apiHost: string;
}

export interface ScrapeSettings {
  /** Tenants whose guest runs: those that are suspended or leave are not missed. */
  readonly tenants: readonly WatchedTenant[];
  /** What the API server is asked about objects. */
  readonly objects: readonly ObjectProbe[];
  /** How long figures are kept, on a volume of this size. */
  readonly history: { readonly days: number; readonly gibibytes: number };
}

/** How often everything is asked, and every rule checked: two minutes' worth of samples survive one lost answer. */
const interval = "30s";

/** Where a pod's token and the cluster's authority are. */
const account = "/var/run/secrets/kubernetes.io/serviceaccount";

/** An API server has tens of thousands of figures, of which the rules ask for a hundred. */
const apiServerInterval = "1m";

/** What of each source is kept: what the rules ask for, and what says how much of a node is used. */
const kept = {
  kubelet: "kubelet_volume_stats_(available|capacity)_bytes|kubelet_running_pods",
  nodes:
    "node_(filesystem_(avail|size)_bytes|memory_(MemAvailable|MemTotal)_bytes|hwmon_temp_celsius|cpu_seconds_total|boot_time_seconds|load1)",
  longhorn:
    "longhorn_(volume_(robustness|last_backup_at|actual_size_bytes|capacity_bytes)|backup_state|disk_(usage|capacity)_bytes)",
  alertmanager: "alertmanager_(alerts|notifications(_failed)?_total)",
  prometheus: "prometheus_tsdb_(head_series|storage_blocks_bytes)|process_resident_memory_bytes",
  objects: "probe_(success|failed_due_to_cel)",
} as const;

function keepOnly(regex: string) {
  return [{ source_labels: ["__name__"], regex, action: "keep" }];
}

/** Keeps the series that match one of these: a name and labels, each as a regular expression; a label left out may be any. */
function keepSeries(wanted: readonly Readonly<Record<string, string>>[]) {
  const labels = [...new Set(wanted.flatMap((series) => Object.keys(series)))];
  const regex = wanted.map((series) => labels.map((label) => `(${series[label] ?? "[^;]*"})`).join(";")).join("|");
  return [{ source_labels: labels, separator: ";", regex, action: "keep" }];
}

/**
 * What of an API server's figures is kept. Requests by code, verb and resource are many hundreds of series, so only those
 * that failed are kept; how many there were at all, priority and fairness count by a dozen flow schemas.
 */
const ofApiServer = keepSeries([
  { __name__: "apiserver_request_total", code: "5[0-9]{2}" },
  { __name__: "apiserver_flowcontrol_dispatched_requests_total" },
  // Every node and controller renews a lease every few seconds: no other write is as steady.
  {
    __name__: "etcd_request_duration_seconds_bucket",
    operation: "update",
    group: "coordination[.]k8s[.]io",
    resource: "leases",
  },
  { __name__: "apiserver_validating_admission_policy_check_total", enforcement_action: "deny", policy: "kraft-.+" },
  { __name__: "apiserver_client_certificate_expiration_seconds_bucket", le: weekBucket },
]);

/** What of the containers' figures is kept: the start of the platform's own and of Prometheus, and the memory of tenants' pods. */
const ofContainers = [
  ...keepSeries([
    {
      __name__: "container_start_time_seconds",
      namespace: [...new Set([...platformParts.map(({ namespace }) => namespace), monitoringNamespace])].join("|"),
    },
    { __name__: "pod_memory_working_set_bytes", namespace: `${tenantNames("").namespace}.+` },
  ]),
  // What K3k and cert-manager run there is not the tenant's, and has a quota of its own.
  {
    source_labels: ["pod"],
    regex: "k3k-[^-]+-(server-[0-9]+|kubelet-[a-z0-9]{5})|coredns-.+-kube-system-.+|cm-acme-http-solver-.+",
    action: "drop",
  },
];

/** Labels by which a figure is a node's. */
const ofNode = [
  { source_labels: ["__meta_kubernetes_node_name"], target_label: "node" },
  { source_labels: ["__meta_kubernetes_node_name"], target_label: "instance" },
];

/** What the kubelet of every node is asked for, at one of its paths; each series is labelled with the node. */
function kubeletJob(name: string, path: string, keep: readonly object[]) {
  return {
    job_name: name,
    scheme: "https",
    metrics_path: path,
    authorization: { credentials_file: `${account}/token` },
    // A kubelet's certificate is often of an authority of its own; whoever stands in the way learns a token that may
    // read figures only.
    tls_config: { insecure_skip_verify: true },
    kubernetes_sd_configs: [{ role: "node" }],
    relabel_configs: ofNode,
    metric_relabel_configs: keep,
  };
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

/** What the API server is asked about objects: a job for each kind of question, and a series for each object. */
function objectJob(name: string, every: string, probes: readonly ObjectProbe[]) {
  return {
    job_name: name,
    metrics_path: "/probe",
    scrape_interval: every,
    static_configs: probes.map(({ object, tenant, path }) => ({
      targets: [`${services.objects}:${ports.probes}`],
      labels: {
        object,
        ...(tenant !== undefined && { tenant }),
        __param_module: object,
        __param_target: `https://kubernetes.default.svc${path}`,
      },
    })),
    metric_relabel_configs: keepOnly(kept.objects),
  };
}

/** Prometheus' configuration. A site is watched from the moment on that its Ingress is there. */
export function prometheusConfig({ tenants, objects, history }: ScrapeSettings) {
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
      kubeletJob("kubelet", "/metrics", keepOnly(kept.kubelet)),
      // The kubelet gives memory the time at which it was measured: a pod that is gone would stay for five minutes.
      { ...kubeletJob("containers", "/metrics/resource", ofContainers), honor_timestamps: false },
      {
        job_name: "apiserver",
        scheme: "https",
        scrape_interval: apiServerInterval,
        authorization: { credentials_file: `${account}/token` },
        // Each has this name in its certificate, and not always its node's address.
        tls_config: { ca_file: `${account}/ca.crt`, server_name: "kubernetes.default.svc" },
        kubernetes_sd_configs: [
          { role: "node", selectors: [{ role: "node", label: "node-role.kubernetes.io/control-plane" }] },
        ],
        relabel_configs: [
          ...ofNode,
          {
            source_labels: ["__address__"],
            regex: "(.+):[0-9]+",
            replacement: `$1:${apiServerPort}`,
            target_label: "__address__",
          },
        ],
        metric_relabel_configs: ofApiServer,
      },
      podJob("nodes", nodeExporterNamespace, ["app.kubernetes.io/name", services.nodes], ports.nodes, kept.nodes),
      podJob("longhorn", platformNamespaces.longhorn, ["app", "longhorn-manager"], ports.longhorn, kept.longhorn),
      ...Object.entries(objectJobs).flatMap(([name, every]) => {
        const probes = objects.filter(({ job }) => job === name);
        return probes.length === 0 ? [] : [objectJob(name, every, probes)];
      }),
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

/** What the blackbox exporter tries the API server's answers with, as an account that may read these objects. */
export function objectProbeConfig(objects: readonly ObjectProbe[]) {
  const http = {
    preferred_ip_protocol: "ip4",
    tls_config: { ca_file: `${account}/ca.crt` },
    authorization: { credentials_file: `${account}/token` },
    // What is not there is not as declared.
    valid_status_codes: [200, 404],
  };
  return {
    modules: Object.fromEntries(
      objects.map(({ object, holds }) => [
        object,
        { prober: "http", timeout: "8s", http: { ...http, fail_if_body_json_not_matches_cel: holds } },
      ]),
    ),
  };
}
