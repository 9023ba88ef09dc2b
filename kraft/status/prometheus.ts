import type { Status } from "./report.ts";

interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * A status in Prometheus' text format, for the textfile collector of node_exporter. Times are seconds since 1970; 0 is
 * never, so that a rule on their age finds that too. Names are added, never renamed or taken away.
 */
export function statusMetrics(status: Status): string {
  const { backups, problems, tenants } = status;
  return [
    metric("kraft_status_timestamp_seconds", "When the cluster was asked.", [{ value: seconds(status.at) }]),
    metric("kraft_status_problems", "Things that are wrong.", [{ value: problems.length }]),
    metric("kraft_backup_target_available", "Whether Longhorn can reach the backup target.", [
      { value: backups.target?.available === true ? 1 : 0 },
    ]),
    metric(
      "kraft_tenant_last_proven_restorable_timestamp_seconds",
      "When the tenant's backups were last restored and read to the end.",
      tenants.map(({ name, lastProvenRestorableAt }) => ({
        labels: { tenant: name },
        value: seconds(lastProvenRestorableAt),
      })),
    ),
    metric(
      "kraft_tenant_last_backup_timestamp_seconds",
      "The last backup of the tenant's volume for which it is longest ago.",
      tenants.flatMap(({ name }) => {
        const times = backups.volumes
          .filter(({ tenant }) => tenant === name)
          .map((volume) => seconds(volume.lastBackupAt));
        return times.length === 0 ? [] : [{ labels: { tenant: name }, value: Math.min(...times) }];
      }),
    ),
    metric(
      "kraft_volume_last_backup_timestamp_seconds",
      "The last backup of a volume.",
      backups.volumes.map(({ name, tenant, claim, lastBackupAt }) => ({
        labels: { tenant: tenant ?? "", claim: claim ?? "", volume: name },
        value: seconds(lastBackupAt),
      })),
    ),
  ].join("");
}

function metric(name: string, help: string, samples: readonly Sample[]): string {
  const lines = samples.map(({ labels = {}, value }) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
    return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}\n`;
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${lines.join("")}`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function seconds(time: string | null): number {
  return time === null ? 0 : Math.floor(Date.parse(time) / 1000);
}
