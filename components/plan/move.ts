/**
 * Annotation on a tenant's namespace in the cluster that they leave: the stack that they move to, and since when, as
 * `proliant 2026-11-25T20:00:00.000Z`. While it is there the guest does not start here again.
 */
export const movedToAnnotation = "kraft.dev/moved-to";

/**
 * Annotation on a tenant's namespace in the cluster that they come to: the stack whose data is there, whole. Without it
 * the guest does not start.
 */
export const arrivedFromAnnotation = "kraft.dev/arrived-from";

/** Annotation on a volume of Longhorn that a move brought to life: which move, by its time in `movedToAnnotation`. */
export const movedAtAnnotation = "kraft.dev/moved-at";

/** A move as `movedToAnnotation` tells of it. */
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
