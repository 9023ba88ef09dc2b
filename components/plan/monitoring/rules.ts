import type { Amounts } from "../size.ts";
import { lateAfterIntervals } from "../storage.ts";
import {
  backupAge,
  backupsOf,
  certificateDays,
  certificateLeft,
  diskLeft,
  failedRequests,
  knownContainers,
  leaseWrites,
  memoryLeft,
  missingParts,
  temperature,
  usedAllowance,
  volumeLeft,
  withTenant,
} from "./figures.ts";
import { allowanceSeries, objectJobs, weekBucket } from "./parts.ts";

/** How much an alert matters: `critical` cannot wait until tomorrow, `warning` can; `none` is for machines only. */
export type Severity = "critical" | "warning" | "none";

/** One alert of Prometheus, whose labels `tenant` and `node` say whom and what it touches, where it touches one. */
export interface AlertRule {
  readonly alert: string;
  readonly severity: Severity;
  /** PromQL. Every series that it finds is an alert. */
  readonly expr: string;
  /** How long it must hold; what heals by itself within that time is not told. */
  readonly for: string;
  /** One line for a phone, in Prometheus' templates. */
  readonly summary: string;
  /** The page to follow, from the root of this repository. */
  readonly runbook: string;
  /** Where the numbers come from. */
  readonly source: string;
}

/** The alert that always fires: its silence tells a service outside of the house that the house is dark. */
export const heartbeatAlert = "Heartbeat";

/** Kraft's backup schedules and their intervals, in hours. A test compares them with `plan/storage.ts`. */
export const backupIntervals: Readonly<Record<string, number>> = {
  "backup-six-hourly": 6,
  "backup-daily": 24,
  "backup-weekly": 7 * 24,
};

const runbooks = "docs/runbooks";

/** Volumes whose last backup is older than the schedule that made it allows. */
const lateBackups = Object.entries(backupIntervals)
  .map(([job, hours]) => `(${backupAge()} > ${hours * 3600 * lateAfterIntervals} and on (volume) ${backupsOf(job)})`)
  .join(" or ");

const objectJobsPattern = Object.keys(objectJobs).join("|");

/** Kinds of questions about objects that nobody answers, be it the exporter or the API server. */
const unanswered = `label_replace(min by (job) (up{job=~"${objectJobsPattern}"}) == 0 or min by (job) (probe_success{job=~"${objectJobsPattern}"} unless probe_failed_due_to_cel == 1) == 0, "instance", "the API server", "", "")`;

