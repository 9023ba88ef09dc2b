import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { test } from "node:test";
import type { Answer } from "../../../../kraft/check/ask.ts";
import { nameServers } from "../../../../kraft/check/ask.ts";
import type { Checked } from "../../../../kraft/check/run.ts";
import { folderWith, kraft } from "../../../fixtures/kraft/command.ts";
import { type DnsServer, dnsServer, type Records } from "../../../fixtures/kraft/dns-server.ts";

const house = { A: ["203.0.113.7"], AAAA: ["2001:db8::7"] };
const end = "ingress.kraft.example";

async function withServer(
  zone: Readonly<Record<string, Records>>,
  use: (server: DnsServer) => Promise<void>,
): Promise<void> {
  const server = await dnsServer(zone);
  try {
    await use(server);
  } finally {
    server.close();
  }
}

/** Says on standard error when a program asks DNS or opens a connection. */
const watched = `data:text/javascript,${encodeURIComponent(`
import { Resolver } from "node:dns/promises";
import { Socket } from "node:net";
for (const [of, name] of [[Resolver.prototype, "resolve4"], [Socket.prototype, "connect"]]) {
  const original = of[name];
  of[name] = function (...given) { console.error("touched: " + name); return original.apply(this, given); };
}`)}`;

const zone: Readonly<Record<string, Records>> = {
  [end]: house,
  "acme.api.kraft.example": { CNAME: end },
  "acme.example": { A: ["198.51.100.2", "198.51.100.1"] },
};

test("what servers say of names, asked all at once", () =>
  withServer(
    {
      ...zone,
      "far.example": { CNAME: "Middle.example" },
      "middle.example": { CNAME: end },
      "Middle.example": { CNAME: end },
      "gone.example": { CNAME: "nowhere.example" },
      "circle.example": { CNAME: "elcric.example" },
      "elcric.example": { CNAME: "circle.example" },
      "empty.example": {},
      "fails.example": "SERVFAIL",
      "refused.example": "REFUSED",
      "silent.example": "silent",
    },
    async (server) => {
      const answer = (changes: Partial<Answer>): Answer => ({
        exists: true,
        cnames: [],
        addresses: [],
        failure: null,
        ...changes,
      });
      const addresses = [...house.A, ...house.AAAA];
      const expected: Readonly<Record<string, Answer>> = {
        [end]: answer({ addresses }),
        "acme.api.kraft.example": answer({ cnames: [end], addresses }),
        "acme.example": answer({ addresses: ["198.51.100.1", "198.51.100.2"] }),
        "far.example": answer({ cnames: ["middle.example", end], addresses }),
        "gone.example": answer({ cnames: ["nowhere.example"] }),
        "circle.example": answer({
          cnames: ["elcric.example", "circle.example"],
          failure:
            "A: the name server failed to resolve it (SERVFAIL), AAAA: the name server failed to resolve it (SERVFAIL)",
        }),
        "empty.example": answer({}),
        "nobody.example": answer({ exists: false }),
        "fails.example": answer({ exists: false, failure: "the name server failed to resolve it (SERVFAIL)" }),
        "refused.example": answer({ exists: false, failure: "the name server refused the query (REFUSED)" }),
        "silent.example": answer({ exists: false, failure: "no answer within 1.2 s" }),
      };
      const started = performance.now();
      const answers = await nameServers(server.address, 1200).ask(Object.keys(expected), end);
      assert.deepEqual(Object.fromEntries(answers), expected);
      assert.ok(performance.now() - started < 2500);
      assert.equal(server.questions.filter((question) => question === "A silent.example").length, 2, "asked again");
      assert.equal(
        server.questions.filter((question) => question === `CNAME ${end}`).length,
        1,
        "for itself, and not behind the CNAMEs that reach it",
      );
    },
  ));

test("without a name server at all", async () => {
  const socket = createSocket("udp4");
  await new Promise<void>((done) => socket.bind(0, "127.0.0.1", done));
  const { port } = socket.address();
  await new Promise<void>((done) => socket.close(done));
  const answers = await nameServers(`127.0.0.1:${port}`, 600).ask([end], end);
  assert.deepEqual(answers.get(end), { exists: false, cnames: [], addresses: [], failure: "no name server there" });
});

