import { tenantNames } from "../names.ts";
import { allowanceSeries, monitoringNamespace, platformParts, services } from "./parts.ts";

/*
 * What alerts and dashboards both ask Prometheus for: expressions of PromQL over what `scrapes.ts` keeps, without the limits
 * that make an alert of them.
 */

/** The tenant of a series that names a tenant's namespace in one of its labels. */
export function withTenant(expr: string, namespaceLabel: string): string {
  return `label_replace(${expr}, "tenant", "$1", "${namespaceLabel}", "k3k-(.+)")`;
}

/** An expression with more labels. */
function labelled(expr: string, labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels).reduce(
    (all, [name, value]) => `label_replace(${all}, "${name}", "${value}", "", "")`,
    expr,
  );
}

/** The part of all requests that the API servers fail, from 0 to 1. */
export const failedRequests =
  'sum(rate(apiserver_request_total{code=~"5..",verb!="CONNECT"}[10m])) / sum(rate(apiserver_flowcontrol_dispatched_requests_total[10m]))';

/** Seconds that the slowest of a hundred writes to etcd takes at most, as the API server of each node sees it. */
export const leaseWrites =
  'histogram_quantile(0.99, sum by (node, le) (rate(etcd_request_duration_seconds_bucket{operation="update",resource="leases"}[15m])))';

/** The part of each file system of a node that is left, from 0 to 1. */
export const diskLeft =
  'min by (node, device) (node_filesystem_avail_bytes{fstype=~"ext4|xfs|btrfs"} / node_filesystem_size_bytes)';

/** The part of each node's memory that is left, from 0 to 1. */
export const memoryLeft = "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes";

/** °C at the hottest sensor of each node that has one. */
export const temperature = "max by (node) (node_hwmon_temp_celsius)";

/**
 * Seconds until the certificate ends that a site shows.
 *
 * @param selector which sites
 */
export function certificateLeft(selector = '{job="sites"}'): string {
  return `probe_ssl_earliest_cert_expiry${selector} - time()`;
}

/** Days before its end by which cert-manager should long have renewed a certificate. */
export const certificateDays = 10;

/** The part of each mounted volume that is left, from 0 to 1. */
export const volumeLeft =
  "min by (namespace, persistentvolumeclaim) (kubelet_volume_stats_available_bytes / kubelet_volume_stats_capacity_bytes)";

/**
 * Seconds since the last backup of each volume. Longhorn says 0 of one that has none: it is left out.
 *
 * @param selector which volumes, for example `{pvc_namespace="k3k-acme"}`
 */
export function backupAge(selector = ""): string {
  return `time() - max by (volume, pvc, pvc_namespace) (longhorn_volume_last_backup_at${selector} > 0)`;
}

/** The backups of a schedule, with the volume that each is of. */
export function backupsOf(job: string): string {
  return `longhorn_backup_state{recurring_job="${job}"}`;
}

/** Containers of the platform that have run for ten minutes at a stretch. */
export const runningContainers = "time() - container_start_time_seconds > 600";

/** Prometheus' own container: without it kubelets publish nothing of any container. */
export const knownContainers = `container_start_time_seconds{namespace="${monitoringNamespace}",container="${services.prometheus}"}`;

/** The containers of the platform of which none has run for ten minutes at a stretch, whether it is missing or starts again and again. */
export const missingParts = `(${platformParts
  .map(({ namespace, container }) => labelled("vector(1)", { namespace, container }))
  .join(" or ")}) unless on (namespace, container) (${runningContainers})`;

/**
 * What tenants use of their allowance at least, by namespace: what does not run, or is mounted nowhere, is not counted.
 *
 * @param matchers of the namespace, as PromQL writes them; default: of every tenant
 */
export function usedSeries(matchers = ""): Readonly<Record<"memory" | "pods" | "storage", string>> {
  const pods = `pod_memory_working_set_bytes${matchers === "" ? "" : `{${matchers}}`}`;
  const ofVolumes = [matchers, `persistentvolumeclaim!~"${tenantNames(".+").datastoreClaim}"`];
  const volumes = `max by (namespace, persistentvolumeclaim) (kubelet_volume_stats_capacity_bytes{${ofVolumes.filter((m) => m !== "").join(",")}})`;
  return {
    memory: `sum by (namespace) (${pods})`,
    pods: `count by (namespace) (${pods})`,
    storage: `sum by (namespace) (${volumes})`,
  };
}

/**
 * The part of its allowance that a tenant uses at least, by resource.
 *
 * @param selector whose allowance, for example `{tenant="acme"}`
 */
export function usedAllowance(selector = ""): string {
  const used = Object.entries(usedSeries()).map(([resource, series]) => labelled(series, { resource }));
  return `(${used.join(" or ")}) / on (namespace, resource) group_right () ${allowanceSeries}${selector}`;
}
