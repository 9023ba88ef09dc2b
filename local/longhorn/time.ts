const unitMilliseconds: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** As Longhorn writes times: whole seconds in UTC. */
export function now(): string {
  return `${new Date().toISOString().slice(0, 19)}Z`;
}

/**
 * Milliseconds of a duration as Go writes it, such as `5m0s`.
 *
 * @throws Error for anything else
 */
export function milliseconds(duration: string): number {
  const parts = [...duration.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g)];
  if (duration === "" || parts.map(([part]) => part).join("") !== duration) {
    throw new Error(`${JSON.stringify(duration)} is no duration such as 5m0s`);
  }
  return parts.reduce((sum, [, count, unit = ""]) => sum + Number(count) * (unitMilliseconds[unit] ?? 0), 0);
}
