import { getPublicSuffix } from "tldts";
import { type Problem, show } from "../../../errors/problem.ts";
import type { ParsedConfig } from "../parse.ts";

/**
 * Every domain belongs to one tenant with all its subdomains, and none is the platform's: an Ingress may use any name
 * under its tenant's domains, so an overlap would let one tenant answer for the other.
 */
export function domainProblems(owners: ParsedConfig["claims"], platform: string | undefined): Problem[] {
  const claims = owners.flatMap(({ name, domains }) =>
    domains.map((domain, index) => ({ tenant: name, domain, key: `kraft:tenants.${name}.domains[${index}]` })),
  );
  const byDomain = Map.groupBy(claims, ({ domain }) => domain);

  return claims.flatMap(({ tenant, domain, key }) => {
    const problem = (allowed: string, fix: string): Problem[] => [{ key, found: show(domain), allowed, fix }];
    if (platform !== undefined && ancestors(domain).includes(platform)) {
      return problem(
        `a domain outside the platform's own, ${platform}`,
        `use a domain that the tenant owns; to give away names under ${platform}, set kraft:domain to another one, such as cluster.${platform}`,
      );
    }
    if (platform !== undefined && ancestors(platform).includes(domain)) {
      return problem(
        `a domain that does not cover the platform's own, ${platform}`,
        `name the one under it that the tenant needs, for example ${tenant}.${domain}`,
      );
    }
    // Private suffixes such as github.io count: whoever holds one answers for all who have a name under it.
    if (getPublicSuffix(domain, { allowPrivateDomains: true }) === domain) {
      return problem(
        "a registered domain, not a public suffix that many share",
        `name the one under it, for example ${tenant}.${domain}`,
      );
    }
    const rivals = ancestors(domain).flatMap((name) => (byDomain.get(name) ?? []).filter((claim) => claim.key !== key));
    return rivals.flatMap((rival) => {
      if (rival.tenant === tenant && rival.domain === domain && rival.key > key) {
        return [];
      }
      const relation = rival.domain === domain ? "claimed as well by" : `inside ${rival.domain} of`;
      return [
        {
          key,
          found: `${show(domain)}, ${relation} ${rival.key}`,
          allowed: "a domain that is no other's, not inside one and not around one",
          fix:
            rival.tenant === tenant
              ? "remove it: the other entry covers it"
              : "leave it with the tenant who owns it, and remove it here or there",
        },
      ];
    });
  });
}

/** The domain itself and all of its parents. */
export function ancestors(domain: string): string[] {
  const labels = domain.split(".");
  return labels.map((_, index) => labels.slice(index).join("."));
}
