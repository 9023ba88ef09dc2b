import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { terminalReporter } from "../../local/terminal.ts";
import { readyTools, toolPath } from "../../local/toolchain/ready.ts";
import { type Protocol, type Query, reachable, type Snapshot } from "./reachability/analyser.ts";

const namespaces: Snapshot["namespaces"] = {
  acme: { "kubernetes.io/metadata.name": "acme", kind: "tenant" },
  blue: { "kubernetes.io/metadata.name": "blue", kind: "tenant" },
  traefik: { "kubernetes.io/metadata.name": "traefik", kind: "platform" },
};

const pods: Snapshot["pods"] = {
  "acme/shop": {
    labels: { app: "shop" },
    ip: "10.42.0.10",
    ports: [
      { name: "web", containerPort: 8080, protocol: "TCP" },
      { containerPort: 9090, protocol: "TCP" },
    ],
  },
  "acme/database": { labels: { app: "database" }, ip: "10.42.0.11" },
  "blue/shop": { labels: { app: "shop" }, ip: "10.42.1.10" },
  "blue/database": { labels: { app: "database" }, ip: "10.42.1.11" },
  "traefik/proxy": { labels: { app: "proxy" }, ip: "10.42.2.10" },
  // The same, with an address of the other family.
  "traefik/proxy6": { labels: { app: "proxy" }, ip: "fd00:42::10" },
};

let analyser: string;

before(async () => {
  analyser = toolPath(await readyTools(terminalReporter()), "network-policy-analyser");
});

/** A policy as the API server returns it. */
function policy(
  namespace: string,
  spec: { readonly policyTypes: readonly string[]; readonly [field: string]: unknown },
) {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: {
      name: "policy",
      namespace,
      uid: "0c2d0a4e-6e4f-4a0e-9d3c-1f1a4c9a7b11",
      creationTimestamp: "2026-01-01T00:00:00Z",
      managedFields: [{ manager: "kraft", operation: "Apply", fieldsType: "FieldsV1", fieldsV1: { "f:spec": {} } }],
    },
    spec: { podSelector: {}, ...spec },
  };
}

/** What all pods of acme accept. */
function acmeAccepts(...ingress: readonly object[]) {
  return policy("acme", { policyTypes: ["Ingress"], ingress });
}

/** Where all pods of acme may connect to. */
function acmeReaches(...egress: readonly object[]) {
  return policy("acme", { policyTypes: ["Egress"], egress });
}

function query(from: string, to: string, port = 443, protocol: Protocol = "TCP"): Query {
  return { from, to, port, protocol };
}

/** Of each query whether it is allowed. */
async function allowed(networkPolicies: readonly object[], ...queries: readonly Query[]): Promise<boolean[]> {
  const verdicts = await reachable(analyser, { networkPolicies, namespaces, pods }, queries);
  return verdicts.map((verdict) => verdict.allowed);
}

describe("which side of a connection decides", () => {
  test("without a policy everything is allowed, pods and addresses alike", async () => {
    const verdicts = await reachable(analyser, { networkPolicies: [], namespaces, pods }, [
      query("blue/shop", "acme/shop"),
      query("acme/shop", "ip:203.0.113.7", 53, "UDP"),
      query("ip:2001:db8::7", "acme/shop"),
    ]);
    assert.deepEqual(verdicts, Array(3).fill({ allowed: true, ingress: true, egress: true }));
  });

  test("a policy that allows nothing refuses its own direction of its own pods only", async () => {
    const policies = [policy("acme", { podSelector: { matchLabels: { app: "shop" } }, policyTypes: ["Ingress"] })];
    assert.deepEqual(
      await reachable(analyser, { networkPolicies: policies, namespaces, pods }, [
        query("acme/database", "acme/shop"),
        query("ip:203.0.113.7", "acme/shop"),
        query("acme/shop", "acme/database"),
        query("acme/shop", "ip:203.0.113.7"),
        query("acme/database", "blue/shop"),
      ]),
      [
        { allowed: false, ingress: false, egress: true },
        { allowed: false, ingress: false, egress: true },
        { allowed: true, ingress: true, egress: true },
        { allowed: true, ingress: true, egress: true },
        { allowed: true, ingress: true, egress: true },
      ],
    );
  });

  test("what the sender may send is refused where the receiver does not accept it, and the other way round", async () => {
    const networkPolicies = [
      acmeReaches({}),
      policy("blue", { policyTypes: ["Ingress", "Egress"], ingress: [], egress: [] }),
      acmeAccepts({}),
    ];
    assert.deepEqual(
      await reachable(analyser, { networkPolicies, namespaces, pods }, [
        query("acme/shop", "blue/shop"),
        query("blue/shop", "acme/shop"),
        query("blue/shop", "blue/database"),
      ]),
      [
        { allowed: false, ingress: false, egress: true },
        { allowed: false, ingress: true, egress: false },
        { allowed: false, ingress: false, egress: false },
      ],
    );
  });

  test("rules of a direction that the policy does not name count for nothing", async () => {
    const policies = [policy("acme", { policyTypes: ["Egress"], ingress: [{}], egress: [] })];
    assert.deepEqual(await allowed(policies, query("blue/shop", "acme/shop"), query("acme/shop", "blue/shop")), [
      true,
      false,
    ]);
  });

  test("what one of several policies allows is allowed", async () => {
    const policies = [
      acmeAccepts(),
      acmeAccepts({ from: [{ namespaceSelector: { matchLabels: { kind: "platform" } } }] }),
    ];
    assert.deepEqual(await allowed(policies, query("traefik/proxy", "acme/shop"), query("blue/shop", "acme/shop")), [
      true,
      false,
    ]);
  });
});

