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
    if (platform !== undefined && overlap(domain, platform)) {
      return problem(`a domain outside the platform's own, ${platform}`, "use a domain that the tenant owns");
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

/** Whether one of two domains is the other or lies inside it. */
function overlap(one: string, other: string): boolean {
  return one === other || one.endsWith(`.${other}`) || other.endsWith(`.${one}`);
}

/** The domain itself and all of its parents. */
function ancestors(domain: string): string[] {
  const labels = domain.split(".");
  return labels.map((_, index) => labels.slice(index).join("."));
}
