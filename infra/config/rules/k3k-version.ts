import { type Problem, show } from "../../../errors/problem.ts";
import { k3kReleases } from "../../versions.ts";
import type { Config } from "../schema.ts";

/** A version of K3k must be one whose defects are known to Kraft. */
export function k3kVersionProblems({ k3kVersion }: Partial<Config>): Problem[] {
  const known = k3kReleases.map(({ version }) => version);
  return k3kVersion === undefined || known.includes(k3kVersion)
    ? []
    : [
        {
          key: "kraft:k3kVersion",
          found: show(k3kVersion),
          allowed: known.join(", "),
          fix: "remove the key to run the stack's own version",
        },
      ];
}
