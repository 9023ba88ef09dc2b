import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { alertmanagerConfig } from "../../../../../components/plan/monitoring/alertmanager.ts";
import { platformParts } from "../../../../../components/plan/monitoring/parts.ts";
import { alertRules, backupIntervals, ruleFile } from "../../../../../components/plan/monitoring/rules.ts";
import { probeConfig, prometheusConfig } from "../../../../../components/plan/monitoring/scrapes.ts";
import { lateAfterIntervals, schedules } from "../../../../../components/plan/storage.ts";
import { terminalReporter } from "../../../../../local/terminal.ts";
import { readyTools, toolPath, type Tools } from "../../../../../local/toolchain/ready.ts";
import { isKept, keeps, kept, labelsOf, objects, watched } from "./kept.ts";

const folder = mkdtempSync(join(tmpdir(), "kraft-rules-"));
let tools: Tools;

before(async () => {
  tools = await readyTools(terminalReporter(), ["rules"]);
  write("rules.json", ruleFile());
});

after(() => {
  rmSync(folder, { recursive: true, force: true });
});

function write(name: string, value: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(value));
  return path;
}

function succeeds(tool: string, ...given: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(toolPath(tools, tool), given, { cwd: folder, encoding: "utf8" });
  assert.equal(status, 0, `${tool} ${given.join(" ")}:\n${stdout}${stderr}`);
}

/** Series by their names with labels; each value is in promtool's notation, one sample a minute, or what an example says. */
type Series = Readonly<Record<string, string>>;

/** What makes an alert fire, what it then says, and what comes close without being one. */
interface Example {
  readonly fires: Series;
  /** When it must fire, and must not have fired a minute before it may. */
  readonly at: string;
  readonly notBefore?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly summary: string;
  readonly silent: Series;
  /** The time between two samples. Default: 1m */
  readonly interval?: "1h";
}

const volume = 'volume="pvc-1",pvc="data",pvc_namespace="k3k-acme"';
const ofVolume = { volume: "pvc-1", pvc: "data", pvc_namespace: "k3k-acme", tenant: "acme" };

function longhornState(state: string, values: string): Series {
  // Two managers, of which one is gone: its last figures are not asked again.
  return { [`longhorn_volume_robustness{${volume},node="optiplex-1",state="${state}"}`]: values };
}

/** A volume that had its last backup at 0 + one second, by a schedule. */
function backedUpBy(job: string): Series {
  return {
    [`longhorn_volume_last_backup_at{${volume},node="optiplex-1"}`]: "1x1000",
    [`longhorn_backup_state{volume="pvc-1",backup="backup-a",recurring_job="${job}",node="optiplex-2"}`]: "3x1000",
  };
}

/** Requests that an API server carried out, as two of its flow schemas count them. */
function dispatched(values: string): Series {
  const of = (schema: string) =>
    `apiserver_flowcontrol_dispatched_requests_total{node="optiplex-1",flow_schema="${schema}"}`;
  return { [of("system-nodes")]: values, [of("service-accounts")]: "0x600" };
}

/** Renewals of leases in etcd, by how long they took at most. */
function leaseWrites(buckets: Readonly<Record<string, string>>): Series {
  const labels = 'node="optiplex-1",operation="update",group="coordination.k8s.io",resource="leases"';
  return Object.fromEntries(
    Object.entries(buckets).map(([le, values]) => [
      `etcd_request_duration_seconds_bucket{${labels},le="${le}"}`,
      values,
    ]),
  );
}

/** Everything of the platform but K3k's controller, since when it has been running, and Prometheus itself. */
function platform(started: string): Series {
  const others = platformParts.filter(({ container }) => container !== "k3k");
  return {
    'container_start_time_seconds{node="optiplex-3",namespace="monitoring",pod="prometheus-1",container="prometheus"}':
      "0x600",
    ...Object.fromEntries(
      others.map(({ namespace, container }) => [
        `container_start_time_seconds{node="optiplex-2",namespace="${namespace}",pod="${container}-1",container="${container}"}`,
        started,
      ]),
    ),
  };
}

