/**
 * How much of a tenant is declared, and whether it is protected:
 *
 * - `guest`: everything, protected.
 * - `suspended`: everything, protected; nothing runs and nothing is reachable.
 * - `closing`: everything, but the guest cluster is not protected: the next run deletes it.
 * - `prepared`: everything but the guest cluster: after it was deleted, or before its volumes are restored.
 * - `removing`: as `prepared`, but nothing is protected: the next run deletes it.
 */
export type Stage = "guest" | "suspended" | "closing" | "prepared" | "removing";

/** Annotation on a suspended Cluster: since when. A later backup holds all its data. */
export const suspendedAtAnnotation = "kraft.dev/suspended-at";

/**
 * Name of the ConfigMap in a tenant's namespace that says what the last run stopped protecting, so that the next may delete
 * it. It is created last: Pulumi refuses to delete what its state still protects, and by then the state no longer does.
 */
export const leavingConfigMap = "kraft-leaving";

/** Keys of its data: the state that the tenant enters, and the day of the permission to delete (`deletion.ts`). */
export const leavingKeys = { state: "state", permittedOn: "permittedOn" } as const;

/** A label that no node has: with it as node selector, nothing of a guest runs. */
export const suspendedNodeSelector: Readonly<Record<string, string>> = { "kraft.dev/suspended": "true" };

/** Whether a stage has a guest cluster. */
export function hasGuest(stage: Stage): boolean {
  return stage === "guest" || stage === "suspended" || stage === "closing";
}

/** Whether nothing of a guest may run in a stage. */
export function isStopped(stage: Stage): boolean {
  return stage !== "guest";
}

/** The state that a tenant enters when the next run has deleted what this stage stops protecting. */
export function leavingFor(stage: Stage): "archived" | "purged" | undefined {
  return stage === "closing" ? "archived" : stage === "removing" ? "purged" : undefined;
}

/**
 * Annotation on a tenant's namespace in the cluster that the tenant leaves: the stack that it moves to, and since when, as
 * `proliant 2026-11-25T20:00:00.000Z`. While it is set, the guest does not start here again.
 */
export const movedToAnnotation = "kraft.dev/moved-to";

/**
 * Annotation on a tenant's namespace in the cluster that the tenant moves to: the stack whose data has completely arrived.
 * Without it the guest does not start.
 */
export const arrivedFromAnnotation = "kraft.dev/arrived-from";

/** Annotation on a Longhorn volume that a move restored: which move, by its time in `movedToAnnotation`. */
export const movedAtAnnotation = "kraft.dev/moved-at";

/** A move, as in `movedToAnnotation`. */
export interface Departure {
  /** Stack that the tenant moves to. */
  readonly to: string;
  /** RFC 3339. */
  readonly at: string;
}

/** Reads `movedToAnnotation`; undefined where there is none. */
export function departureOf(annotation: string | undefined): Departure | undefined {
  const [to, at] = (annotation ?? "").split(" ");
  return to === undefined || to === "" ? undefined : { to, at: at ?? "" };
}

/** The value of `movedToAnnotation`. */
export function departureText({ to, at }: Departure): string {
  return `${to} ${at}`;
}

/** How long `up` waits for K3k to have set up a tenant's namespace. With many new tenants it takes minutes. */
export const namespaceWaitSeconds = 1800;