/** Every alert. There are few, since one that is ignored teaches to ignore the others. */
export const alertRules: readonly AlertRule[] = [
  {
    alert: heartbeatAlert,
    severity: "none",
    expr: "vector(1)",
    for: "0s",
    summary: "Prometheus and Alertmanager work",
    runbook: `${runbooks}/house-dark.md`,
    source: "it fires always",
  },
  {
    alert: "NodeGone",
    severity: "critical",
    expr: 'up{job="kubelet"} == 0',
    for: "5m",
    summary: "The node {{ $labels.node }} has not answered for five minutes",
    runbook: `${runbooks}/node-lost.md`,
    source:
      "after five minutes Kubernetes starts its pods elsewhere (default tolerationSeconds 300); a restart takes less",
  },
  {
    alert: "ApiServerDown",
    severity: "critical",
    expr: 'absent(up{job="apiserver"} == 1)',
    for: "5m",
    summary: "No API server of the cluster has answered for five minutes: what runs goes on, and nothing new starts",
    runbook: `${runbooks}/control-plane-unwell.md`,
    source: "as NodeGone: a restart takes less",
  },
  {
    alert: "ApiServerFailing",
    severity: "critical",
    expr: `${failedRequests} > 0.05`,
    for: "15m",
    summary: "The API server fails {{ $value | humanizePercentage }} of what it is asked for",
    runbook: `${runbooks}/control-plane-unwell.md`,
    source:
      "our own choice: where 1 % in a month may fail, that month's share is used up in six days; without etcd nearly everything fails",
  },
  {
    alert: "EtcdSlow",
    severity: "warning",
    expr: `${leaseWrites} > 1`,
    for: "30m",
    summary:
      "For the API server on {{ $labels.node }}, one write to etcd in a hundred takes more than {{ $value | humanizeDuration }}",
    runbook: `${runbooks}/control-plane-unwell.md`,
    source:
      "Kubernetes' own aim is a second for 99 of 100 requests that change an object (sig-scalability/slos/api_call_latency.md)",
  },
  {
    alert: "PlatformPartDown",
    severity: "warning",
    expr: `(${missingParts}) and on () ${knownContainers}`,
    for: "30m",
    summary:
      "{{ $labels.container }} in {{ $labels.namespace }} is not there or restarts again and again: for half an hour none has run for ten minutes",
    runbook: `${runbooks}/platform-part-down.md`,
    source:
      "a pod of a dead node runs elsewhere after five minutes and its start; Kubernetes waits five at most before it starts a container again",
  },
  {
    alert: "HostCredentialEnds",
    severity: "warning",
    expr: `sum by (node) (increase(apiserver_client_certificate_expiration_seconds_bucket{le="${weekBucket}"}[1h])) > 0`,
    for: "1h",
    summary:
      "Somebody shows the API server on {{ $labels.node }} a client certificate that ends within a week, or has ended",
    runbook: `${runbooks}/host-credentials.md`,
    source:
      "a kubelet renews its own with at least a tenth of its year left, 36 days; k3s does when it starts, and Talos once half of the time is over",
  },
  {
    alert: "NodeDiskFilling",
    severity: "warning",
    expr: `${diskLeft} < 0.15`,
    for: "15m",
    summary: "{{ $labels.node }} has {{ $value | humanizePercentage }} left on {{ $labels.device }}",
    runbook: `${runbooks}/disk-full.md`,
    source:
      "below 15 % Longhorn places nothing more on a disk (longhornFigures), and at 10 % the kubelet evicts pods (its default)",
  },
  {
    alert: "NodeMemoryLow",
    severity: "warning",
    expr: `${memoryLeft} < 0.05`,
    for: "15m",
    summary: "{{ $labels.node }} has {{ $value | humanizePercentage }} of its memory left",
    runbook: `${runbooks}/node-strained.md`,
    source: "our own choice: 1.6 GiB of 32, well before the kernel ends processes",
  },
  {
    alert: "NodeHot",
    severity: "warning",
    expr: `${temperature} > 90`,
    for: "10m",
    summary: "{{ $labels.node }} is at {{ $value }} °C",
    runbook: `${runbooks}/node-strained.md`,
    source: "our own choice: desktop processors slow down at about 100 °C",
  },
  {
    alert: "GuestDown",
    severity: "critical",
    expr: 'probe_success{job="guests"} == 0',
    for: "15m",
    summary: "The guest of {{ $labels.tenant }} does not answer at {{ $labels.host }}",
    runbook: `${runbooks}/guest-down.md`,
    source:
      "its server is on another node within ten minutes of the loss of its own: five until Kubernetes moves it, then its start",
  },
  {
    alert: "SiteDown",
    severity: "warning",
    expr: 'probe_success{job="sites"} == 0',
    for: "15m",
    summary: "{{ $labels.host }} of {{ $labels.tenant }} does not answer, or with an error of the server",
    runbook: `${runbooks}/site-down.md`,
    source: "as GuestDown: a pod that moves to another node needs as long",
  },
  {
    alert: "CertificateNotRenewed",
    severity: "warning",
    expr: `${certificateLeft()} < ${certificateDays} * 86400`,
    for: "15m",
    summary: "The certificate of {{ $labels.host }} of {{ $labels.tenant }} ends in {{ $value | humanizeDuration }}",
    runbook: `${runbooks}/certificate-not-renewed.md`,
    source:
      "cert-manager renews with a third of the time left, which is 30 days of Let's Encrypt's 90 and 15 of its 45: what has not healed by then does not",
  },
  {
    alert: "VolumeFaulted",
    severity: "critical",
    expr: withTenant(
      'max by (volume, pvc, pvc_namespace) (longhorn_volume_robustness{state="faulted"}) == 1',
      "pvc_namespace",
    ),
    for: "5m",
    summary: "The volume {{ $labels.pvc }} of {{ $labels.tenant }} has no healthy copy",
    runbook: `${runbooks}/restore-a-volume.md`,
    source: "our own choice: Longhorn salvages within minutes what it can (autoSalvage)",
  },
  {
    alert: "VolumeDegraded",
    severity: "warning",
    expr: withTenant(
      'max by (volume, pvc, pvc_namespace) (longhorn_volume_robustness{state="degraded"}) == 1',
      "pvc_namespace",
    ),
    for: "2h",
    summary: "The volume {{ $labels.pvc }} of {{ $labels.tenant }} has had a copy too few for two hours",
    runbook: `${runbooks}/disk-full.md`,
    source:
      "Longhorn waits half an hour for a node before it makes a new copy (replicaReplenishmentWaitInterval), two at once on a node",
  },
  {
    alert: "VolumeFull",
    severity: "warning",
    expr: withTenant(`${volumeLeft} < 0.1`, "namespace"),
    for: "15m",
    summary:
      "The volume {{ $labels.persistentvolumeclaim }} of {{ $labels.tenant }} has {{ $value | humanizePercentage }} left",
    runbook: `${runbooks}/volume-full.md`,
    source: "our own choice: half a gibibyte of a datastore's five",
  },
  {
    alert: "AllowanceNearlyUsed",
    severity: "warning",
    expr: `${usedAllowance()} > 0.9`,
    for: "1h",
    summary:
      "{{ $labels.tenant }} uses {{ $value | humanizePercentage }} of the {{ $labels.resource }} it may have, or more",
    runbook: `${runbooks}/allowance-nearly-used.md`,
    source: "issue 18's 90 %",
  },
  {
    alert: "TenantRefused",
    severity: "warning",
    expr: 'sum by (policy) (increase(apiserver_validating_admission_policy_check_total{enforcement_action="deny"}[20m])) > 0',
    for: "40m",
    summary:
      "{{ $labels.policy }} has been refusing something for 40 minutes, again and again: the runbook says how to find out whose it is",
    runbook: `${runbooks}/tenant-refused.md`,
    source:
      "K3k tries again after at most 1000 seconds (the default of controller-runtime and of Virtual Kubelet, which gives a pod up after 20 tries, 55 minutes)",
  },
  {
    alert: "WallChanged",
    severity: "critical",
    expr: 'probe_failed_due_to_cel{job="walls"} == 1',
    for: "10m",
    summary: "Changed or deleted by hand: {{ $labels.object }}",
    runbook: `${runbooks}/wall-changed.md`,
    source: "our own choice: an `up` that adds a tenant declares the walls of it within minutes",
  },
  {
    alert: "BackupFailed",
    severity: "warning",
    expr: 'probe_failed_due_to_cel{job="failed-backups"} == 1',
    for: "10m",
    summary: "A backup of {{ $labels.tenant }} failed, and none of the same volume has succeeded since",
    runbook: `${runbooks}/backup-failed.md`,
    source: "our own choice: a second attempt by hand takes as long",
  },
  {
    alert: "WasabiUnreachable",
    severity: "warning",
    expr: 'probe_failed_due_to_cel{job="backup-target"} == 1',
    for: "30m",
    summary: "Longhorn has not reached its backup target for half an hour",
    runbook: `${runbooks}/wasabi-unreachable.md`,
    source: "Longhorn asks it every five minutes (backupstorePollInterval); a line that is down for a moment heals",
  },
  {
    alert: "DrillFailed",
    severity: "warning",
    expr: 'probe_failed_due_to_cel{job="drills"} == 1',
    for: "10m",
    summary: "The last restore drill of {{ $labels.tenant }} failed: its backups are not proven restorable",
    runbook: `${runbooks}/drill-failed.md`,
    source: "our own choice: who is at it sees it in the output, and repeats it",
  },
  {
    alert: "NeverDrilled",
    severity: "warning",
    expr: 'probe_failed_due_to_cel{job="proofs"} == 1',
    for: "8d",
    summary: "No backup of {{ $labels.tenant }} has ever been restored to try it",
    runbook: `${runbooks}/never-drilled.md`,
    source: "drills run once a week (docs/drills.md)",
  },
  {
    alert: "BackupLate",
    severity: "critical",
    expr: withTenant(lateBackups, "pvc_namespace"),
    for: "15m",
    summary: "The last backup of {{ $labels.pvc }} of {{ $labels.tenant }} was {{ $value | humanizeDuration }} ago",
    runbook: `${runbooks}/wasabi-unreachable.md`,
    source:
      "lateAfterIntervals of components/plan/storage.ts, times the interval of the schedule that made its backups",
  },
  {
    alert: "AlertsNotDelivered",
    severity: "warning",
    expr: "sum by (integration) (increase(alertmanager_notifications_failed_total[15m])) > 0",
    for: "15m",
    summary: "Messages by {{ $labels.integration }} do not arrive",
    runbook: `${runbooks}/house-dark.md`,
    source: "Alertmanager tries again for minutes before it counts one as failed",
  },
  {
    alert: "MonitoringBlind",
    severity: "warning",
    expr: `up{job!~"kubelet|guests|sites|${objectJobsPattern}"} == 0 or ${unanswered}`,
    for: "30m",
    summary:
      "{{ $labels.job }} of {{ $labels.instance }} has not been heard of for half an hour: its alerts cannot fire",
    runbook: `${runbooks}/house-dark.md`,
    source: "our own choice: longer than any update of the platform",
  },
];

/** What a tenant's own pods and volumes may use, for the rules to compare with. */
export interface TenantAllowance {
  readonly tenant: string;
  readonly namespace: string;
  readonly allowance: Amounts;
}

const mebibyte = 1024 * 1024;

/** One series for each resource, whose value is what is declared. */
function allowanceRules({ tenant, namespace, allowance }: TenantAllowance) {
  const amounts = {
    memory: allowance.memoryMebibytes * mebibyte,
    pods: allowance.pods,
    storage: allowance.storageMebibytes * mebibyte,
  };
  return Object.entries(amounts).map(([resource, amount]) => ({
    record: allowanceSeries,
    expr: `vector(${amount})`,
    labels: { tenant, namespace, resource },
  }));
}

/** What Prometheus reads as a file of rules. Every alert is checked at each of its intervals. */
export function ruleFile(tenants: readonly TenantAllowance[] = []) {
  return {
    groups: [
      { name: "allowances", rules: tenants.flatMap(allowanceRules) },
      {
        name: "kraft",
        rules: alertRules.map(({ alert, severity, expr, for: duration, summary, runbook }) => ({
          alert,
          expr,
          for: duration,
          labels: { severity },
          annotations: { summary, runbook },
        })),
      },
    ],
  };
}