/** What a tenant may use of something. */
function allowance(resource: string, amount: number): Series {
  return { [`kraft_tenant_allowance{tenant="acme",namespace="k3k-acme",resource="${resource}"}`]: `${amount}x600` };
}

/** Refusals by a policy. */
function refused(values: string): Series {
  const labels = 'node="optiplex-1",policy="kraft-tenant-ingresses",policy_binding="kraft-tenant-ingresses"';
  return {
    [`apiserver_validating_admission_policy_check_total{${labels},error_type="no_error",enforcement_action="deny"}`]:
      values,
  };
}

const labelsOfProbe = { tenant: "acme", instance: "object-exporter:9115" } as const;

function ofProbe(job: string, object: string, tenant = 'tenant="acme",'): string {
  return `job="${job}",${tenant}object="${object}",instance="${labelsOfProbe.instance}"`;
}

/** What the exporter says of an object: 1 where the object is not as it should be. */
function objectProbe(job: string, object: string, values: string, tenant?: string): Series {
  return { [`probe_failed_due_to_cel{${ofProbe(job, object, tenant)}}`]: values };
}

const examples: Readonly<Record<string, Example>> = {
  Heartbeat: {
    fires: {},
    at: "0m",
    labels: {},
    summary: "Prometheus and Alertmanager work",
    // It has none: nothing may silence it.
    silent: {},
  },
  NodeGone: {
    fires: { 'up{job="kubelet",node="optiplex-2",instance="optiplex-2"}': "1 0x20" },
    at: "7m",
    notBefore: "5m",
    labels: { job: "kubelet", node: "optiplex-2", instance: "optiplex-2" },
    summary: "The node optiplex-2 has not answered for five minutes",
    // A restart, and another exporter.
    silent: {
      'up{job="kubelet",node="optiplex-2",instance="optiplex-2"}': "1 0x4 1x30",
      'up{job="nodes",node="optiplex-2",instance="node-exporter-x"}': "0x30",
    },
  },
  ApiServerDown: {
    fires: {
      'up{job="apiserver",node="optiplex-1",instance="optiplex-1"}': "1x2 0x20",
      'up{job="apiserver",node="optiplex-2",instance="optiplex-2"}': "0x22",
    },
    at: "9m",
    notBefore: "7m",
    labels: {},
    summary: "No API server of the cluster has answered for five minutes: what runs goes on, and nothing new starts",
    // One of two is enough, and a restart of that one.
    silent: {
      'up{job="apiserver",node="optiplex-1",instance="optiplex-1"}': "0x600",
      'up{job="apiserver",node="optiplex-2",instance="optiplex-2"}': "1x10 0x3 1x586",
    },
  },
  ApiServerFailing: {
    fires: {
      ...dispatched("0+60x60"),
      [`apiserver_request_total{node="optiplex-1",verb="UPDATE",code="500",resource="leases"}`]: "0+6x60",
    },
    at: "30m",
    // Two samples make a rate.
    notBefore: "15m",
    labels: {},
    summary: "The API server fails 10% of what it is asked for",
    silent: {
      ...dispatched("0+60x600"),
      // An evening of a webhook that does not answer, and what is behind the API server.
      [`apiserver_request_total{node="optiplex-1",verb="POST",code="500",resource="pods"}`]: "0+2x600",
      [`apiserver_request_total{node="optiplex-1",verb="CONNECT",code="502",resource="pods"}`]: "0+30x600",
      // It fails altogether while it is updated.
      [`apiserver_request_total{node="optiplex-1",verb="UPDATE",code="503",resource="leases"}`]: "0x100 0+60x5 300x495",
    },
  },
  EtcdSlow: {
    // A tenth of all writes takes between one second and two.
    fires: leaseWrites({ "0.1": "0+90x60", "1.0": "0+90x60", "2.0": "0+100x60", "+Inf": "0+100x60" }),
    at: "32m",
    notBefore: "30m",
    labels: { node: "optiplex-1" },
    summary: "For the API server on optiplex-1, one write to etcd in a hundred takes more than 1.9s",
    silent: {
      ...leaseWrites({ "0.1": "0+99.5x600", "1.0": "0+99.5x600", "2.0": "0+100x600", "+Inf": "0+100x600" }),
      // Large lists take their time.
      [`etcd_request_duration_seconds_bucket{node="optiplex-2",operation="list",resource="pods",le="+Inf"}`]:
        "0+100x600",
    },
  },
  PlatformPartDown: {
    fires: {
      ...platform("0x80"),
      // It starts every five minutes and ends at once: there are figures of it now and then.
      'container_start_time_seconds{node="optiplex-1",namespace="k3k-system",pod="k3k-1",container="k3k"}':
        "0x19 1200 _ _ _ _ 1500 _ _ _ _ 1800 _ _ _ _ 2100 _ _ _ _ 2400 _ _ _ _ 2700 _ _ _ _ 3000x20",
    },
    at: "51m",
    notBefore: "49m",
    labels: { namespace: "k3k-system", container: "k3k" },
    summary:
      "k3k in k3k-system is not there or restarts again and again: for half an hour none has run for ten minutes",
    silent: {
      ...platform("0x600"),
      // Its node is lost, and it runs elsewhere seven minutes later.
      'container_start_time_seconds{node="optiplex-1",namespace="k3k-system",pod="k3k-1",container="k3k"}': "0x60",
      'container_start_time_seconds{node="optiplex-2",namespace="k3k-system",pod="k3k-2",container="k3k"}':
        "_x67 4020x530",
    },
  },
  HostCredentialEnds: {
    fires: {
      'apiserver_client_certificate_expiration_seconds_bucket{node="optiplex-1",le="604800.0"}': "0x10 0+10x120",
    },
    at: "73m",
    notBefore: "70m",
    labels: { node: "optiplex-1" },
    summary: "Somebody shows the API server on optiplex-1 a client certificate that ends within a week, or has ended",
    silent: {
      // Who ended was replaced long ago.
      'apiserver_client_certificate_expiration_seconds_bucket{node="optiplex-1",le="604800.0"}': "7x600",
      'apiserver_client_certificate_expiration_seconds_bucket{node="optiplex-1",le="2592000.0"}': "0+10x600",
    },
  },
  NodeDiskFilling: {
    fires: {
      'node_filesystem_avail_bytes{node="optiplex-1",instance="a",device="/dev/sda2",fstype="ext4",mountpoint="/"}':
        "10x40",
      'node_filesystem_size_bytes{node="optiplex-1",instance="a",device="/dev/sda2",fstype="ext4",mountpoint="/"}':
        "100x40",
    },
    at: "16m",
    notBefore: "14m",
    labels: { node: "optiplex-1", device: "/dev/sda2" },
    summary: "optiplex-1 has 10% left on /dev/sda2",
    silent: {
      'node_filesystem_avail_bytes{node="optiplex-1",instance="a",device="/dev/sda2",fstype="ext4",mountpoint="/"}':
        "15x40",
      'node_filesystem_size_bytes{node="optiplex-1",instance="a",device="/dev/sda2",fstype="ext4",mountpoint="/"}':
        "100x40",
      'node_filesystem_avail_bytes{node="optiplex-1",instance="a",device="tmpfs",fstype="tmpfs",mountpoint="/tmp"}':
        "0x40",
      'node_filesystem_size_bytes{node="optiplex-1",instance="a",device="tmpfs",fstype="tmpfs",mountpoint="/tmp"}':
        "100x40",
    },
  },
  NodeMemoryLow: {
    fires: {
      'node_memory_MemAvailable_bytes{job="nodes",node="optiplex-1"}': "1x40",
      'node_memory_MemTotal_bytes{job="nodes",node="optiplex-1"}': "100x40",
    },
    at: "16m",
    notBefore: "14m",
    labels: { job: "nodes", node: "optiplex-1" },
    summary: "optiplex-1 has 1% of its memory left",
    silent: {
      'node_memory_MemAvailable_bytes{job="nodes",node="optiplex-1"}': "1x10 20x30",
      'node_memory_MemTotal_bytes{job="nodes",node="optiplex-1"}': "100x40",
    },
  },
  NodeHot: {
    fires: {
      'node_hwmon_temp_celsius{node="optiplex-1",chip="coretemp",sensor="temp1"}': "60x40",
      'node_hwmon_temp_celsius{node="optiplex-1",chip="coretemp",sensor="temp2"}': "95x40",
    },
    at: "11m",
    notBefore: "9m",
    labels: { node: "optiplex-1" },
    summary: "optiplex-1 is at 95 °C",
    silent: { 'node_hwmon_temp_celsius{node="optiplex-1",chip="coretemp",sensor="temp1"}': "90x40" },
  },
  GuestDown: {
    fires: { 'probe_success{job="guests",tenant="acme",host="acme.api.kraft.example"}': "1 0x40" },
    at: "17m",
    notBefore: "15m",
    labels: { job: "guests", tenant: "acme", host: "acme.api.kraft.example" },
    summary: "The guest of acme does not answer at acme.api.kraft.example",
    silent: { 'probe_success{job="guests",tenant="acme",host="acme.api.kraft.example"}': "1 0x12 1x30" },
  },
  SiteDown: {
    fires: { 'probe_success{job="sites",tenant="acme",host="www.acme.example"}': "1 0x40" },
    at: "17m",
    notBefore: "15m",
    labels: { job: "sites", tenant: "acme", host: "www.acme.example" },
    summary: "www.acme.example of acme does not answer, or with an error of the server",
    silent: { 'probe_success{job="sites",tenant="acme",host="www.acme.example"}': "1 0x12 1x30" },
  },
  CertificateNotRenewed: {
    fires: { 'probe_ssl_earliest_cert_expiry{job="sites",tenant="acme",host="www.acme.example"}': `${9 * 86400}x100` },
    at: "16m",
    notBefore: "14m",
    labels: { job: "sites", tenant: "acme", host: "www.acme.example" },
    summary: "The certificate of www.acme.example of acme ends in 8d 23h 44m 0s",
    silent: {
      'probe_ssl_earliest_cert_expiry{job="sites",tenant="acme",host="www.acme.example"}': `${15 * 86400}x100`,
      // K3k makes the guests' own anew by itself.
      'probe_ssl_earliest_cert_expiry{job="guests",tenant="acme",host="acme.api.kraft.example"}': "60x100",
    },
  },
  VolumeFaulted: {
    fires: longhornState("faulted", "1x40"),
    at: "6m",
    notBefore: "4m",
    labels: ofVolume,
    summary: "The volume data of acme has no healthy copy",
    silent: { ...longhornState("faulted", "0x40"), ...longhornState("healthy", "1x40") },
  },
  VolumeDegraded: {
    fires: longhornState("degraded", "1x200"),
    at: "121m",
    notBefore: "119m",
    labels: ofVolume,
    summary: "The volume data of acme has had a copy too few for two hours",
    silent: { ...longhornState("degraded", "1x60 0x140"), ...longhornState("healthy", "0x60 1x140") },
  },
  VolumeFull: {
    fires: {
      'kubelet_volume_stats_available_bytes{node="optiplex-1",namespace="k3k-acme",persistentvolumeclaim="data"}':
        "5x40",
      'kubelet_volume_stats_capacity_bytes{node="optiplex-1",namespace="k3k-acme",persistentvolumeclaim="data"}':
        "100x40",
    },
    at: "16m",
    notBefore: "14m",
    labels: { namespace: "k3k-acme", persistentvolumeclaim: "data", tenant: "acme" },
    summary: "The volume data of acme has 5% left",
    silent: {
      'kubelet_volume_stats_available_bytes{node="optiplex-1",namespace="k3k-acme",persistentvolumeclaim="data"}':
        "10x40",
      'kubelet_volume_stats_capacity_bytes{node="optiplex-1",namespace="k3k-acme",persistentvolumeclaim="data"}':
        "100x40",
    },
  },
  AllowanceNearlyUsed: {
    fires: {
      ...allowance("memory", 4096),
      'pod_memory_working_set_bytes{node="optiplex-1",namespace="k3k-acme",pod="a"}': "2000x100",
      'pod_memory_working_set_bytes{node="optiplex-2",namespace="k3k-acme",pod="b"}': "1891x100",
    },
    at: "61m",
    notBefore: "59m",
    labels: { tenant: "acme", namespace: "k3k-acme", resource: "memory" },
    summary: "acme uses 95% of the memory it may have, or more",
    silent: {
      ...allowance("memory", 4096),
      ...allowance("pods", 3),
      ...allowance("storage", 100),
      // An hour of much work.
      'pod_memory_working_set_bytes{node="optiplex-1",namespace="k3k-acme",pod="a"}': "2000x600",
      'pod_memory_working_set_bytes{node="optiplex-2",namespace="k3k-acme",pod="b"}': "1000x10 2096x55 1000x535",
      // Pods of two nodes share it; the datastore is not the tenant's.
      'kubelet_volume_stats_capacity_bytes{node="optiplex-1",namespace="k3k-acme",persistentvolumeclaim="data"}':
        "80x600",
      'kubelet_volume_stats_capacity_bytes{node="optiplex-2",namespace="k3k-acme",persistentvolumeclaim="data"}':
        "80x600",
      'kubelet_volume_stats_capacity_bytes{node="optiplex-1",namespace="k3k-acme",persistentvolumeclaim="varlibrancherk3s-k3k-acme-server-0"}':
        "50x600",
      // Nobody's that is still declared.
      'pod_memory_working_set_bytes{node="optiplex-1",namespace="k3k-blue",pod="a"}': "9999x600",
    },
  },
  TenantRefused: {
    // As K3k tries again: ever longer apart, at last every 1000 seconds.
    fires: refused("1x1 3 5 6 7x2 8x5 9x10 10x16 11x16 12x16 13x60"),
    at: "46m",
    notBefore: "40m",
    labels: { policy: "kraft-tenant-ingresses" },
    summary:
      "kraft-tenant-ingresses has been refusing something for 40 minutes, again and again: the runbook says how to find out whose it is",
    // It was changed after a quarter of an hour; later somebody tries twice.
    silent: refused("1x1 3 5 6 7x2 8x200 9x60 10x300"),
  },
  WallChanged: {
    fires: objectProbe("walls", "NetworkPolicies of k3k-acme", "0 1x20"),
    at: "12m",
    notBefore: "10m",
    labels: { ...labelsOfProbe, job: "walls", object: "NetworkPolicies of k3k-acme" },
    summary: "Changed or deleted by hand: NetworkPolicies of k3k-acme",
    silent: {
      // An `up` declares a tenant.
      ...objectProbe("walls", "NetworkPolicies of k3k-acme", "0 1x8 0x591"),
      ...objectProbe("drills", "restore drill of acme", "1x600"),
    },
  },
  BackupFailed: {
    fires: objectProbe("failed-backups", "backups of acme", "0 1x20"),
    at: "12m",
    notBefore: "10m",
    labels: { ...labelsOfProbe, job: "failed-backups", object: "backups of acme" },
    summary: "A backup of acme failed, and none of the same volume has succeeded since",
    silent: objectProbe("failed-backups", "backups of acme", "0 1x8 0x591"),
  },
  WasabiUnreachable: {
    fires: objectProbe("backup-target", "backup target", "0 1x40", ""),
    at: "32m",
    notBefore: "30m",
    labels: { job: "backup-target", object: "backup target", instance: labelsOfProbe.instance },
    summary: "Longhorn has not reached its backup target for half an hour",
    silent: objectProbe("backup-target", "backup target", "0 1x28 0x571", ""),
  },
  DrillFailed: {
    fires: objectProbe("drills", "restore drill of acme", "0 1x20"),
    at: "12m",
    notBefore: "10m",
    labels: { ...labelsOfProbe, job: "drills", object: "restore drill of acme" },
    summary: "The last restore drill of acme failed: its backups are not proven restorable",
    silent: objectProbe("drills", "restore drill of acme", "0 1x8 0x591"),
  },
  NeverDrilled: {
    interval: "1h",
    fires: objectProbe("proofs", "any restore drill of acme", "1x200"),
    at: "192h",
    notBefore: "191h",
    labels: { ...labelsOfProbe, job: "proofs", object: "any restore drill of acme" },
    summary: "No backup of acme has ever been restored to try it",
    // The drill of the week comes.
    silent: objectProbe("proofs", "any restore drill of acme", "1x168 0x192"),
  },
  BackupLate: {
    fires: backedUpBy("backup-six-hourly"),
    at: "560m",
    notBefore: "540m",
    labels: ofVolume,
    summary: "The last backup of data of acme was 9h 19m 59s ago",
    // Once a day is enough for a volume that is backed up once a day.
    silent: backedUpBy("backup-daily"),
  },
  AlertsNotDelivered: {
    fires: { 'alertmanager_notifications_failed_total{integration="webhook",reason="other"}': "0+1x60" },
    at: "20m",
    labels: { integration: "webhook" },
    summary: "Messages by webhook do not arrive",
    silent: { 'alertmanager_notifications_failed_total{integration="webhook",reason="other"}': "4x60" },
  },
  MonitoringBlind: {
    fires: { 'up{job="longhorn",node="optiplex-1",instance="longhorn-manager-x"}': "0x60" },
    at: "31m",
    notBefore: "29m",
    labels: { job: "longhorn", node: "optiplex-1", instance: "longhorn-manager-x" },
    summary: "longhorn of longhorn-manager-x has not been heard of for half an hour: its alerts cannot fire",
    silent: {
      'up{job="longhorn",node="optiplex-1",instance="longhorn-manager-x"}': "0x20 1x40",
      // It has an alert of its own.
      'up{job="kubelet",node="optiplex-2",instance="optiplex-2"}': "0x60",
      // So has an object that is not as it should be.
      ...objectProbe("walls", "NetworkPolicies of k3k-acme", "1x60"),
      [`probe_success{${ofProbe("walls", "NetworkPolicies of k3k-acme")}}`]: "0x60",
    },
  },
};

