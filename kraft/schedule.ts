import { schedules, type Schedule } from "../components/plan/storage.ts";

const hour = 3_600_000;

/** When a schedule runs, as words for people and as the time between two runs. */
export interface Rhythm {
  /** For example `every day at 00:45 UTC`. */
  readonly words: string;
  readonly milliseconds: number;
}

const weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/**
 * The rhythm of a cron expression, as far as Kraft's schedules use the language: one minute, and an hour, every so many
 * hours, or every hour, on every day or one day of the week.
 *
 * @throws RangeError for anything else.
 */
export function rhythm(cron: string): Rhythm {
  const match = /^(\d+) (\*|\*\/\d+|\d+) \* \* (\*|[0-6])$/.exec(cron);
  const [, minute = "", hours = "", weekday = ""] = match ?? [];
  const everyFew = /^\*\/(\d+)$/.exec(hours)?.[1];
  if (
    match === null ||
    (weekday !== "*" && !/^\d+$/.test(hours)) ||
    (everyFew !== undefined && 24 % Number(everyFew) > 0)
  ) {
    throw new RangeError(`not a schedule that Kraft writes: ${cron}`);
  }
  const past = minute.padStart(2, "0");
  if (hours === "*") {
    return { words: "every hour", milliseconds: hour };
  }
  if (everyFew !== undefined) {
    const first = Array.from(
      { length: 24 / Number(everyFew) },
      (_, index) => `${String(index * Number(everyFew)).padStart(2, "0")}:${past}`,
    );
    return { words: `every ${everyFew} hours (${first.join(", ")} UTC)`, milliseconds: Number(everyFew) * hour };
  }
  const time = `${hours.padStart(2, "0")}:${past} UTC`;
  return weekday === "*"
    ? { words: `every day at ${time}`, milliseconds: 24 * hour }
    : { words: `every ${weekdays[Number(weekday)] ?? ""} at ${time}`, milliseconds: 7 * 24 * hour };
}

/** The schedule by which volumes of a group are treated so; undefined where there is none. */
export function scheduleOf(group: string, task: Schedule["task"]): Schedule | undefined {
  return schedules.find((schedule) => schedule.task === task && schedule.groups.includes(group));
}
