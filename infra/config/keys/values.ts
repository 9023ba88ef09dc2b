import { isIP } from "node:net";
import { domainToASCII } from "node:url";
import { z } from "zod";
import { closest } from "../../../errors/closest.ts";

/** A message for zod, or what makes one of the value that was found. */
export interface Expectation {
  readonly error: string | ((issue: { readonly input?: unknown }) => string);
}

/**
 * What a value may be, and how to correct it. Zod has room for one message; `../parse.ts` splits it again.
 *
 * @param fix a text, or what makes one of the value that was found
 */
export function expect(allowed: string, fix: string): { error: string };
export function expect(allowed: string, fix: (found: unknown) => string): Expectation;
export function expect(allowed: string, fix: string | ((found: unknown) => string)): Expectation {
  return { error: typeof fix === "string" ? `${allowed}\n${fix}` : ({ input }) => `${allowed}\n${fix(input)}` };
}

export function text(pattern: RegExp, expectation: Expectation) {
  return z.string(expectation).regex(pattern, expectation);
}

/** A number within bounds, both of which are allowed. */
export function between(min: number, max: number, expectation: Expectation) {
  return z.number(expectation).min(min, expectation).max(max, expectation);
}

/** A whole number within bounds, both of which are allowed. */
export function integer(min: number, max: number, expectation: Expectation) {
  return z.int(expectation).min(min, expectation).max(max, expectation);
}

/** A Kubernetes quantity of bytes, as `mebibytes` reads it. */
export function bytes(example: string) {
  return text(
    /^[1-9][0-9]*(Mi|Gi|Ti)$/,
    expect(
      "bytes as a Kubernetes quantity in Mi, Gi or Ti",
      `write a whole number with its unit, for example ${example}`,
    ),
  );
}

export function choice<const Values extends readonly [string, ...string[]]>(values: Values) {
  return z.enum(
    values,
    expect(values.join(", "), (found) => oneOf(found, values)),
  );
}

/** The fix for a value that must be one of some: the one that it resembles, or an example, which begins like it if one does. */
export function oneOf(found: unknown, values: readonly string[]): string {
  const word = typeof found === "string" ? found : "";
  const meant = closest(word, values);
  const nearest = values.filter((value) => value.slice(0, 3) === word.slice(0, 3));
  const example = closest(word, nearest, Infinity) ?? values[0] ?? "nothing";
  return meant === undefined ? `choose one of them, for example ${example}` : `write ${meant}`;
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

/**
 * The domain name in what somebody wrote: without scheme, user, port, path, wildcard and dots at either end, in lower case,
 * and international names as punycode. Undefined where there is none with at least one dot.
 */
export function domainIn(written: unknown): string | undefined {
  if (typeof written !== "string") {
    return undefined;
  }
  const host = written
    .trim()
    .replace(/^[a-z][a-z0-9+.-]*:\/\//i, "")
    .replace(/[/?#].*$/, "")
    .replace(/^.*@/, "")
    .replace(/:[0-9]*$/, "")
    .replace(/^[*.]+|\.+$/g, "");
  const domain = domainToASCII(host);
  return domainPattern.test(domain) && isIP(domain) === 0 ? domain : undefined;
}

const bareDomain = "write the bare domain, for example acme.example: no scheme, no port, no wildcard, no trailing dot";
export const domain = text(
  domainPattern,
  expect("a domain name in lower case with at least one dot; international names as punycode", (found) => {
    const meant = domainIn(found);
    return meant === undefined || meant === found ? bareDomain : `write ${meant}`;
  }),
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