test("every alert has an example that makes it fire, and one that does not", () => {
  assert.deepEqual(
    Object.keys(examples),
    alertRules.map(({ alert }) => alert),
  );
});

for (const rule of alertRules) {
  const { alert, severity, runbook } = rule;
  const example = examples[alert] ?? assert.fail(alert);
  const { interval = "1m" } = example;
  const series = (given: Series) => Object.entries(given).map(([name, values]) => ({ series: name, values }));
  const fired = {
    exp_labels: { ...example.labels, severity },
    exp_annotations: { summary: example.summary, runbook },
  };
  const run = (name: string, tests: readonly unknown[]): void => {
    succeeds(
      "promtool",
      "test",
      "rules",
      write(`${alert}-${name}.json`, { rule_files: ["rules.json"], evaluation_interval: interval, tests }),
    );
  };

  test(`${alert} fires when it should, and says what it is about`, () => {
    const { at, notBefore } = example;
    const input = { interval, input_series: series(example.fires) };
    run("fires", [
      { ...input, alert_rule_test: [{ alertname: alert, eval_time: at, exp_alerts: [fired] }] },
      ...(notBefore === undefined
        ? []
        : [{ ...input, alert_rule_test: [{ alertname: alert, eval_time: notBefore, exp_alerts: [] }] }]),
    ]);
  });

  if (Object.keys(example.silent).length > 0) {
    test(`${alert} does not fire for what heals by itself or concerns others`, () => {
      const times = Array.from({ length: 60 }, (_, index) => (interval === "1h" ? `${index * 6}h` : `${index * 10}m`));
      run("silent", [
        {
          interval,
          input_series: series(example.silent),
          alert_rule_test: times.map((time) => ({ alertname: alert, eval_time: time, exp_alerts: [] })),
        },
      ]);
    });
  }

  test(`${alert} leads to a page that is there`, () => {
    assert.ok(existsSync(join(import.meta.dirname, "../../../../..", runbook)), runbook);
    assert.match(runbook, /^docs\/runbooks\/[a-z-]+\.md$/);
    assert.notEqual(rule.source, "");
  });
}

