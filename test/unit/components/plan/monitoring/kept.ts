import { hostMutations, hostPolicies } from "../../../../../components/plan/admission/policies.ts";
import { objectProbes } from "../../../../../components/plan/monitoring/object-probes.ts";
import { prometheusConfig } from "../../../../../components/plan/monitoring/scrapes.ts";
import { denyEverything } from "../../../../../components/plan/network/policy.ts";
import { tenantAllowance } from "../../../../../components/plan/size.ts";

interface Relabelling {
  readonly source_labels: readonly string[];
  readonly regex: string;
  readonly action: string;
}

/** A tenant that is watched. */
export const watched = [
  { tenant: "acme", namespace: "k3k-acme", apiHost: "acme.api.kraft.example", allowance: tenantAllowance("small") },
];

/** What is asked about a house with this tenant. */
export const objects = objectProbes({
  boundaries: [{ namespace: "k3k-acme", tenant: "acme", policies: [denyEverything] }],
  tenants: [{ name: "acme", domains: ["acme.example"] }],
  admission: hostPolicies({ ingressClassName: "traefik", issuerName: "kraft-issuer" }),
  mutating: hostMutations,
});

/** Whether a job keeps a series; Prometheus anchors its expressions. */
export function keeps(rules: readonly Relabelling[], labels: Readonly<Record<string, string>>): boolean {
  return rules.every(({ source_labels, regex, action }) => {
    const value = source_labels.map((label) => labels[label] ?? "").join(";");
    return new RegExp(`^(?:${regex})$`).test(value) === (action === "keep");
  });
}

/** The labels of a series as it is written, its name among them. */
export function labelsOf(series: string): Readonly<Record<string, string>> {
  const [name = "", rest = ""] = series.split("{");
  const pairs = [...rest.matchAll(/([a-z_]+)="([^"]*)"/g)].map(([, label = "", value = ""]) => [label, value] as const);
  return { __name__: name, ...Object.fromEntries(pairs) };
}

/** What each job that does not keep everything keeps. */
export const kept = new Map(
  prometheusConfig({ tenants: watched, objects, history: { days: 7, gibibytes: 1 } }).scrape_configs.flatMap((job) =>
    "metric_relabel_configs" in job
      ? [[job.job_name, job.metric_relabel_configs as readonly Relabelling[]] as const]
      : [],
  ),
);

/** Series that no job keeps or leaves out: Prometheus makes them itself, and of answers of guests and sites all is kept. */
const ofNoJob = new Set([
  "up",
  "ALERTS",
  "kraft_tenant_allowance",
  // Of blackbox_exporter 0.28.0: prober/handler.go and prober/http.go.
  "probe_success",
  "probe_ssl_earliest_cert_expiry",
]);

/** Whether Prometheus has a series: its job keeps it, or exactly one where it names none, or none has to. */
export function isKept(series: string): boolean {
  const labels = labelsOf(series);
  const own = kept.get(labels["job"] ?? "");
  return (
    ofNoJob.has(labels["__name__"] ?? "") ||
    (own === undefined ? [...kept.values()].filter((rules) => keeps(rules, labels)).length === 1 : keeps(own, labels))
  );
}
