import { reservedTenantNames, tenantNameLimit, tenantNamePattern } from "../../../components/plan/names.ts";
import { type Problem, show } from "../../../errors/problem.ts";

/** Every tenant's name must be usable, unhashed, in every name that K3k and Longhorn derive from it. */
export function tenantNameProblems(names: readonly string[]): Problem[] {
  return names.flatMap((name) => {
    const problem = (allowed: string, fix: string) => [
      { key: `kraft:tenants.${name}`, found: show(name), allowed, fix },
    ];
    if (!tenantNamePattern.test(name)) {
      return problem(
        "lower-case letters and digits, a letter first; no hyphen, since Traefik joins names with hyphens",
        "rename the tenant, for example " + suggestion(name),
      );
    }
    if (name.length > tenantNameLimit) {
      return problem(
        `at most ${tenantNameLimit} characters; K3k's claim varlibrancherk3s-k3k-<name>-server-0 must fit 63`,
        `shorten it by ${name.length - tenantNameLimit}`,
      );
    }
    if (reservedTenantNames.has(name)) {
      return problem(`any name but ${[...reservedTenantNames].join(", ")}`, "choose the tenant's own name");
    }
    return [];
  });
}

function suggestion(name: string): string {
  const letters = name
    .toLowerCase()
    .replace(/[^a-z0-9]/g, "")
    .replace(/^[0-9]+/, "");
  return letters === "" ? "acme" : letters.slice(0, tenantNameLimit);
}
