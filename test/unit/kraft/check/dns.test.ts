import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { validate } from "../../../../infra/config/validate.ts";
import type { Answer } from "../../../../kraft/check/ask.ts";
import { dnsWarnings, judgeDns, namesOf } from "../../../../kraft/check/dns.ts";
import { stacks } from "../../../../stacks/index.ts";
import { stackFile } from "../../../fixtures/stack-file.ts";

const { stack, raw } = stackFile();
const model = validate(stack, stacks, {
  ...raw,
  values: { ...raw.values, tenants: { acme: { domains: ["acme.example", "shop.acme.test"], size: "small" } } },
});
const house = ["203.0.113.7", "2001:db8::7"];
const elsewhere = ["198.51.100.1"];

function at(...addresses: readonly string[]): Answer {
  return { exists: true, cnames: [], addresses, failure: null };
}

function cname(cnames: readonly string[], addresses: readonly string[] = []): Answer {
  return { exists: true, cnames, addresses, failure: null };
}

function failed(failure: string, addresses: readonly string[] = []): Answer {
  return { exists: true, cnames: [], addresses, failure };
}

const nowhere: Answer = { exists: false, cnames: [], addresses: [], failure: null };

/** As everything should be. */
const right: Readonly<Record<string, Answer>> = {
  "ingress.kraft.example": at(...house),
  "acme.api.kraft.example": cname(["ingress.kraft.example"], house),
  "acme.example": at(...house),
  "shop.acme.test": cname(["www.acme.test", "ingress.kraft.example"], house),
};

test("the names: the entrypoint, each tenant's API, each domain of the stack file, and nothing else", () => {
  assert.deepEqual(namesOf(model), [
    { name: "ingress.kraft.example", use: "entrypoint", tenant: null },
    { name: "acme.api.kraft.example", use: "api", tenant: "acme" },
    { name: "acme.example", use: "domain", tenant: "acme" },
    { name: "shop.acme.test", use: "domain", tenant: "acme" },
  ]);
});

describe("answers and what is said of them", () => {
  const addresses = "203.0.113.7, 2001:db8::7";
  const aliasOfDomain =
    "acme.example. ALIAS ingress.kraft.example. (where the provider has no ALIAS: acme.example. A 203.0.113.7, acme.example. AAAA 2001:db8::7)";
  const reaches = `expected a CNAME that reaches ingress.kraft.example, or the addresses of ingress.kraft.example (${addresses})`;
  const cases: Readonly<Record<string, readonly [Readonly<Record<string, Answer>>, readonly string[]]>> = {
    "all is well": [{}, []],
    "an entrypoint with IPv6 only, or behind a name of a dynamic DNS service": [
      {
        "ingress.kraft.example": cname(["home.dyn.test"], ["2001:db8::7"]),
        "acme.example": at("2001:db8::7"),
      },
      [],
    ],
    "a CNAME past the entrypoint to where it points itself": [
      { "shop.acme.test": cname(["home.dyn.test"], house) },
      [],
    ],
    "no entrypoint: what points at it by name is right, what has an address is not": [
      {
        "ingress.kraft.example": nowhere,
        "acme.api.kraft.example": cname(["ingress.kraft.example"]),
        "acme.example": at(...elsewhere),
        "shop.acme.test": cname(["ingress.kraft.example"]),
      },
      [
        "dns ingress.kraft.example: found no such name; expected an address; create ingress.kraft.example. A <address of the house>",
        "dns acme.example: found 198.51.100.1; expected a CNAME that reaches ingress.kraft.example, or the addresses of ingress.kraft.example (none yet); create acme.example. ALIAS ingress.kraft.example.",
      ],
    ],
    "an entrypoint whose name is there, without an address": [
      { "ingress.kraft.example": cname(["home.dyn.test"]), "acme.example": cname(["ingress.kraft.example"]) },
      [
        "dns ingress.kraft.example: found a CNAME to home.dyn.test, which has no address; expected an address; create ingress.kraft.example. A <address of the house>",
      ],
    ],
    "no wildcard for the APIs": [
      { "acme.api.kraft.example": nowhere },
      [
        `dns acme.api.kraft.example: found no such name; expected the addresses of ingress.kraft.example (${addresses}); create *.api.kraft.example. CNAME ingress.kraft.example.`,
      ],
    ],
    "a domain that does not exist, and one inside a domain": [
      { "acme.example": nowhere, "shop.acme.test": nowhere },
      [
        `dns acme.example: found no such name; ${reaches}; create ${aliasOfDomain}`,
        `dns shop.acme.test: found no such name; ${reaches}; create shop.acme.test. CNAME ingress.kraft.example.`,
      ],
    ],
    "a domain that is still elsewhere, by address and by CNAME": [
      { "acme.example": at(...elsewhere), "shop.acme.test": cname(["acme.shops.test", "lb.shops.test"], elsewhere) },
      [
        `dns acme.example: found 198.51.100.1; ${reaches}; create ${aliasOfDomain}`,
        `dns shop.acme.test: found a CNAME to acme.shops.test, then to lb.shops.test, 198.51.100.1; ${reaches}; create shop.acme.test. CNAME ingress.kraft.example.`,
      ],
    ],
    "only one of the addresses, and one more than those": [
      { "acme.example": at("203.0.113.7"), "shop.acme.test": at("198.51.100.1", ...house) },
      [
        `dns acme.example: found 203.0.113.7; ${reaches}; create ${aliasOfDomain}`,
        `dns shop.acme.test: found 198.51.100.1, ${addresses}; ${reaches}; create shop.acme.test. CNAME ingress.kraft.example.`,
      ],
    ],
    "a name with other records only": [
      { "acme.example": at() },
      [`dns acme.example: found a name without an address; ${reaches}; create ${aliasOfDomain}`],
    ],
    "a name that could not be found out about: no record to create": [
      { "acme.example": failed("SERVFAIL"), "shop.acme.test": failed("AAAA: SERVFAIL", ["203.0.113.7"]) },
      [
        `dns acme.example: found SERVFAIL; ${reaches}`,
        `dns shop.acme.test: found 203.0.113.7, AAAA: SERVFAIL; ${reaches}`,
      ],
    ],
    "an entrypoint that could not be found out about: addresses cannot be compared, CNAMEs can": [
      { "ingress.kraft.example": failed("SERVFAIL") },
      [
        "dns ingress.kraft.example: found SERVFAIL; expected an address",
        `dns acme.example: found ${addresses}, which cannot be compared (ingress.kraft.example: SERVFAIL); expected a CNAME that reaches ingress.kraft.example, or the addresses of ingress.kraft.example (none yet)`,
      ],
    ],
    "nothing could be found out: said once": [
      Object.fromEntries(Object.keys(right).map((name) => [name, failed("no answer within 5 s")])),
      ["dns: nothing is known of any of the 4 names: no answer within 5 s"],
    ],
  };
  for (const [name, [changes, expected]] of Object.entries(cases)) {
    test(name, () => {
      const names = judgeDns(model, new Map(Object.entries({ ...right, ...changes })));
      assert.deepEqual(
        dnsWarnings(names).map(({ key, message }) => `${key}: ${message}`),
        expected,
      );
      assert.equal(
        names.every(({ ok }) => ok === true),
        expected.length === 0,
      );
    });
  }
});