describe("whom a rule means", () => {
  const senders = ["acme/database", "blue/shop", "blue/database", "traefik/proxy", "ip:203.0.113.7", "ip:2001:db8::7"];

  /** Who of all senders reaches acme's shop where its policy accepts these. */
  async function accepted(...from: readonly object[]): Promise<string[]> {
    const answers = await allowed([acmeAccepts({ from })], ...senders.map((sender) => query(sender, "acme/shop")));
    return senders.filter((_, index) => answers[index]);
  }

  test("an empty list of peers is everybody", async () => {
    assert.deepEqual(await accepted(), senders);
  });

  test("an empty pod selector is every pod of the policy's namespace", async () => {
    assert.deepEqual(await accepted({ podSelector: {} }), ["acme/database"]);
  });

  test("an empty namespace selector is every pod, and no address", async () => {
    assert.deepEqual(await accepted({ namespaceSelector: {} }), senders.slice(0, 4));
  });

  test("a pod selector alone looks in the policy's namespace only", async () => {
    assert.deepEqual(await accepted({ podSelector: { matchLabels: { app: "shop" } } }), []);
    assert.deepEqual(await accepted({ podSelector: { matchLabels: { app: "database" } } }), ["acme/database"]);
  });

  test("both selectors in one peer are an intersection, in two peers a union", async () => {
    const namespaceSelector = { matchLabels: { "kubernetes.io/metadata.name": "blue" } };
    const podSelector = { matchLabels: { app: "database" } };
    assert.deepEqual(await accepted({ namespaceSelector, podSelector }), ["blue/database"]);
    assert.deepEqual(await accepted({ namespaceSelector }, { podSelector }), [
      "acme/database",
      "blue/shop",
      "blue/database",
    ]);
  });

  test("expressions", async () => {
    const namespacesWhere = (operator: string, ...values: readonly string[]) =>
      accepted({
        namespaceSelector: {
          matchExpressions: [{ key: "kind", operator, ...(values.length > 0 ? { values } : {}) }],
        },
      });
    assert.deepEqual(await namespacesWhere("In", "platform", "other"), ["traefik/proxy"]);
    assert.deepEqual(await namespacesWhere("Exists"), senders.slice(0, 4));
    assert.deepEqual(await namespacesWhere("DoesNotExist"), []);
  });
});

