import { type Problem, show } from "../../../errors/problem.ts";
import type { Config } from "../schema.ts";

/** The date that confirms a purge belongs to a tenant that is purged, and to no other. */
export function purgeDateProblems({ tenants = {} }: Partial<Config>): Problem[] {
  return Object.entries(tenants).flatMap(([name, { state, purge }]) =>
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
