import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { parse } from "yaml";
import { writeZone, zoneFile } from "../../../../local/home/internet.ts";
import { forwardedTo, publicNames, publicPorts } from "../../../../local/home/platform.ts";
import { forwardedElements } from "../../../../local/home/port-forwarding.ts";
import { stacks } from "../../../../stacks/index.ts";

const directory = mkdtempSync(join(tmpdir(), "kraft-zone-"));

after(() => {
  rmSync(directory, { recursive: true });
});

/** The records of the zone, without their serial number. */
function zone(...inputs: Parameters<typeof writeZone> extends [string, ...infer Rest] ? Rest : never): string[] {
  writeZone(directory, ...inputs);
  return readFileSync(zoneFile(directory), "utf8").trim().split("\n");
}

test("the router forwards the tenants' ports, without those that cannot be read", () => {
  const tenants = {
    acme: {
      domains: ["acme.example"],
      ports: { "25565/tcp": "games/minecraft:25565", "34197/udp": "games/factorio:34197" },
    },
    blue: { ports: { "5000": "default/x:1" } },
    coral: null,
  };
  assert.deepEqual(
    publicPorts({ "kraft:tenants": tenants }).map(({ port, protocol }) => `${port}/${protocol}`),
    ["25565/tcp", "34197/udp"],
  );
  assert.equal(
    forwardedElements("192.168.1.11", publicPorts({ "kraft:tenants": tenants })),
    "tcp . 80 : 192.168.1.11, tcp . 443 : 192.168.1.11, tcp . 25565 : 192.168.1.11, udp . 34197 : 192.168.1.11",
  );
});

test("the router forwards to the address of the entrypoint, or else to the first node", () => {
  const local = stacks.get("local") ?? assert.fail();
  assert.equal(forwardedTo(local, {}), "192.168.1.11");
  assert.equal(forwardedTo(local, { "kraft:network": { resolvers: ["192.168.1.1"] } }), "192.168.1.11");
  assert.equal(forwardedTo(local, { "kraft:network": { entry: "192.168.1.250" } }), "192.168.1.250");
});

test("the world knows the entrypoint by its address, and every tenant's names by what their sheet tells them to set", () => {
  const tenants = [
    { name: "acme", domains: ["acme.example", "shop.acme.test"] },
    { name: "blue", domains: [] },
  ];
  assert.deepEqual(zone({ domain: "kraft.test", tenants }, 7), [
    ". 5 IN SOA www.internet.test. hostmaster.www.internet.test. 7 60 60 60 5",
    ". 5 IN NS www.internet.test.",
    "acme.internet.test. 5 IN A 203.0.113.53",
    "www.internet.test. 5 IN A 203.0.113.53",
    "ingress.kraft.test. 5 IN A 203.0.113.7",
    "*.api.kraft.test. 5 IN CNAME ingress.kraft.test.",
    "acme.example. 5 IN A 203.0.113.7",
    "*.acme.example. 5 IN CNAME ingress.kraft.test.",
    "shop.acme.test. 5 IN A 203.0.113.7",
    "*.shop.acme.test. 5 IN CNAME ingress.kraft.test.",
  ]);
});

test("the home's public address is one that Pulumi.local.yaml keeps from tenants", () => {
  const { config } = parse(readFileSync(new URL("../../../../Pulumi.local.yaml", import.meta.url), "utf8")) as {
    config: { "kraft:network": { home: readonly string[] } };
  };
  const [address] = zone(publicNames(config), 1).filter((line) => line.startsWith("ingress."));
  assert.ok(config["kraft:network"].home.includes(`${address?.split(" ").at(-1)}/32`), address);
});

test("a stack file that is wrong has the names that can be read from it", () => {
  for (const [config, expected] of [
    [{ "kraft:domain": "kraft.test" }, { domain: "kraft.test", tenants: [] }],
    [
      {
        "kraft:domain": "kraft.test",
        "kraft:tenants": { acme: { domains: ["a.example", 7] }, blue: null, coral: { domains: "c" } },
      },
      {
        domain: "kraft.test",
        tenants: [
          { name: "acme", domains: ["a.example"] },
          { name: "blue", domains: [] },
          { name: "coral", domains: [] },
        ],
      },
    ],
  ] as const) {
    assert.deepEqual(publicNames(config), expected);
  }
});