describe("blocks of addresses", () => {
  /** Which of the destinations acme's shop reaches where its policy allows these blocks. */
  async function reached(blocks: readonly object[], ...destinations: readonly string[]): Promise<string[]> {
    const egress = { to: blocks.map((ipBlock) => ({ ipBlock })) };
    const answers = await allowed([acmeReaches(egress)], ...destinations.map((to) => query("acme/shop", to)));
    return destinations.filter((_, index) => answers[index]);
  }

  test("IPv4 with exceptions, at both edges", async () => {
    assert.deepEqual(
      await reached(
        [{ cidr: "0.0.0.0/0", except: ["10.0.0.0/8", "192.168.0.0/16"] }],
        "ip:9.255.255.255",
        "ip:10.0.0.0",
        "ip:10.255.255.255",
        "ip:11.0.0.0",
        "ip:192.168.1.1",
        "ip:192.169.0.0",
      ),
      ["ip:9.255.255.255", "ip:11.0.0.0", "ip:192.169.0.0"],
    );
  });

  test("IPv6 with an exception, at both edges", async () => {
    assert.deepEqual(
      await reached(
        [{ cidr: "2000::/3", except: ["2001:db8:1::/48"] }],
        "ip:1fff:ffff::",
        "ip:2000::",
        "ip:2001:db8:0:ffff:ffff:ffff:ffff:ffff",
        "ip:2001:db8:1::",
        "ip:2001:db8:1:ffff:ffff:ffff:ffff:ffff",
        "ip:2001:db8:2::",
        "ip:3fff::1",
        "ip:4000::",
        "ip:fe80::1",
      ),
      ["ip:2000::", "ip:2001:db8:0:ffff:ffff:ffff:ffff:ffff", "ip:2001:db8:2::", "ip:3fff::1"],
    );
  });

  test("a block of one family never holds an address of the other", async () => {
    // 32.1.13.184 has the bits that 2001:db8:: begins with, and ::1.2.3.4 those that 1.2.3.4 ends with.
    const addresses = ["ip:32.1.13.184", "ip:1.2.3.4", "ip:2001:db8::1", "ip:::1.2.3.4", "ip:64:ff9b::1.2.3.4"];
    assert.deepEqual(await reached([{ cidr: "0.0.0.0/0" }], ...addresses), addresses.slice(0, 2));
    assert.deepEqual(await reached([{ cidr: "::/0" }], ...addresses), addresses.slice(2));
    assert.deepEqual(await reached([{ cidr: "2000::/3" }], ...addresses), ["ip:2001:db8::1"]);
  });

  test("several blocks are a union, exceptions and all", async () => {
    const everything = [
      { cidr: "0.0.0.0/0", except: ["10.0.0.0/8"] },
      { cidr: "::/0", except: ["fd00::/8"] },
      { cidr: "10.1.0.0/16" },
    ];
    const addresses = ["ip:10.0.0.1", "ip:10.1.0.1", "ip:8.8.8.8", "ip:fd00::1", "ip:2001:db8::1"];
    assert.deepEqual(await reached(everything, ...addresses), ["ip:10.1.0.1", "ip:8.8.8.8", "ip:2001:db8::1"]);
  });

  test("a block matches a pod by its address, too, and says nothing against other peers of the rule", async () => {
    const inside = ["traefik/proxy", "traefik/proxy6", "blue/shop"];
    assert.deepEqual(await reached([{ cidr: "10.42.2.0/24" }], ...inside), ["traefik/proxy"]);
    assert.deepEqual(await reached([{ cidr: "fd00:42::/32" }], ...inside), ["traefik/proxy6"]);
    const rule = { to: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["10.42.0.0/16"] } }, { namespaceSelector: {} }] };
    assert.deepEqual(
      await allowed([acmeReaches(rule)], query("acme/shop", "blue/shop"), query("acme/shop", "ip:10.42.1.10")),
      [true, false],
    );
  });

  test("senders are held against blocks as well", async () => {
    const rule = { from: [{ ipBlock: { cidr: "192.168.1.0/24", except: ["192.168.1.1/32"] } }] };
    const senders = ["ip:192.168.1.1", "ip:192.168.1.2", "ip:2001:db8::1"];
    assert.deepEqual(await allowed([acmeAccepts(rule)], ...senders.map((sender) => query(sender, "acme/shop"))), [
      false,
      true,
      false,
    ]);
  });
});

