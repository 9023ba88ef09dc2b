import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  covers,
  firstAddress,
  isAddress,
  isRange,
  single,
  withoutCovered,
} from "../../../../components/plan/network/address.ts";
import { type HostNetwork, internet } from "../../../../components/plan/network/host-network.ts";
import {
  certManagerPolicies,
  k3kPolicies,
  longhornPolicies,
  traefikPolicies,
} from "../../../../components/plan/network/platform-policies.ts";
import { networkPolicySpec, type NetworkRules } from "../../../../components/plan/network/policy.ts";
import { tenantPolicies } from "../../../../components/plan/network/tenant-policies.ts";

const homelab: HostNetwork = {
  podCidr: "10.42.0.0/16",
  serviceCidr: "10.43.0.0/16",
  nodes: ["192.168.1.11", "192.168.1.12"],
  resolvers: ["192.168.1.1"],
  home: [],
};

const address = fc.tuple(...[0, 0, 0, 0].map(() => fc.nat(255))).map((bytes) => bytes.join("."));
const prefix = fc.integer({ min: 8, max: 32 });
const range = fc.tuple(address, prefix).map(([text, length]) => canonical(text, length));
const networks: fc.Arbitrary<HostNetwork> = fc.record({
  podCidr: range,
  serviceCidr: range,
  nodes: fc.array(address, { minLength: 1, maxLength: 5 }),
  resolvers: fc.array(address, { minLength: 1, maxLength: 3 }),
  home: fc.array(fc.oneof(range, fc.constantFrom("2001:db8:7::/56", "fd00::/8", "2a02:168::/32")), { maxLength: 4 }),
});

/** The range with all bits beyond its prefix cleared. */
function canonical(text: string, length: number): string {
  const number = text.split(".").reduce((sum, byte) => sum * 256 + Number(byte), 0);
  const network = Math.floor(number / 2 ** (32 - length)) * 2 ** (32 - length);
  return `${[24, 16, 8, 0].map((shift) => Math.floor(network / 2 ** shift) % 256).join(".")}/${length}`;
}

function blocks(network: HostNetwork) {
  return internet(network).flatMap(({ ipBlock }) => (ipBlock === undefined ? [] : [ipBlock]));
}

/** Whether the internet, as tenants may reach it, has this address in it. */
function reaches(network: HostNetwork, target: string): boolean {
  return blocks(network).some(
    ({ cidr, except = [] }) =>
      covers(cidr, single(target)) && !except.some((outside) => covers(outside, single(target))),
  );
}

describe("addresses", () => {
  test("what is an address, and what a range", () => {
    for (const good of ["192.168.1.1", "::1", "2001:db8::5"]) {
      assert.equal(isAddress(good), true, good);
    }
    for (const bad of ["", "192.168.1", "192.168.1.256", "0x7f.1", "router.lan", "10.0.0.0/8", "2001:db8"]) {
      assert.equal(isAddress(bad), false, bad);
    }
    for (const good of ["203.0.113.7/32", "10.0.0.0/8", "2001:db8:7::/56", "2001:db8::5/128"]) {
      assert.equal(isRange(good), true, good);
    }
    for (const bad of [
      "203.0.113.7",
      "10.0.0.1/8",
      "0.0.0.0/0",
      "::/0",
      "2001:DB8::/32",
      "10.0.0.0/33",
      "10.0.0.0/8/8",
    ]) {
      assert.equal(isRange(bad), false, bad);
    }
  });

  test("one range covers another of its family, itself included", () => {
    assert.equal(covers("10.0.0.0/8", "10.1.0.0/16"), true);
    assert.equal(covers("10.1.0.0/16", "10.0.0.0/8"), false);
    assert.equal(covers("10.0.0.0/8", "10.0.0.0/8"), true);
    assert.equal(covers("0.0.0.0/0", "2001:db8::/32"), false);
  });

  test("what others cover is left out, and everything is still covered", () => {
    assert.deepEqual(withoutCovered(["10.1.0.0/16", "10.0.0.0/8", "10.0.0.0/8", "192.168.1.1/32"]), [
      "10.0.0.0/8",
      "192.168.1.1/32",
    ]);
    fc.assert(
      fc.property(fc.array(range), (ranges) => {
        const kept = withoutCovered(ranges);
        assert.ok(ranges.every((each) => kept.some((other) => covers(other, each))));
        assert.ok(kept.every((each) => kept.filter((other) => covers(other, each)).length === 1));
      }),
    );
  });

  test("the API server has the first address of the services", () => {
    assert.equal(firstAddress("10.43.0.0/16"), "10.43.0.1");
    assert.equal(firstAddress("10.96.0.0/12"), "10.96.0.1");
  });
});

