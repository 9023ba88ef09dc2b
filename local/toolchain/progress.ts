/**
 * Seconds that remain of a build, from what it has compiled so far. At its start the table's time is all there is to go
 * by; the further it is, the more its own pace counts, which also fits slower and faster machines.
 */
export function remainingSeconds(build: {
  /** Packages compiled, of those that had to be. */
  readonly compiled: number;
  readonly total: number;
  readonly elapsedSeconds: number;
  /** What the table says for this many packages. */
  readonly expectedSeconds: number;
}): number {
  const done = build.total === 0 ? 1 : Math.min(1, build.compiled / build.total);
  const rest = 1 - done;
  // (1 - done) × expected weighted by (1 - done), plus elapsed × (1 - done) / done weighted by done.
  return rest * (rest * build.expectedSeconds + build.elapsedSeconds);
}
