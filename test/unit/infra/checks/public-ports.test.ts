import assert from "node:assert/strict";
import { test } from "node:test";
import { publicPorts, publicPortTables } from "../../../../infra/checks/public-ports.ts";
import { ports } from "../../../../infra/config/keys/ports.ts";
import { tenant } from "./example.ts";

const nodes = [{ name: "proliant-1", address: "192.168.1.11" }] as unknown as Parameters<
  typeof publicPortTables
>[0]["nodes"];
const acme = tenant("acme", { ports: ports.parse({ "25565/tcp": "games/minecraft:25565" }) });
const blue = tenant("blue", { state: "suspended", ports: ports.parse({ "34197/udp": "games/factorio:34197" }) });
const coral = tenant("coral", { state: "archived", ports: ports.parse({ "1883/tcp": "home/mosquitto:1883" }) });

test("a preview says what the router has to forward, and where to", () => {
  const tenants = [acme, blue, coral, tenant("delta")];
  assert.deepEqual(publicPortTables({ tenants, entry: "192.168.1.250", nodes }), [
    {
      title: "What the router has to forward to 192.168.1.250",
      rows: [
        ["port", "tenant", "leads to"],
        ["80/tcp, 443/tcp", "all", "their Ingresses"],
        ["25565/tcp", "acme", "games/minecraft:25565"],
        ["34197/udp", "blue", "games/factorio:34197, while it is suspended nowhere"],
      ],
    },
  ]);
  const titleFor = (ofNodes: typeof nodes) => publicPortTables({ tenants, entry: undefined, nodes: ofNodes })[0]?.title;
  assert.equal(titleFor(nodes), "What the router has to forward to 192.168.1.11");
  assert.equal(titleFor([...nodes, ...nodes]), "What the router has to forward to one of the nodes");
});

test("nothing where no tenant has a port, as before", () => {
  assert.deepEqual(publicPortTables({ tenants: [tenant("acme"), coral], entry: undefined, nodes }), []);
});

test("a suspended tenant keeps its ports, so that Traefik is not restarted when it comes back; an archived one does not", () => {
  assert.deepEqual(
    publicPorts([acme, blue, coral]).map(({ port }) => port),
    [25565, 34197],
  );
});
