import { platformParts } from "../../../../../components/plan/monitoring/parts.ts";

/** Series by their names with labels; each value is in promtool's notation, one sample a minute. */
type Series = Readonly<Record<string, string>>;

const nodes = ["optiplex-1", "optiplex-2", "optiplex-3"] as const;

/** A series of every node. */
function ofNodes(name: string, values: string, labels = ""): Series {
  return Object.fromEntries(nodes.map((node) => [`${name}{node="${node}"${labels}}`, values]));
}

const volume = 'volume="pvc-1",pvc="data",pvc_namespace="k3k-acme",node="optiplex-1"';
const claim = 'node="optiplex-1",namespace="k3k-acme",persistentvolumeclaim="data"';
const site = 'job="sites",tenant="acme",host="www.acme.example"';
const leases = 'node="optiplex-1",operation="update",group="coordination.k8s.io",resource="leases"';

/**
 * What Prometheus has of a house with three nodes and one tenant, in which something is wrong: the site does not answer, and
 * the API server fails now and then.
 */
export const world: Series = {
  ...ofNodes("up", "1x180", ',job="kubelet"'),
  ...ofNodes("up", "1x180", ',job="apiserver"'),
  ...ofNodes("node_memory_MemTotal_bytes", "32e9x180"),
  ...ofNodes("node_memory_MemAvailable_bytes", "20e9x180"),
  ...ofNodes("node_filesystem_size_bytes", "500e9x180", ',device="/dev/sda2",fstype="ext4"'),
  ...ofNodes("node_filesystem_avail_bytes", "300e9x180", ',device="/dev/sda2",fstype="ext4"'),
  ...ofNodes("node_cpu_seconds_total", "0+50x180", ',cpu="0",mode="idle"'),
  ...ofNodes("node_cpu_seconds_total", "0+10x180", ',cpu="0",mode="user"'),
  ...ofNodes("node_hwmon_temp_celsius", "52x180", ',sensor="temp1"'),
  ...ofNodes("kubelet_running_pods", "20x180"),
  ...ofNodes("longhorn_disk_capacity_bytes", "400e9x180", ',disk="disk-1"'),
  ...ofNodes("longhorn_disk_usage_bytes", "100e9x180", ',disk="disk-1"'),
  ...Object.fromEntries(
    platformParts.map(({ namespace, container }) => [
      `container_start_time_seconds{node="optiplex-2",namespace="${namespace}",pod="${container}-1",container="${container}"}`,
      "0x180",
    ]),
  ),
  'apiserver_request_total{node="optiplex-1",code="503",verb="GET",resource="pods"}': "0+1x180",
  'apiserver_flowcontrol_dispatched_requests_total{node="optiplex-1",flow_schema="system-nodes"}': "0+99x180",
  [`etcd_request_duration_seconds_bucket{${leases},le="0.005"}`]: "0+9x180",
  [`etcd_request_duration_seconds_bucket{${leases},le="+Inf"}`]: "0+9x180",
  'probe_success{job="guests",tenant="acme",host="acme.api.kraft.example"}': "1x180",
  [`probe_success{${site}}`]: "0x180",
  [`probe_ssl_earliest_cert_expiry{${site}}`]: "5e6x180",
  [`kubelet_volume_stats_capacity_bytes{${claim}}`]: "10e9x180",
  [`kubelet_volume_stats_available_bytes{${claim}}`]: "4e9x180",
  'pod_memory_working_set_bytes{node="optiplex-1",namespace="k3k-acme",pod="web-0-default-acme-1a2b"}': "1e9x180",
  [`longhorn_volume_last_backup_at{${volume}}`]: "1x180",
  'longhorn_backup_state{volume="pvc-1",backup="backup-a",recurring_job="backup-daily",node="optiplex-2"}': "3x180",
  ...Object.fromEntries(
    ["unknown", "healthy", "degraded", "faulted"].map((state) => [
      `longhorn_volume_robustness{${volume},state="${state}"}`,
      state === "degraded" ? "1x180" : "0x180",
    ]),
  ),
  ...Object.fromEntries(
    Object.entries({ memory: "4e9", pods: "30", storage: "50e9" }).map(([resource, amount]) => [
      `kraft_tenant_allowance{tenant="acme",namespace="k3k-acme",resource="${resource}"}`,
      `${amount}x180`,
    ]),
  ),
  'ALERTS{alertname="Heartbeat",alertstate="firing"}': "1x180",
  'ALERTS{alertname="SiteDown",alertstate="firing",tenant="acme",host="www.acme.example"}': "1x180",
};
