type Mutable<T> = T extends object ? { -readonly [Key in keyof T]: Mutable<T[Key]> } : T;

/** A planned value as the provider's types want it: they know no read-only arrays, and nothing writes to these. */
export function providerInput<T>(planned: T): Mutable<T> {
  return planned as Mutable<T>;
}
