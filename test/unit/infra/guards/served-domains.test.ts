import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { servedDomainProblems, servedDomainWarnings } from "../../../../infra/guards/served-domains.ts";
import { tenant } from "../checks/example.ts";
import { live, liveTenant } from "./example.ts";

/** What is said where acme has an Ingress for some names, and tenants have these domains. */
function judged(hosts: readonly string[], domains: Readonly<Record<string, readonly string[]>>) {
  const around = live({
    tenants: [liveTenant("acme", { ingresses: [{ name: "shop-default-acme-1", hosts }] }), liveTenant("blue")],
  });
  const tenants = Object.entries(domains).map(([name, own]) => tenant(name, { domains: [...own] }));
  return {
    problems: servedDomainProblems({ tenants }, around),
    warnings: servedDomainWarnings({ tenants }, around),
  };
}

const removal = "kubectl delete ingress shop-default-acme-1 --namespace k3k-acme";

describe("a name under one of the tenant's domains", () => {
  for (const host of ["acme.example", "shop.acme.example", "*.acme.example", "a.b.acme.example"]) {
    test(host, () => {
      assert.deepEqual(judged([host], { acme: ["other.example", "acme.example"], blue: ["blue.example"] }), {
        problems: [],
        warnings: [],
      });
    });
  }
});

test("a domain that was taken away is still served, and a warning says how that ends", () => {
  assert.deepEqual(judged(["shop.acme.example", "www.new.example"], { acme: ["new.example"] }), {
    problems: [],
    warnings: [
      {
        key: "kraft:tenants.acme.domains",
        message: `shop.acme.example is under none of them, and an Ingress still serves it. To end that, after this run: ${removal}`,
      },
    ],
  });
});

describe("no other tenant gets a domain while it is served", () => {
  const problem = (key: string, found: string, host: string) => ({
    key,
    found: `"${found}", while an Ingress of acme serves ${host}`,
    allowed: "a domain that no other tenant's Ingress serves",
    fix: `leave it out of both, pulumi up, ${removal}, then add it here`,
  });
  for (const [what, host, domains, expected] of [
    [
      "from one to the other",
      "shop.example",
      { acme: ["acme.example"], blue: ["blue.example", "shop.example"] },
      problem("kraft:tenants.blue.domains[1]", "shop.example", "shop.example"),
    ],
    [
      "the name is under it",
      "www.shop.example",
      { acme: ["acme.example"], blue: ["shop.example"] },
      problem("kraft:tenants.blue.domains[0]", "shop.example", "www.shop.example"),
    ],
    [
      "its holder is no longer in the file",
      "www.shop.example",
      { blue: ["shop.example"] },
      problem("kraft:tenants.blue.domains[0]", "shop.example", "www.shop.example"),
    ],
  ] as const) {
    test(what, () => {
      assert.deepEqual(judged([host], domains).problems, [expected]);
    });
  }

  test("a name that only ends alike is not under it", () => {
    assert.deepEqual(judged(["myshop.example"], { acme: ["acme.example"], blue: ["shop.example"] }).problems, []);
  });
});