test("PlatformPartDown says nothing where kubelets publish nothing of containers", () => {
  const silent = { eval_time: "120m", alertname: "PlatformPartDown", exp_alerts: [] };
  const tests = [{ interval: "1m", input_series: [], alert_rule_test: [silent] }];
  const file = write("no-containers.json", { rule_files: ["rules.json"], evaluation_interval: "1m", tests });
  succeeds("promtool", "test", "rules", file);
});

test("MonitoringBlind tells once where the API server answers no question about objects, or nobody asks", () => {
  const asked = ["NetworkPolicies of k3k-acme", "NetworkPolicies of k3k-blue"].map((object) =>
    ofProbe("walls", object),
  );
  const unanswered = asked.flatMap((labels) => [
    { series: `probe_success{${labels}}`, values: "0x60" },
    { series: `probe_failed_due_to_cel{${labels}}`, values: "0x60" },
  ]);
  const unasked = asked.map((labels) => ({ series: `up{${labels}}`, values: "0x60" }));
  const { severity, runbook } = alertRules.find(({ alert }) => alert === "MonitoringBlind") ?? assert.fail();
  const exp_alerts = [
    {
      exp_labels: { job: "walls", instance: "the API server", severity },
      exp_annotations: {
        summary: "walls of the API server has not been heard of for half an hour: its alerts cannot fire",
        runbook,
      },
    },
  ];
  const tests = [unanswered, unasked].map((input_series) => ({
    interval: "1m",
    input_series,
    alert_rule_test: [
      { eval_time: "29m", alertname: "MonitoringBlind", exp_alerts: [] },
      { eval_time: "31m", alertname: "MonitoringBlind", exp_alerts },
    ],
  }));
  succeeds(
    "promtool",
    "test",
    "rules",
    write("blind.json", { rule_files: ["rules.json"], evaluation_interval: "1m", tests }),
  );
});

