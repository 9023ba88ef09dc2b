const day = 86_400_000;

/** The day of a moment in UTC, as `2026-11-28`. */
export function utcDay(moment: Date): string {
  return moment.toISOString().slice(0, 10);
}

/** The days in UTC whose confirmation or permission counts at a moment: that day and the one before. */
export function countingDays(moment: Date): readonly [today: string, yesterday: string] {
  return [utcDay(moment), utcDay(new Date(moment.getTime() - day))];
}
