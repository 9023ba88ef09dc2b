import { namespaceWaitSeconds } from "../../components/plan/lifecycle.ts";
import { listIf, type Warning } from "../../errors/problem.ts";
import type { Model } from "../model.ts";
import { hoursText } from "./backup-window.ts";
import { secondsPerHour } from "./figures.ts";

/** Namespaces of the platform and of Kubernetes: K3k goes through all there are. */
const otherNamespaces = 10;

/**
 * Seconds for each new tenant and each namespace of the cluster. K3k's policy controller sends three requests for every
 * namespace whenever it looks at a tenant, and five in a second at most. Measured: 17 more tenants beside 13 took 228 s on
 * stack `local`, with the machine mostly idle.
 */
const secondsPerNamespace = 0.43;

/** Seconds until K3k has made the namespaces of all tenants, where none exists yet. */
export function startSeconds(tenants: number): number {
  return secondsPerNamespace * (otherNamespaces * tenants + (tenants * (tenants - 1)) / 2);
}

/** A rebuild makes all tenants at once, and `up` ends with an error when a namespace takes longer than it waits. */
export function startWarnings({ tenants }: Pick<Model, "tenants">): Warning[] {
  const present = tenants.filter(({ state }) => state !== "purged").length;
  const seconds = startSeconds(present);
  const [time, limit] = [seconds, namespaceWaitSeconds].map((value) => hoursText(value / secondsPerHour));
  return listIf(seconds > namespaceWaitSeconds / 2, {
    key: "kraft:tenants",
    message: `${present} tenants: from nothing, as in a rebuild, K3k needs about ${time} for their namespaces, and pulumi up waits ${limit} at most. If it gives up, run it again: it continues where it stopped`,
  });
}
