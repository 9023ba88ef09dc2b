import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { syncedNamePattern } from "../../../../components/plan/admission/expressions.ts";
import { traefikPolicies } from "../../../../components/plan/network/platform-policies.ts";
import { tenantPolicies } from "../../../../components/plan/network/tenant-policies.ts";
import {
  destinationText,
  entryPointName,
  ownerOfPort,
  portText,
  type PublicPort,
  tcpRoute,
  udpRoute,
} from "../../../../components/plan/ports.ts";
import { traefikValues } from "../../../../components/plan/traefik-values.ts";

const minecraft: PublicPort = {
  port: 25565,
  protocol: "tcp",
  service: { namespace: "games", name: "minecraft" },
  servicePort: 25565,
};
const factorio: PublicPort = {
  port: 34197,
  protocol: "udp",
  service: { namespace: "games", name: "factorio" },
  servicePort: 7,
};

const publicPorts: fc.Arbitrary<PublicPort> = fc.record({
  port: fc.integer({ min: 1024, max: 65535 }),
  protocol: fc.constantFrom("tcp", "udp"),
  service: fc.constant({ namespace: "games", name: "minecraft" }),
  servicePort: fc.integer({ min: 1, max: 65535 }),
});

describe("the name of an entry point", () => {
  test("is a name that Kubernetes takes for a port, different for each port and protocol", () => {
    fc.assert(
      fc.property(publicPorts, publicPorts, (one, other) => {
        // `IsValidPortName` in k8s.io/apimachinery/pkg/util/validation.
        assert.match(entryPointName(one), /^(?=.*[a-z])(?!.*--)[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?$/);
        assert.equal(entryPointName(one) === entryPointName(other), portText(one) === portText(other));
      }),
    );
  });

  test("does not make a route's name look like that of an object that a tenant may change", () => {
    fc.assert(
      fc.property(publicPorts, (port) => {
        assert.doesNotMatch(`acme-${entryPointName(port)}`, new RegExp(syncedNamePattern));
      }),
    );
  });
});

describe("Traefik's entry points", () => {
  const settings = { namespace: "traefik", entrypoint: "ingress.kraft.example", imageTag: "v3.7.13" } as const;
  const plain = traefikValues({ ...settings, exposure: "loadBalancer" });

  test("without ports of tenants the values are those that they always were", () => {
    assert.deepEqual(traefikValues({ ...settings, exposure: "loadBalancer", publicPorts: [] }), plain);
    assert.deepEqual(Object.keys(plain.ports), ["web", "websecure"]);
    assert.ok(!("additionalArguments" in plain));
  });

  test("each port is one of its own, and no default for Ingresses", () => {
    const { ports, ...rest } = traefikValues({
      ...settings,
      exposure: "loadBalancer",
      publicPorts: [minecraft, factorio],
    });
    assert.deepEqual(JSON.parse(JSON.stringify(ports)), {
      ...JSON.parse(JSON.stringify(plain.ports)),
      "port-25565-tcp": { port: 25565, exposedPort: 25565, expose: { default: true }, protocol: "TCP" },
      "port-34197-udp": { port: 34197, exposedPort: 34197, expose: { default: true }, protocol: "UDP" },
    });
    assert.deepEqual(rest.additionalArguments, ["--entryPoints.port-34197-udp.udp.timeout=30s"]);
  });

  test("where there is one node, it is a port of that node", () => {
    const { ports } = traefikValues({ ...settings, exposure: "hostPort", publicPorts: [minecraft] });
    assert.equal(Object.entries(ports).find(([name]) => name === "port-25565-tcp")?.[1].hostPort, 25565);
  });

  test("Traefik's own ports are nobody's, and neither are the nodes' and the node ports", () => {
    for (const port of [8000, 8080, 8443, 9100, 6443, 10250, 30000, 32767]) {
      assert.notEqual(ownerOfPort(port), undefined, String(port));
    }
    for (const port of [1024, 25565, 29999, 32768, 65535]) {
      assert.equal(ownerOfPort(port), undefined, String(port));
    }
  });
});

describe("the routes", () => {
  test("lead to the Service's copy on the host, under the name that K3k gives it", () => {
    const copy = "minecraft-games-acme-6d696e6563726166742b67616d65732b61636d65";
    assert.deepEqual(tcpRoute("acme", minecraft), {
      entryPoints: ["port-25565-tcp"],
      routes: [{ match: "HostSNI(`*`)", services: [{ name: copy, port: 25565 }] }],
    });
    assert.equal(udpRoute("acme", factorio).routes[0]?.services[0]?.port, 7);
    assert.equal("match" in (udpRoute("acme", factorio).routes[0] ?? {}), false);
  });

  test("never lead to a Service of the platform in the tenant's namespace, whatever the guest's is called", () => {
    const labels = fc.stringMatching(/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/);
    fc.assert(
      fc.property(labels, labels, (namespace, name) => {
        const [route] = tcpRoute("acme", { ...minecraft, service: { namespace, name } }).routes;
        assert.match(route?.services[0]?.name ?? "", new RegExp(syncedNamePattern));
        assert.ok((route?.services[0]?.name ?? "").length <= 63);
      }),
    );
  });
});

describe("the network policies", () => {
  const network = {
    podCidr: "10.42.0.0/16",
    serviceCidr: "10.43.0.0/16",
    nodes: ["192.168.1.11"],
    resolvers: ["192.168.1.1"],
    home: [],
  };

  test("open each port of Traefik's to everybody, as the two of the web, and nothing else", () => {
    const [before, after] = [traefikPolicies(network), traefikPolicies(network, [minecraft, factorio])];
    assert.deepEqual(
      after.filter(({ name }) => name !== "entry-points"),
      before.filter(({ name }) => name !== "entry-points"),
    );
    assert.deepEqual(after.find(({ name }) => name === "entry-points")?.ingress, [
      {
        ports: [
          { port: 8000, protocol: "TCP" },
          { port: 8443, protocol: "TCP" },
          { port: 25565, protocol: "TCP" },
          { port: 34197, protocol: "UDP" },
        ],
      },
    ]);
  });

  test("let no tenant's pod out to them", () => {
    const text = JSON.stringify(tenantPolicies("acme", network));
    assert.ok(!text.includes("25565"));
  });
});

test("the texts of the stack file", () => {
  assert.equal(`${portText(factorio)}: ${destinationText(factorio)}`, "34197/udp: games/factorio:7");
});