describe("the internet of a tenant", () => {
  test("never holds a node, a pod, a service, or what is the home's, wherever they are", () => {
    fc.assert(
      fc.property(networks, (network) => {
        const own = [network.podCidr, network.serviceCidr, ...network.nodes.map(single), ...network.home];
        for (const each of own) {
          assert.equal(reaches(network, each.split("/")[0] ?? ""), false, each);
        }
      }),
    );
  });

  test("never holds a private, shared, link-local, loopback or multicast address", () => {
    const special = ["10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.0.1", "100.127.255.255", "169.254.169.254"];
    fc.assert(
      fc.property(networks, (network) => {
        for (const each of [
          ...special,
          "127.0.0.1",
          "224.0.0.251",
          "255.255.255.255",
          "0.0.0.0",
          "fe80::1",
          "fd00::1",
          "::1",
        ]) {
          assert.equal(reaches(network, each), false, each);
        }
      }),
    );
  });

  test("is what Kubernetes accepts: every exception lies within its block, and is smaller", () => {
    fc.assert(
      fc.property(networks, (network) => {
        for (const { cidr, except = [] } of blocks(network)) {
          assert.ok(
            except.every((outside) => outside !== cidr && covers(cidr, outside)),
            JSON.stringify({ cidr, except }),
          );
        }
      }),
    );
  });

  test("has everything else of IPv4, and IPv6 only where the home's own prefix is known", () => {
    assert.equal(reaches(homelab, "1.1.1.1"), true);
    assert.equal(reaches(homelab, "172.32.0.1"), true);
    assert.equal(reaches(homelab, "2606:4700::1111"), false);
    const known = { ...homelab, home: ["2001:db8:7::/56"] };
    assert.equal(reaches(known, "2606:4700::1111"), true);
    assert.equal(reaches(known, "2001:db8:7:1::5"), false);
    assert.equal(reaches(known, "2002:c0a8:101::1"), false);
  });
});

const namespaces: Readonly<Record<string, readonly NetworkRules[]>> = {
  tenant: tenantPolicies("acme", homelab),
  traefik: traefikPolicies(homelab),
  "cert-manager": certManagerPolicies(homelab),
  "longhorn-system": longhornPolicies(homelab),
  "k3k-system": k3kPolicies(homelab),
};

for (const [name, policies] of Object.entries(namespaces)) {
  test(`${name}: everything is denied in both directions to every pod, but for what is named`, () => {
    assert.deepEqual(
      policies.map(networkPolicySpec).filter(({ podSelector, ingress, egress }) => {
        const all = Object.keys(podSelector).length === 0;
        return all && ingress?.length === 0 && egress?.length === 0;
      }),
      [{ podSelector: {}, policyTypes: ["Ingress", "Egress"], ingress: [], egress: [] }],
    );
    assert.equal(new Set(policies.map((policy) => policy.name)).size, policies.length);
  });

  test(`${name}: nothing goes out to everywhere, and no rule means every namespace`, () => {
    for (const { name: rule, ingress = [], egress = [] } of policies) {
      for (const { to } of egress) {
        assert.ok(to !== undefined && to.length > 0, rule);
      }
      const peers = [...ingress.flatMap(({ from = [] }) => from), ...egress.flatMap(({ to = [] }) => to)];
      for (const { namespaceSelector, ipBlock } of peers) {
        assert.notDeepEqual(namespaceSelector, {}, rule);
        assert.ok(ipBlock === undefined || !ipBlock.cidr.endsWith("/0") || (ipBlock.except?.length ?? 0) > 0, rule);
      }
    }
  });
}

test("in a tenant's namespace only the labels of K3k's own pods open anything: a tenant may write all others", () => {
  const selected = tenantPolicies("acme", homelab).filter(({ pods }) => pods !== undefined);
  assert.deepEqual(
    selected.map(({ pods }) => pods?.matchLabels),
    [
      { cluster: "acme", type: "agent", mode: "shared" },
      { cluster: "acme", role: "server" },
    ],
  );
});

test("a tenant's policies differ from another's by nothing but the name", () => {
  const text = JSON.stringify(tenantPolicies("acme", homelab)).replaceAll('"acme"', '"blue"');
  assert.equal(text, JSON.stringify(tenantPolicies("blue", homelab)));
});
