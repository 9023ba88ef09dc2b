import type { Problem } from "../../../errors/problem.ts";
import type { Config } from "../schema.ts";

/** A first installation is asked for only until there is a cluster. */
export function clusterInitProblems({ machines, cluster }: Partial<Config>): Problem[] {
  return machines?.clusterInit === true && cluster !== undefined
    ? [
        {
          key: "kraft:machines.clusterInit",
          found: "true, although kraft:cluster.uid names a cluster",
          allowed: "true only until the first cluster exists: a machine that was reinstalled would start another one",
          fix: "take the key out",
        },
      ]
    : [];
}
