import type { Config } from "../schema.ts";
import { show, type Problem } from "../../../errors/problem.ts";

/** A confirmation stands beside the state that it confirms, and beside no other. */
export function tenantStateProblems(tenants: Config["tenants"]): Problem[] {
  return Object.entries(tenants).flatMap(([name, { state = "active", purge }]) =>
    purge === undefined || state === "purged"
      ? []
      : [
          {
            key: `kraft:tenants.${name}.purge`,
            found: `${show(purge)}, and state ${state}`,
            allowed: "a day only beside `state: purged`",
            fix: "remove it",
          },
        ],
  );
}
