import { z } from "zod";

/** What several keys of a stack file are made of. */

/** What a value may be and how to get there. Zod carries both in its one message; `../parse.ts` takes them apart. */
export function expect(allowed: string, fix: string): { error: string } {
  return { error: `${allowed}\n${fix}` };
}

export function text(pattern: RegExp, expectation: { error: string }) {
  return z.string(expectation).regex(pattern, expectation);
}

export function choice<const Values extends readonly [string, ...string[]]>(values: Values) {
  return z.enum(values, expect(values.join(", "), `choose one of them, for example ${values[0]}`));
}

export const domainPattern = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
export const domain = text(
  domainPattern,
  expect(
    "a domain name in lower case with at least one dot; international names as punycode",
    "write the bare domain, for example acme.example: no scheme, no port, no wildcard, no trailing dot",
  ),
);

const dateExpectation = expect(
  "a day that exists, as year, month and day",
  'write it in quotes, for example "2027-01-31"',
);
/** Without quotes YAML takes a day for a point in time, and the engine hands it over as one, in two spellings of Go's. */
export const day = z
  .string(dateExpectation)
  .regex(/^[0-9]{4}-[0-9]{2}-[0-9]{2}(T00:00:00Z| 00:00:00 \+0000 UTC)?$/, { ...dateExpectation, abort: true })
  .refine((value) => {
    const written = value.slice(0, 10);
    const time = Date.parse(`${written}T00:00:00Z`);
    return !Number.isNaN(time) && new Date(time).toISOString().startsWith(written);
  }, dateExpectation)
  .transform((value) => value.slice(0, 10));

/** Name of a stack. */
const stackPattern = /^[a-z][a-z0-9-]*$/;
const stackExpectation = expect("the name of another stack", "for example homelab");
export const stackName = text(stackPattern, stackExpectation);