test("the intervals of backups are those of the schedules", () => {
  const backups = schedules.filter(({ task }) => task === "backup").map(({ name }) => name);
  assert.deepEqual(Object.keys(backupIntervals), backups);
  const weekly = alertRules.find(({ alert }) => alert === "BackupLate");
  assert.ok(weekly?.expr.includes(`> ${7 * 24 * 3600 * lateAfterIntervals} and`), weekly?.expr);
});

test("Prometheus accepts its rules and its configuration", () => {
  const history = { days: 7, gibibytes: 1 };
  for (const given of [watched, []]) {
    const config = prometheusConfig({ tenants: given, objects: given === watched ? objects : [], history });
    // Its files are in the pod.
    succeeds(
      "promtool",
      "check",
      "config",
      "--syntax-only",
      write("prometheus.json", { ...config, rule_files: ["rules.json"] }),
    );
  }
  succeeds("promtool", "check", "rules", "--lint=all", "--lint-fatal", "rules.json");
  succeeds("promtool", "check", "rules", "--lint=all", "--lint-fatal", write("with-tenants.json", ruleFile(watched)));
});

test("what an alert fires for is kept by the job that asks for it", () => {
  for (const [alert, { fires }] of Object.entries(examples)) {
    for (const series of Object.keys(fires)) {
      assert.ok(isKept(series), `${alert}: ${series}`);
    }
  }
});