test("check --dns: a table, a warning with the record to create, and the exit code of the file", () =>
  withServer(zone, (server) =>
    folderWith({}, async (directory) => {
      const line = ["check", "homelab", "--directory", directory, "--dns", "--resolver", server.address];
      const { code, stdout, stderr } = await kraft(line);
      assert.equal(stderr, "");
      assert.ok(
        stdout.includes(`
DNS, as ${server.address} has it
  name                    use             as it should be  found
  ingress.kraft.example   entrypoint      yes              203.0.113.7, 2001:db8::7
  acme.api.kraft.example  API of acme     yes              a CNAME to ingress.kraft.example, 203.0.113.7, 2001:db8::7
  acme.example            domain of acme  no               198.51.100.1, 198.51.100.2
`),
        stdout,
      );
      assert.ok(
        stdout.includes(
          "  dns acme.example: found 198.51.100.1, 198.51.100.2; expected a CNAME that reaches ingress.kraft.example, or the addresses of ingress.kraft.example (203.0.113.7, 2001:db8::7); create acme.example. ALIAS ingress.kraft.example. (where",
        ),
        stdout,
      );
      assert.equal(code, 0);

      const json = await kraft([...line, "--json"]);
      const { stacks } = JSON.parse(json.stdout) as { stacks: Checked[] };
      assert.deepEqual(stacks[0]?.dns?.[1], {
        name: "acme.api.kraft.example",
        use: "api",
        tenant: "acme",
        ok: true,
        found: "a CNAME to ingress.kraft.example, 203.0.113.7, 2001:db8::7",
        expected: "the addresses of ingress.kraft.example (203.0.113.7, 2001:db8::7)",
        record: null,
        cnames: [end],
        addresses: ["203.0.113.7", "2001:db8::7"],
      });
      assert.ok(stacks[0].warnings.some(({ key }) => key === "dns acme.example"));
      assert.equal(stacks[0].ok, true);
    }),
  ));

test("check --dns and a name server that does not answer: one warning after 5 s, with progress before", () =>
  withServer({ [end]: "silent", "acme.api.kraft.example": "silent", "acme.example": "silent" }, (server) =>
    folderWith({}, async (directory) => {
      const started = performance.now();
      const line = ["check", "homelab", "--directory", directory, "--dns", "--resolver", server.address];
      const { code, stdout, stderr } = await kraft(line);
      assert.equal(stderr, `asking ${server.address} for DNS names\n`);
      assert.match(stdout, /\n {2}dns: nothing is known of any of the 3 names: no answer within 5 s\n/);
      assert.equal(code, 0);
      const seconds = (performance.now() - started) / 1000;
      assert.ok(seconds > 4.9 && seconds < 10, String(seconds));
    }),
  ));

test("a file with problems: DNS is not asked, which is said", () =>
  withServer(zone, (server) =>
    folderWith({ "kraft:domain": "homelab.invalid" }, async (directory) => {
      const line = ["check", "homelab", "--directory", directory, "--dns", "--resolver", server.address];
      const { code, stderr } = await kraft(line);
      assert.equal(stderr, "Pulumi.homelab.yaml has problems, so DNS was not asked for its names.\n");
      assert.deepEqual(server.questions, []);
      assert.equal(code, 1);
    }),
  ));

test("the embedded cluster's names are asked for only where it is named", () =>
  withServer(zone, async (server) => {
    const dns = ["--dns", "--resolver", server.address];
    await kraft(["check", ...dns]);
    assert.equal(server.questions.length, 0);
    await kraft(["check", "local", ...dns]);
    assert.ok(server.questions.includes("A ingress.kraft.test"));
  }));

test("without --dns no network is touched", () =>
  withServer(zone, (server) =>
    folderWith({}, async (directory) => {
      const line = ["check", "homelab", "--directory", directory];
      const environment = { NODE_OPTIONS: `--import=${watched}` };
      assert.equal((await kraft(line, environment)).stderr, "");
      const { stderr } = await kraft([...line, "--dns", "--resolver", server.address], environment);
      assert.match(stderr, /^touched: resolve4$/m);
    }),
  ));
