import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { portText } from "../../../../../components/plan/ports.ts";
import { ports } from "../../../../../infra/config/keys/ports.ts";
import { portProblems } from "../../../../../infra/config/rules/ports.ts";
import { tenant } from "../../checks/example.ts";

const written = fc.dictionary(
  fc.tuple(fc.integer({ min: 1, max: 65535 }), fc.constantFrom("tcp", "udp")).map(([n, p]) => `${n}/${p}`),
  fc.constant("games/minecraft:25565"),
  { maxKeys: 8 },
);

function problemsOf(files: Readonly<Record<string, Record<string, string>>>) {
  const tenants = Object.entries(files).map(([name, file]) => [name, tenant(name, { ports: ports.parse(file) })]);
  return portProblems({ tenants: Object.fromEntries(tenants) as Record<string, ReturnType<typeof tenant>> });
}

test("no port that is accepted belongs to two tenants, to Traefik, to a node or to Kubernetes", () => {
  fc.assert(
    fc.property(written, written, (acme, blue) => {
      const problems = problemsOf({ acme, blue });
      const refused = new Set(problems.map(({ key }) => key));
      for (const port of Object.keys(acme)) {
        const number = Number.parseInt(port, 10);
        const own = number < 1024 || (number >= 30000 && number <= 32767) || [6443, 8000, 8443, 10250].includes(number);
        if (own || port in blue) {
          assert.ok(refused.has(`kraft:tenants.acme.ports[${JSON.stringify(port)}]`), port);
        }
      }
    }),
  );
});

test("the same number is two ports, one of TCP and one of UDP", () => {
  assert.deepEqual(problemsOf({ acme: { "3478/tcp": "a/b:1" }, blue: { "3478/udp": "a/b:1" } }), []);
});

test("a proposal is a port that nobody has", () => {
  const [problem] = problemsOf({
    acme: { "7999/tcp": "a/b:1" },
    blue: { "7999/tcp": "a/b:1", "8001/tcp": "a/b:1" },
  });
  assert.equal(problem?.fix, "give one of the two another number, for example 8002/tcp");
});

test("ports are in the order of their numbers, whatever their order in the file", () => {
  const file = { "34197/udp": "a/b:1", "9987/udp": "a/b:1", "9987/tcp": "a/b:1" };
  assert.deepEqual(ports.parse(file).map(portText), ["9987/tcp", "9987/udp", "34197/udp"]);
  assert.deepEqual(ports.parse(undefined), []);
});
