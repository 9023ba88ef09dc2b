import { type FieldChange, fieldChanges, type Fields } from "./fields.ts";

/**
 * Whether a property of an object was changed by hand: the cluster has another value than the record of the last run. What
 * differs from the program alone is a change of the program.
 */
export function wasChangedByHand(path: string, recorded: Fields, live: Fields): boolean {
  return fieldChanges(recorded, live).some((change) => isWithin(path, change.path) || isWithin(change.path, path));
}

/** What was changed by hand and is put back: each property with its live and its declared value. */
export function fieldsChangedByHand(recorded: Fields, live: Fields, declared: Fields): FieldChange[] {
  return fieldChanges(live, declared).filter(({ path }) => wasChangedByHand(path, recorded, live));
}

/** Whether a path is the other one, or leads on from it. */
export function isWithin(path: string, outer: string): boolean {
  return path.startsWith(outer) && /^($|[.[])/.test(path.slice(outer.length));
}