test("of what an API server and the containers publish, little is kept", () => {
  const rows: readonly (readonly [job: string, series: string, kept: boolean])[] = [
    ["apiserver", 'apiserver_request_total{code="503",verb="GET",resource="leases"}', true],
    ["apiserver", 'apiserver_request_total{code="200",verb="GET",resource="leases"}', false],
    ["apiserver", 'apiserver_request_total{code="404",verb="GET",resource="leases"}', false],
    [
      "apiserver",
      'apiserver_flowcontrol_dispatched_requests_total{flow_schema="exempt",priority_level="exempt"}',
      true,
    ],
    [
      "apiserver",
      'etcd_request_duration_seconds_bucket{operation="update",group="coordination.k8s.io",resource="leases",le="1.0"}',
      true,
    ],
    ["apiserver", 'etcd_request_duration_seconds_bucket{operation="list",group="",resource="pods",le="1.0"}', false],
    [
      "apiserver",
      'apiserver_validating_admission_policy_check_total{policy="kraft-tenant-pods",enforcement_action="warn"}',
      false,
    ],
    [
      "apiserver",
      'apiserver_validating_admission_policy_check_total{policy="of-somebody-else",enforcement_action="deny"}',
      false,
    ],
    ["apiserver", 'apiserver_client_certificate_expiration_seconds_bucket{le="604800.0"}', true],
    ["apiserver", 'apiserver_client_certificate_expiration_seconds_bucket{le="2592000.0"}', false],
    ["apiserver", 'apiserver_request_duration_seconds_bucket{le="1.0"}', false],
    ["containers", 'container_start_time_seconds{namespace="traefik",pod="traefik-1",container="traefik"}', true],
    ["containers", 'container_start_time_seconds{namespace="k3k-acme",pod="web",container="web"}', false],
    ["containers", 'pod_memory_working_set_bytes{namespace="k3k-acme",pod="web-0-default-acme-1a2b"}', true],
    ["containers", 'pod_memory_working_set_bytes{namespace="k3k-acme",pod="k3k-acme-server-0"}', false],
    ["containers", 'pod_memory_working_set_bytes{namespace="k3k-acme",pod="k3k-acme-kubelet-x7k2p"}', false],
    ["containers", 'pod_memory_working_set_bytes{namespace="k3k-acme",pod="coredns-5-x-kube-system-acme-1a2b"}', false],
    ["containers", 'pod_memory_working_set_bytes{namespace="monitoring",pod="prometheus-1"}', false],
  ];
  for (const [job, series, expected] of rows) {
    assert.equal(keeps(kept.get(job) ?? assert.fail(job), labelsOf(series)), expected, series);
  }
});

