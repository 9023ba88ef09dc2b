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
