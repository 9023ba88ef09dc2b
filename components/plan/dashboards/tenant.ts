import { backupAge, certificateDays, certificateLeft, usedAllowance, volumeLeft } from "../monitoring/figures.ts";
import { allowanceSeries } from "../monitoring/parts.ts";
import { tenantNames } from "../names.ts";
import { allOrRed, bars, limits, lines, number, page, timeline } from "./panels.ts";

/** Grafana's variable, which the reader chooses. */
const tenant = "$tenant";
const namespace = `namespace="${tenantNames(tenant).namespace}"`;
const sites = `{job="sites",tenant="${tenant}"}`;
const volumes = `{pvc_namespace="${tenantNames(tenant).namespace}"}`;
const day = 24 * 3600;

/** One tenant on one page. Nothing of it is in the tenant's reach. */
export const tenantPage = page({
  uid: "kraft-tenant",
  title: "One tenant",
  description: "Allowance, pods, volumes, backups and sites of one tenant",
  past: "24h",
  choice: { label: "tenant", series: allowanceSeries },
  panels: [
    number({
      title: "Guest",
      description: "Whether the guest answers at its name",
      size: [6, 4],
      queries: { guest: `min(probe_success{job="guests",tenant="${tenant}"})` },
      unit: "number",
      limits: allOrRed,
      states: { 0: "no answer", 1: "answers" },
    }),
    number({
      title: "Sites",
      description: "Hosts of the tenant's Ingresses that answer by https",
      size: [6, 4],
      queries: { sites: `avg(probe_success${sites})` },
      unit: "part",
      limits: allOrRed,
      none: "no site",
    }),
    number({
      title: "Next certificate ends in",
      description: "Of all that the sites show. cert-manager renews with a third of the time left.",
      size: [6, 4],
      queries: { left: `min(${certificateLeft(sites)})` },
      unit: "seconds",
      limits: [
        [null, "red"],
        [certificateDays * day, "green"],
      ],
      none: "no site",
    }),
    number({
      title: "Oldest last backup",
      description: "Of the volumes that were ever backed up",
      size: [6, 4],
      queries: { age: `max(${backupAge(volumes)})` },
      unit: "seconds",
      none: "none was made",
    }),
    bars({
      title: "Allowance",
      description: "What runs and is mounted, of what the tenant may have. AllowanceNearlyUsed tells from 90 % on.",
      size: [12, 7],
      queries: { "{{resource}}": usedAllowance(`{tenant="${tenant}"}`) },
      unit: "part",
      limits: limits(0.75, 0.9),
    }),
    bars({
      title: "Last backup",
      description: "How long ago, for each volume. The page of the backups compares it with its schedule.",
      size: [12, 7],
      queries: { "{{pvc}}": backupAge(volumes) },
      unit: "seconds",
      none: "none was made",
    }),
    lines({
      title: "Memory of pods",
      description: "What each of the tenant's own pods uses",
      size: [12, 8],
      queries: { "{{pod}}": `sum by (pod) (pod_memory_working_set_bytes{${namespace}})` },
      unit: "bytes",
      none: "no pod runs",
    }),
    lines({
      title: "Volumes",
      description: "How full each mounted volume is. VolumeFull tells from 90 % on.",
      size: [12, 8],
      queries: {
        "{{persistentvolumeclaim}}": `1 - (${volumeLeft} and on (namespace) ${allowanceSeries}{${namespace}})`,
      },
      unit: "part",
      limits: limits(0.75, 0.9),
      none: "no volume is mounted",
    }),
    timeline({
      title: "Sites",
      description: "Asked by name at Traefik, from inside of the cluster",
      size: [12, 7],
      queries: { "{{host}}": `min by (host) (probe_success${sites})` },
      unit: "number",
      limits: allOrRed,
      none: "no site",
      states: { 0: "no answer", 1: "answers" },
    }),
    bars({
      title: "Certificates end in",
      description: "The certificate that each site shows. CertificateNotRenewed tells below ten days.",
      size: [12, 7],
      queries: { "{{host}}": `min by (host) (${certificateLeft(sites)})` },
      unit: "seconds",
      limits: [
        [null, "red"],
        [certificateDays * day, "green"],
      ],
      none: "no site",
    }),
    timeline({
      title: "What was told of this tenant",
      description: "Alerts while they fired",
      size: [24, 6],
      queries: { "{{alertname}}": `max by (alertname) (ALERTS{alertstate="firing",tenant="${tenant}"})` },
      unit: "number",
      limits: [[null, "red"]],
      none: "nothing",
      states: { 1: "fires" },
    }),
  ],
});
