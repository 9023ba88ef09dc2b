/**
 * How much of a tenant is declared, and how firmly:
 *
 * - `guest`: everything, protected.
 * - `suspended`: everything, protected; nothing runs and nothing is reachable.
 * - `closing`: everything, but the guest cluster is no longer protected: the next run takes it away.
 * - `prepared`: everything but the guest cluster: after it has gone, or before its volumes are back.
 * - `removing`: as `prepared`, but nothing is protected any more: the next run takes it away.
 */
export type Stage = "guest" | "suspended" | "closing" | "prepared" | "removing";

/** Annotation on a suspended Cluster: since when. A backup that is younger holds all there is. */
export const suspendedAtAnnotation = "kraft.dev/suspended-at";

/**
 * Name of the ConfigMap in a tenant's namespace that says what the last run unlocked, so that the next may delete it.
 * It is made last: Pulumi refuses to delete what its state still protects, and by then the state no longer does.
 */
export const leavingConfigMap = "kraft-leaving";

/** A label that no node has: where K3k puts it, nothing of a guest runs. */
export const suspendedNodeSelector: Readonly<Record<string, string>> = { "kraft.dev/suspended": "true" };

/** Whether a stage has a guest cluster. */
export function hasGuest(stage: Stage): boolean {
  return stage === "guest" || stage === "suspended" || stage === "closing";
}

/** Whether nothing of a guest may run in a stage. */
export function isStopped(stage: Stage): boolean {
  return stage !== "guest";
}

/** The state on the way to which a stage unlocks what the next run deletes. */
export function leavingFor(stage: Stage): "archived" | "purged" | undefined {
  return stage === "closing" ? "archived" : stage === "removing" ? "purged" : undefined;
}
