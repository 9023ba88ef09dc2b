import { getDomain } from "tldts";
import { objectQuota, tenantAllowance } from "../../components/plan/size.ts";
import { listIf, type Warning } from "../../errors/problem.ts";
import type { Model, Tenant } from "../model.ts";
import type { Table } from "../table.ts";

/** Let's Encrypt's directories (letsencrypt.org/docs). */
export const letsEncrypt: Readonly<Record<"production" | "staging", string>> = {
  production: "https://acme-v02.api.letsencrypt.org/directory",
  staging: "https://acme-staging-v02.api.letsencrypt.org/directory",
};

/**
 * New certificates that Let's Encrypt issues for one registered domain in seven days, all accounts together; renewals do
 * not count (letsencrypt.org/docs/rate-limits). Staging's limit is far higher.
 */
export const certificatesPerWeek = 50;

export type Subject = Pick<Model, "issuer" | "tenants">;

/** Certificates that a tenant may have at once. */
function quota({ size, quota }: Tenant): number {
  return Number(objectQuota(tenantAllowance(size, quota), {}).hard["count/certificates.cert-manager.io"]);
}

/**
 * The demand by registered domain: the name under a public suffix, private ones included, as Let's Encrypt counts it.
 */
export function demands(tenants: readonly Tenant[]) {
  const owners = tenants.flatMap((tenant) =>
    [...new Set(tenant.domains.map((domain) => getDomain(domain, { allowPrivateDomains: true }) ?? domain))].map(
      (domain) => ({ domain, tenant }),
    ),
  );
  return [...Map.groupBy(owners, ({ domain }) => domain)]
    .map(([domain, claims]) => ({
      domain,
      tenants: claims.map(({ tenant }) => tenant.name).sort(),
      // The sum of the quotas: deleting and requesting again is not counted.
      certificates: claims.reduce((total, { tenant }) => total + quota(tenant), 0),
    }))
    .sort((a, b) => (a.domain < b.domain ? -1 : 1));
}

/** Empty unless certificates come from Let's Encrypt's production, whose limits these are. */
function counted({ issuer, tenants }: Subject) {
  return issuer.directory === letsEncrypt.production ? demands(tenants) : [];
}

export function certificateTables(subject: Subject): Table[] {
  const rows = counted(subject);
  return listIf(rows.length > 0, {
    title: `Certificates: Let's Encrypt issues ${certificatesPerWeek} new ones a week for a registered domain`,
    rows: [
      ["registered domain", "tenants", "could ask for"],
      ...rows.map(({ domain, tenants, certificates }) => [domain, tenants.join(", "), String(certificates)]),
    ],
  });
}

/** Tenants who could use up each other's limit. */
export function certificateWarnings(subject: Subject): Warning[] {
  return counted(subject)
    .filter(({ certificates }) => certificates > certificatesPerWeek)
    .map(({ domain, tenants, certificates }) => ({
      key: `certificates, ${domain}`,
      message:
        `${tenants.join(", ")} share this registered domain and could ask for ${certificates} certificates; ` +
        `Let's Encrypt issues ${certificatesPerWeek} new ones a week for it, so one of them can stop the others`,
    }));
}
