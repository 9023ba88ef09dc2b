import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError, refuse } from "../../../../errors/problem.ts";
import { findings } from "../../../../infra/checks/findings.ts";
import { validate } from "../../../../infra/config/validate.ts";
import { table, tablesText } from "../../../../infra/table.ts";
import { stacks } from "../../../../stacks/index.ts";
import { stackFile } from "../../../fixtures/stack-file.ts";

const { raw } = stackFile();
const today = new Date("2026-11-22T00:00:00Z");

function model(changed: Readonly<Record<string, unknown>>) {
  return validate("homelab", stacks, { ...raw, values: { ...raw.values, ...changed } });
}

test("the valid stack file passes every check, and what is not configured is not talked of, but for alerts", () => {
  const { tables, problems, warnings } = findings(model({}), today);
  assert.deepEqual(problems, []);
  assert.deepEqual(
    warnings.map(({ key }) => key),
    ["K3k 1.2.0-rc4", "kraft:alerts"],
  );
  assert.deepEqual(
    tables.map(({ title }) => title.split(":")[0]),
    ["Capacity", "Schedules", "What is lost at most, and how long until it is back once nodes run"],
  );
});

test("every check speaks where its keys are given", () => {
  const { tables, warnings } = findings(
    model({
      issuer: { server: "production" },
      line: { uplinkMbps: 50, downlinkMbps: 200 },
      prices: { currency: "EUR", perKilowattHour: 0.35, wasabiPerTerabyteMonth: 7.99 },
      alerts: { ntfy: "https://ntfy.example/kraft" },
      expiry: { recoveryKit: "2026-01-01" },
    }),
    today,
  );
  assert.deepEqual(
    tables.map(({ title }) => title.split(" ")[0]?.replace(":", "")),
    ["Capacity", "Schedules", "Backups", "What", "Certificates", "Cost", "Dates"],
  );
  assert.deepEqual(
    warnings.map(({ key }) => key),
    ["K3k 1.2.0-rc4", "kraft:alerts.heartbeat", "kraft:expiry.recoveryKit"],
  );
});

test("empty maps say nothing, and defaults fill what is left out", () => {
  const empty = model({ capacity: {}, line: {}, prices: {}, expiry: {} });
  assert.deepEqual(empty, model({}));
  const { overcommit, line, dailyChange, prices, expiry } = empty;
  assert.deepEqual(
    { overcommit, line, dailyChange, prices, expiry },
    {
      overcommit: 4,
      line: undefined,
      dailyChange: 0.02,
      prices: undefined,
      expiry: {},
    },
  );
  assert.deepEqual(model({ line: { uplinkMbps: 50, downlinkMbps: 200 } }).line, {
    uplinkMbps: 50,
    downlinkMbps: 200,
    backupShare: 0.5,
    roundTripMs: 30,
    dailyChange: 0.02,
  });
});

test("a date that YAML took for a point in time is the same date", () => {
  assert.deepEqual(model({ expiry: { domain: "2027-01-31T00:00:00Z" } }).expiry, { domain: "2027-01-31" });
  assert.deepEqual(model({ expiry: { domain: "2027-01-31 00:00:00 +0000 UTC" } }).expiry, { domain: "2027-01-31" });
});

test("what the hardware does not carry is refused together with what is wrong with the file", () => {
  const tenants = { acme: { domains: ["acme.example"], size: "large" }, blue: { domains: [], size: "small" } };
  assert.throws(
    () => model({ tenants }),
    (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, /has 2 problems/);
      assert.match(error.message, /kraft:tenants\.acme\n {4}found: {3}8 CPU for this tenant alone/);
      assert.match(error.message, /kraft:tenants\.blue\.domains/);
      return true;
    },
  );
});

test("a right file that the hardware does not carry is refused by its findings", () => {
  const { problems } = findings(model({ tenants: { acme: { domains: ["acme.example"], size: "large" } } }), today);
  assert.throws(() => {
    refuse("homelab", problems);
  }, /Pulumi\.homelab\.yaml has 1 problem\. Nothing was changed\./);
  assert.doesNotThrow(() => {
    refuse("homelab", []);
  });
});

test("tables are text with aligned columns and no spaces at the ends of lines", () => {
  assert.deepEqual(
    table([
      ["a", "bb", ""],
      ["ccc", "d", "e"],
    ]),
    ["  a    bb", "  ccc  d   e"],
  );
  assert.deepEqual(table([]), []);
  assert.equal(
    tablesText([
      { title: "One", rows: [["a"]] },
      { title: "Two", rows: [["b"]] },
    ]),
    "One\n  a\n\nTwo\n  b",
  );
});