test("the rules know what each tenant may use", () => {
  const [allowances] = ruleFile(watched).groups;
  assert.deepEqual(
    allowances?.rules,
    [
      ["memory", 4 * 1024 ** 3],
      ["pods", 30],
      ["storage", 50 * 1024 ** 3],
    ].map(([resource, amount]) => ({
      record: "kraft_tenant_allowance",
      expr: `vector(${amount})`,
      labels: { tenant: "acme", namespace: "k3k-acme", resource },
    })),
  );
});

test("Alertmanager accepts every combination of targets", () => {
  const ntfy = "https://ntfy.example/topic";
  const email = { to: "a@b.example", from: "c@d.example", server: "smtp.example:587" };
  const all = { ntfyToken: true, emailPassword: true, webhookToken: true };
  for (const [targets, secrets] of [
    [{ ntfy }, {}],
    [{ email }, {}],
    [{ webhook: "https://hook.example/x" }, {}],
    [{ ntfy, heartbeat: "https://hc.example/x" }, { ntfyToken: true }],
    [
      { ntfy, email: { ...email, user: "eva" }, webhook: "https://hook.example/x", heartbeat: "https://hc.example/x" },
      all,
    ],
  ] as const) {
    succeeds("amtool", "check-config", write("alertmanager.json", alertmanagerConfig(targets, secrets)));
  }
});

test("a heartbeat goes to nobody else, and everything else to the operator", () => {
  const config = { ntfy: "https://ntfy.example/topic", heartbeat: "https://hc.example/x" };
  const file = write("routes.json", alertmanagerConfig(config));
  const routed = (...labels: readonly string[]) =>
    spawnSync(toolPath(tools, "amtool"), ["config", "routes", "test", `--config.file=${file}`, ...labels], {
      encoding: "utf8",
    }).stdout.trim();
  assert.equal(routed("alertname=Heartbeat", "severity=none"), "heartbeat");
  assert.equal(routed("alertname=NodeGone", "severity=critical", "node=optiplex-1"), "operator");
  assert.equal(routed("alertname=KraftTest", "run=1"), "test");
});

test("what the blackbox exporter counts as an answer is everything but an error of the server", () => {
  const { guest, site } = probeConfig().modules;
  assert.deepEqual(guest.http.valid_status_codes, [200, 401, 403]);
  const codes = new Set(site.http.valid_status_codes);
  assert.deepEqual(
    [200, 302, 404, 499, 500, 502, 503].map((code) => codes.has(code)),
    [true, true, true, true, false, false, false],
  );
});
