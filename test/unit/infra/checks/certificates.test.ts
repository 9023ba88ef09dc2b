import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  certificateTables,
  certificateWarnings,
  demands,
  letsEncrypt,
  type Subject,
} from "../../../../infra/checks/certificates.ts";
import { tenant } from "./example.ts";

function production(...tenants: Subject["tenants"]): Subject {
  return { issuer: { directory: letsEncrypt.production }, tenants };
}

const sharing = [
  tenant("acme", { domains: ["acme.club.example", "shop.acme.test"] }),
  tenant("blue", { domains: ["blue.club.example"] }),
];

test("two tenants under one registered domain could ask for 60 of its 50 certificates", () => {
  assert.deepEqual(demands(sharing), [
    { domain: "acme.test", tenants: ["acme"], certificates: 30 },
    { domain: "club.example", tenants: ["acme", "blue"], certificates: 60 },
  ]);
  assert.deepEqual(certificateWarnings(production(...sharing)), [
    {
      key: "certificates, club.example",
      message:
        "acme, blue share this registered domain and could ask for 60 certificates; Let's Encrypt issues 50 new ones a " +
        "week for it, so one of them can stop the others",
    },
  ]);
  assert.deepEqual(certificateTables(production(...sharing))[0]?.rows.slice(1), [
    ["acme.test", "acme", "30"],
    ["club.example", "acme, blue", "60"],
  ]);
});

test("several domains of one tenant under one registered domain count once", () => {
  const acme = tenant("acme", { domains: ["a.acme.example", "b.acme.example"] });
  assert.deepEqual(demands([acme]), [{ domain: "acme.example", tenants: ["acme"], certificates: 30 }]);
  assert.deepEqual(certificateWarnings(production(acme)), []);
});

test("a private suffix separates its users, as a public one does", () => {
  const tenants = [
    tenant("acme", { domains: ["acme.duckdns.org"] }),
    tenant("blue", { domains: ["blue.duckdns.org"] }),
  ];
  assert.deepEqual(
    demands(tenants).map(({ domain }) => domain),
    ["acme.duckdns.org", "blue.duckdns.org"],
  );
});

test("staging, and every other authority, has other limits", () => {
  for (const directory of [letsEncrypt.staging, "https://ca.example/directory"]) {
    const subject = { issuer: { directory }, tenants: sharing };
    assert.deepEqual([certificateTables(subject), certificateWarnings(subject)], [[], []]);
  }
});

test("a registered domain is warned of exactly if two or more tenants share it", () => {
  const owners = fc.array(fc.constantFrom("one.example", "two.example", "three.example"), { maxLength: 6 });
  fc.assert(
    fc.property(owners, (parents) => {
      const tenants = parents.map((parent, index) => tenant(`t${index}`, { domains: [`t${index}.${parent}`] }));
      const shared = [...new Set(parents)].filter((name) => parents.filter((parent) => parent === name).length > 1);
      assert.deepEqual(
        certificateWarnings(production(...tenants)).map(({ key }) => key),
        shared.sort().map((name) => `certificates, ${name}`),
      );
    }),
  );
});
