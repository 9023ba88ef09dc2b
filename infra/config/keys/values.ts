import { z } from "zod";

/** What a value may be, and how to correct it. Zod has room for one message; `../parse.ts` splits it again. */
export function expect(allowed: string, fix: string): { error: string } {
  return { error: `${allowed}\n${fix}` };
}

export function text(pattern: RegExp, expectation: { error: string }) {
  return z.string(expectation).regex(pattern, expectation);
}

/** A number within bounds, both of which are allowed. */
export function between(min: number, max: number, expectation: { error: string }) {
  return z.number(expectation).min(min, expectation).max(max, expectation);
}

/** A whole number within bounds, both of which are allowed. */
export function integer(min: number, max: number, expectation: { error: string }) {
  return z.int(expectation).min(min, expectation).max(max, expectation);
}

export function choice<const Values extends readonly [string, ...string[]]>(values: Values) {
  return z.enum(values, expect(values.join(", "), `choose one of them, for example ${values[0]}`));
}

/** What the checked-in stack files hold until the owner writes the real value. No real value may look like it. */
export const placeholder = {
  /** RFC 5737: addresses for documentation. */
  address: /^192\.0\.2\./,
  /** RFC 2606. */
  domain: /\.invalid$/,
  clusterUid: /^0{8}-/,
};

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
/** YAML reads an unquoted day as a timestamp, which the engine passes on in one of Go's two formats. */
export const day = z
  .string(dateExpectation)
  .regex(/^[0-9]{4}-[0-9]{2}-[0-9]{2}(T00:00:00Z| 00:00:00 \+0000 UTC)?$/, { ...dateExpectation, abort: true })
  .refine((value) => {
    const written = value.slice(0, 10);
    const time = Date.parse(`${written}T00:00:00Z`);
    return !Number.isNaN(time) && new Date(time).toISOString().startsWith(written);
  }, dateExpectation)
  .transform((value) => value.slice(0, 10));

const stackPattern = /^[a-z][a-z0-9-]*$/;
const stackExpectation = expect("the name of another stack", "for example homelab");
export const stackName = text(stackPattern, stackExpectation);
