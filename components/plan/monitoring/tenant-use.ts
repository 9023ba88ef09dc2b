import { tenantNames } from "../names.ts";
import { readable } from "../size.ts";
import { reportKey, reportNamespace, useMinutes, useName } from "../tenant-terms.ts";
import { usedSeries } from "./figures.ts";
import { monitoringNamespace, ports, services } from "./parts.ts";
import type { TenantAllowance } from "./rules.ts";

/**
 * What each tenant uses, as Prometheus itself writes it: a console template, which it fills in whenever somebody asks for it.
 * The answer is manifests of Secrets, in which there is the manifest of a ConfigMap that K3s applies in the guest.
 */

/** The folder of console templates in Prometheus' pod, and the one file in it. */
export const consoleFolder = "/etc/prometheus-consoles";
export const useTemplateFile = `${useName}.yaml`;

/** Where Prometheus answers with it. */
export const useUrl = `http://${services.prometheus}.${monitoringNamespace}.svc:${ports.prometheus}/consoles/${useTemplateFile}`;

/** The key of a guest's addons, which is the name of the file that K3s applies. */
export const useFile = `${useName}.yaml`;

/**
 * What is around the text in the file, which is JSON: with no quotation mark in the text, nothing in it can end up beside it.
 * Spaces make its length one that three divides (`base64Pattern`).
 */
export const useFrame = {
  before: padded(
    `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"${useName}","namespace":"${reportNamespace}"},"data":{"${reportKey}":"`,
  ),
  after: '"}}',
} as const;

function padded(text: string): string {
  return `{${" ".repeat((3 - (text.length % 3)) % 3)}${text.slice(1)}`;
}

/** How many sites a tenant is told of at most, those whose certificates end first: Ingresses can name thousands. */
const mostSites = 25;

/** A line break in a string of JSON: the whole text is one line of the template. */
const end = String.raw`\n`;

/** What is left of a name: the names of claims and hosts have no other letters. */
const clean = 'reReplaceAll "[^A-Za-z0-9.*_-]" "?"';

/** Lines of what a query finds, and what there is instead where it finds nothing. */
function lines(query: string, line: string, otherwise: string, sortedBy?: string): string {
  const sorted = sortedBy === undefined ? "" : ` | sortByLabel "${sortedBy}"`;
  return `{{ range query \`${query}\`${sorted} }}  ${line}${end}{{ else }}  ${otherwise}${end}{{ end }}`;
}

/** The text for one tenant. Every query names the tenant or its namespace. */
function textFor({ tenant, namespace, allowance }: TenantAllowance): string {
  const allowed = readable(allowance);
  const inNamespace = `namespace="${namespace}"`;
  const used = usedSeries(inNamespace);
  const sites = `job="sites",tenant="${tenant}"`;
  const { datastoreClaim } = tenantNames(tenant);
  // The host's name of a claim is that of the guest, its namespace, the guest's name and digits (`syncedName`).
  const claim = (label: string): string =>
    `{{ if eq .Labels.${label} "${datastoreClaim}" }}the objects of the cluster{{ else }}` +
    `{{ .Labels.${label} | reReplaceAll "-${tenant}-[0-9a-f]+(-[0-9a-f]{5,6})?$" "" | ${clean} }}{{ end }}`;
  const time = (layout: string): string => `{{ (toTime .Value).Format "${layout}" }}`;
  const unknown = "no figures at the moment";
  return [
    `Measured at {{ (toTime now).Format "2006-01-02 15:04" }} UTC, and every ${useMinutes} minutes.`,
    "",
    "Used of what your own pods and volumes may use together, or more: only what runs and is mounted is counted",
  ]
    .map((line) => line + end)
    .concat(
      lines(used.memory, `memory: {{ humanize1024 .Value }}B of ${allowed.memory}`, `memory: ${unknown}`),
      lines(used.storage, `volumes: {{ humanize1024 .Value }}B of ${allowed.storage}`, "volumes: none is mounted"),
      lines(used.pods, `pods: {{ printf "%.0f" .Value }} of ${String(allowed.pods)}`, `pods: none runs`),
      end,
      `Volumes that are mounted: claim and namespace, and how full${end}`,
      lines(
        `100 * (1 - min by (persistentvolumeclaim) (kubelet_volume_stats_available_bytes{${inNamespace}} / kubelet_volume_stats_capacity_bytes{${inNamespace}}))`,
        `${claim("persistentvolumeclaim")}: {{ printf "%.0f" .Value }} %`,
        "none",
        "persistentvolumeclaim",
      ),
      end,
      `Last backup of each volume, in UTC${end}`,
      lines(
        `max by (pvc) (longhorn_volume_last_backup_at{pvc_namespace="${namespace}"})`,
        `${claim("pvc")}: {{ if eq .Value 0.0 }}none yet{{ else }}${time("2006-01-02 15:04")}{{ end }}`,
        unknown,
        "pvc",
      ),
      end,
      `Certificates of your sites, the first to end above; each is renewed before by itself${end}`,
      lines(
        `sort(bottomk(${mostSites}, min by (host) (probe_ssl_earliest_cert_expiry{${sites}})))`,
        `{{ .Labels.host | ${clean} }}: until ${time("2006-01-02")}`,
        "none",
      ),
      end,
      `Sites that do not answer, or with an error of the server${end}`,
      lines(
        `topk(${mostSites}, min by (host) (probe_success{${sites}}) == 0)`,
        `{{ .Labels.host | ${clean} }}`,
        "none",
        "host",
      ),
    )
    .join("");
}

/** The template: one Secret for each tenant, of which it writes one key. */
export function useTemplate(tenants: readonly TenantAllowance[]): string {
  return tenants
    .map((tenant) => {
      const { addonsSecret, namespace } = tenantNames(tenant.tenant);
      return `---
apiVersion: v1
kind: Secret
metadata: { name: ${addonsSecret}, namespace: ${namespace} }
stringData:
  ${useFile}: |-
    ${useFrame.before}${textFor(tenant)}${useFrame.after}
`;
    })
    .join("");
}
