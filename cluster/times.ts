/** The latest of times in RFC 3339, whatever their fractions of a second; undefined where there is none. */
export function latest(times: readonly (string | null | undefined)[]): string | undefined {
  return times
    .filter((time) => typeof time === "string")
    .sort((a, b) => Date.parse(a) - Date.parse(b))
    .at(-1);
}
