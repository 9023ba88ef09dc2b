const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** `2026-11-23 09:05 UTC`, to the minute. */
export function moment(date: Date): string {
  return `${date.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** How long before or after `now` something is: `5 h ago`, `in 89 days`. Rounded down. */
export function distance(date: Date, now: Date): string {
  const milliseconds = date.getTime() - now.getTime();
  const length = duration(Math.abs(milliseconds));
  return milliseconds < 0 ? `${length} ago` : `in ${length}`;
}

/** How long before or after `now` a time of a report is; `otherwise` where it has none. */
export function ago(time: string | null, now: Date, otherwise: string): string {
  return time === null ? otherwise : distance(new Date(time), now);
}

/** `5 min`, `5 h` or `12 days`, rounded down. */
export function duration(milliseconds: number): string {
  if (milliseconds < 2 * hour) {
    return `${Math.floor(milliseconds / minute)} min`;
  }
  return milliseconds < 2 * day ? `${Math.floor(milliseconds / hour)} h` : `${Math.floor(milliseconds / day)} days`;
}

/** A timestamp of Kubernetes; undefined where there is none, which some controllers write as an empty text. */
export function timestamp(text: string | null | undefined): Date | undefined {
  return text === undefined || text === null || text === "" ? undefined : new Date(text);
}
