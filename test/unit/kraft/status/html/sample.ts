import { validate } from "../../../../../infra/config/validate.ts";
import { type Figures, figuresOf } from "../../../../../kraft/status/html/capacity.ts";
import type { Status, StatusProblem, TenantStatus, VolumeStatus } from "../../../../../kraft/status/report.ts";
import { stacks } from "../../../../../stacks/index.ts";
import { stackFile } from "../../../../fixtures/stack-file.ts";

const at = "2026-11-23T12:00:00.000Z";

function hours(count: number): string {
  return new Date(Date.parse(at) + count * 3_600_000).toISOString();
}

function tenant(name: string, changes: Partial<TenantStatus> = {}): TenantStatus {
  return {
    name,
    declared: true,
    state: "active",
    awaitedFrom: null,
    movedTo: null,
    phase: "Ready",
    quota: {
      cpu: { used: "500m", hard: "2" },
      memory: { used: "1Gi", hard: "4Gi" },
      storage: { used: "10Gi", hard: "55Gi" },
      pods: { used: "30", hard: "30" },
    },
    lastProvenRestorableAt: hours(-500),
    kubeconfigEndsAt: hours(2000),
    ...changes,
  };
}

function volume(name: string, changes: Partial<VolumeStatus> = {}): VolumeStatus {
  return {
    name,
    tenant: "acme",
    namespace: "k3k-acme",
    claim: "shop/data-postgresql-0",
    bytes: 5 * 1024 ** 3,
    state: "attached",
    robustness: "healthy",
    standby: false,
    lastBackupAt: hours(-11),
    backupEveryHours: 24,
    ...changes,
  };
}

/** A status in which there is nothing wrong, and one of everything. */
export const well: Status = {
  stack: "homelab",
  cluster: { context: "kraft-homelab", uid: "0c9e6679-7425-40de-944b-e07fc1f90ae7" },
  at,
  ok: true,
  nodes: ["optiplex-1", "optiplex-2", "optiplex-3"].map((name) => ({
    name,
    present: true,
    ready: true,
    schedulable: true,
    version: "v1.35.6+k3s1",
  })),
  platform: [
    { namespace: "cert-manager", kind: "Deployment", name: "cert-manager", ready: 2, wanted: 2 },
    { namespace: "longhorn-system", kind: "DaemonSet", name: "longhorn-manager", ready: 3, wanted: 3 },
  ],
  tenants: [tenant("acme"), tenant("blue", { lastProvenRestorableAt: null, kubeconfigEndsAt: null })],
  backups: {
    target: { url: "s3://kraft-backup@eu-central-2/homelab/", available: true, lastSyncedAt: hours(-0.05) },
    schedules: [
      { name: "backup-daily", present: true, task: "backup", cron: "45 0 * * *", groups: ["standard"], retain: 30 },
    ],
    volumes: [
      volume("pvc-1"),
      volume("pvc-2", { claim: "datastore" }),
      volume("pvc-3", {
        tenant: "blue",
        namespace: "k3k-blue",
        standby: true,
        lastBackupAt: null,
        backupEveryHours: null,
      }),
      volume("pvc-4", { tenant: null, namespace: "default", claim: "default/scratch", state: "detached" }),
    ],
  },
  certificates: [
    {
      namespace: "k3k-acme",
      name: "shop-tls",
      hosts: ["shop.acme.example", "www.acme.example"],
      ready: true,
      notAfter: hours(24 * 60),
    },
    { namespace: "k3k-blue", name: "blue-tls", hosts: ["blue.example"], ready: true, notAfter: hours(24 * 85) },
  ],
  problems: [],
  notes: [],
};

const problems: readonly StatusProblem[] = [
  { subject: "node optiplex-2", message: "MemoryPressure: little is left", severity: "warning" },
  { subject: "node optiplex-3", message: "is not ready: Kubelet stopped posting node status.", severity: "critical" },
  { subject: "Deployment cert-manager/cert-manager", message: "1 of 2 ready", severity: "warning" },
  {
    subject: "tenant acme",
    message: "its backups were last proven restorable 91 days ago: npx kraft drill acme",
    severity: "warning",
  },
  { subject: "tenant blue", message: "its Cluster is Provisioning, not Ready", severity: "critical" },
  { subject: "volume datastore of acme", message: "degraded: a copy is missing", severity: "warning" },
  { subject: "volume datastore of acme", message: "last backup 37 h ago, due every 24 h", severity: "critical" },
  { subject: "volume default/scratch of default", message: "no schedule makes backups of it", severity: "critical" },
  { subject: "certificate k3k-acme/shop-tls", message: "EXPIRED 3 h ago", severity: "critical" },
  { subject: "certificate k3k-acme/new-tls", message: "is not ready: issuing", severity: "warning" },
  { subject: "issuer kraft-issuer", message: "is not ready: no account", severity: "warning" },
];

/** The same home on a bad day. */
export const bad: Status = {
  ...well,
  ok: false,
  nodes: well.nodes.map((node) => (node.name === "optiplex-3" ? { ...node, ready: false, schedulable: false } : node)),
  tenants: [
    tenant("acme"),
    tenant("blue", {
      phase: "Provisioning",
      lastProvenRestorableAt: null,
      quota: { cpu: null, memory: { used: "lots", hard: "4Gi" }, storage: null, pods: { used: "40", hard: "30" } },
    }),
    tenant("coral", { phase: null, awaitedFrom: "proliant" }),
  ],
  backups: {
    ...well.backups,
    target: null,
    volumes: well.backups.volumes.map((one) =>
      one.name === "pvc-2" ? { ...one, robustness: "degraded", lastBackupAt: hours(-37) } : one,
    ),
  },
  certificates: [
    { namespace: "k3k-acme", name: "shop-tls", hosts: ["shop.acme.example"], ready: false, notAfter: hours(-3) },
    { namespace: "k3k-acme", name: "new-tls", hosts: ["new.acme.example"], ready: false, notAfter: null },
    { namespace: "k3k-blue", name: "blue-tls", hosts: ["blue.example"], ready: true, notAfter: hours(24 * 85) },
  ],
  problems,
  notes: [{ subject: "tenant coral", message: "is moving here from proliant: npx kraft move coral -s homelab" }],
};

/** What a stack file says, the valid one by default, with these keys in it. */
export function figures(changed: Readonly<Record<string, unknown>> = {}): Figures {
  const { raw } = stackFile();
  return figuresOf(validate("homelab", stacks, { ...raw, values: { ...raw.values, ...changed } }));
}

export const prices = { currency: "EUR", perKilowattHour: 0.35, wasabiPerTerabyteMonth: 7.99 };