describe("ports", () => {
  /** Which of the connections to acme's shop are allowed where its policy accepts these ports. */
  function accepted(ports: readonly object[], ...connections: readonly (readonly [number, Protocol])[]) {
    const queries = connections.map(([port, protocol]) => query("blue/shop", "acme/shop", port, protocol));
    return allowed([acmeAccepts({ ports })], ...queries);
  }

  test("a port is one of its protocol only", async () => {
    const ports = [
      { port: 53, protocol: "UDP" },
      { port: 443, protocol: "TCP" },
    ];
    assert.deepEqual(await accepted(ports, [53, "UDP"], [53, "TCP"], [443, "TCP"], [443, "UDP"], [443, "SCTP"]), [
      true,
      false,
      true,
      false,
      false,
    ]);
  });

  test("a protocol without a port is all of its ports", async () => {
    assert.deepEqual(await accepted([{ protocol: "UDP" }], [1, "UDP"], [65535, "UDP"], [53, "TCP"]), [
      true,
      true,
      false,
    ]);
  });

  test("a range has both its ends", async () => {
    const ports = [{ port: 8000, endPort: 8010, protocol: "TCP" }];
    assert.deepEqual(
      await accepted(ports, [7999, "TCP"], [8000, "TCP"], [8005, "TCP"], [8010, "TCP"], [8011, "TCP"], [8005, "UDP"]),
      [false, true, true, true, false, false],
    );
  });

  test("a name is the port that the receiving pod gives it", async () => {
    const rule = { ports: [{ port: "web", protocol: "TCP" }] };
    assert.deepEqual(
      await allowed(
        [acmeAccepts(rule)],
        query("blue/shop", "acme/shop", 8080),
        query("blue/shop", "acme/shop", 8080, "UDP"),
        query("blue/shop", "acme/shop", 9090),
        query("blue/shop", "acme/database", 8080),
      ),
      [true, false, false, false],
    );
  });

  test("a rule's ports count for its own peers only", async () => {
    const policies = [
      acmeReaches(
        { to: [{ ipBlock: { cidr: "192.168.1.10/32" } }], ports: [{ port: 6443, protocol: "TCP" }] },
        { to: [{ ipBlock: { cidr: "192.168.1.1/32" } }], ports: [{ port: 53, protocol: "UDP" }] },
      ),
    ];
    assert.deepEqual(
      await allowed(
        policies,
        query("acme/shop", "ip:192.168.1.10", 6443),
        query("acme/shop", "ip:192.168.1.10", 53, "UDP"),
        query("acme/shop", "ip:192.168.1.1", 53, "UDP"),
        query("acme/shop", "ip:192.168.1.1", 6443),
      ),
      [true, false, true, false],
    );
  });
});

describe("what is refused instead of guessed", () => {
  async function refusal(snapshot: object, queries: readonly object[] = []): Promise<string> {
    const whole = { networkPolicies: [], namespaces, pods, ...snapshot };
    let message = "";
    await assert.rejects(reachable(analyser, whole, queries as Query[]), (error: Error) => {
      message = error.message;
      return true;
    });
    assert.doesNotMatch(message, /\n/);
    return message;
  }

  test("queries about what is not there", async () => {
    const good = query("acme/shop", "blue/shop");
    for (const [wrong, says] of [
      [{ from: "acme/shpo" }, /queries\[0\]: no pod "acme\/shpo"/],
      [{ to: "203.0.113.7" }, /no pod "203\.0\.113\.7"/],
      [{ to: "ip:203.0.113" }, /"203\.0\.113" is no IP address/],
      [{ to: "ip:::ffff:10.0.0.1" }, /"::ffff:10\.0\.0\.1" is no IP address/],
      [{ to: "acme/shop" }, /"acme\/shop" is on both sides/],
      [{ protocol: "ICMP" }, /"ICMP" is none of the protocols/],
      [{ port: 0 }, /0 is no port/],
      [{ ports: [443] }, /unknown field "queries\[0\]\.ports"/],
    ] as const) {
      assert.match(await refusal({}, [{ ...good, ...wrong }]), says);
    }
  });

  test("a snapshot that is incomplete or has more than is understood", async () => {
    assert.match(await refusal({ networkPolicies: undefined }), /networkPolicies, namespaces, pods and queries/);
    assert.match(await refusal({ services: {} }), /unknown field "services"/);
    assert.match(await refusal({ pods: { "green/shop": { labels: {}, ip: "10.42.3.1" } } }), /no namespace "green"/);
    assert.match(await refusal({ pods: { "acme/new": { labels: {}, ip: "" } } }), /pod "acme\/new": "" is no IP/);
  });

  test("policies with fields that Kubernetes does not have, and those that the analyser would misread", async () => {
    const accepting = (peer: object) => ({ networkPolicies: [acmeAccepts({ from: [peer] })] });
    assert.match(await refusal({ networkPolicies: [{ spec: { ingres: [] } }] }), /unknown field .*ingres/);
    assert.match(
      await refusal(
        accepting({ podSelector: { matchExpressions: [{ key: "app", operator: "NotIn", values: ["a"] }] } }),
      ),
      /NetworkPolicy acme\/policy: a selector with NotIn \(app\)/,
    );
    assert.match(
      await refusal(accepting({ namespaceSelector: { matchLabels: { kind: "" } } })),
      /NetworkPolicy acme\/policy: an empty value in matchLabels \(kind\)/,
    );
    for (const cidr of ["::ffff:0:0/96", "10.0.0.0"]) {
      assert.match(await refusal(accepting({ ipBlock: { cidr } })), /NetworkPolicy acme\/policy: ".*" is no CIDR/);
    }
    assert.match(await refusal({ networkPolicies: [policy("acme", { policyTypes: [] })] }), /at least 1 type/);
  });
});
