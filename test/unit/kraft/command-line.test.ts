import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { verbs } from "../../../kraft/cli/verbs.ts";
import { folderWith, kraft, kraftInTerminal } from "../../fixtures/kraft/command.ts";

const escape = "\u001b[";

describe("help", () => {
  for (const { name, summary } of verbs) {
    test(`of ${name}: what it does, an example, its options and exit codes, without colour in a pipe`, async () => {
      const { code, stdout, stderr } = await kraft([name, "--help"]);
      assert.equal(code, 0);
      assert.equal(stderr, "");
      assert.ok(stdout.replace(/\s+/g, " ").includes(summary), stdout);
      assert.match(stdout, new RegExp(`Examples?:\\n {2}npm run kraft -- ${name} `));
      assert.match(stdout, /--json/);
      assert.match(stdout, /Exit codes: 0 .*, 1 .*, 2 /);
      assert.ok(!stdout.includes(escape));
    });
  }

  test("names every verb", async () => {
    const { code, stdout } = await kraft(["--help"]);
    assert.equal(code, 0);
    for (const { name } of verbs) {
      assert.match(stdout, new RegExp(`^ {2}${name} `, "m"));
    }
  });
});

describe("colour", () => {
  test("in a terminal: help, results and errors", () => {
    for (const line of [["check", "--help"], ["check", "local"], ["chek"]]) {
      const { output } = kraftInTerminal(line);
      assert.ok(output.includes(escape), `${line.join(" ")}: ${output}`);
    }
  });

  test("not with NO_COLOR, nor in a terminal that has none", () => {
    const silencing: Record<string, string>[] = [
      { NO_COLOR: "1" },
      { NO_COLOR: "1", FORCE_COLOR: "1" },
      { TERM: "dumb" },
    ];
    for (const changes of silencing) {
      for (const line of [["check", "--help"], ["check", "local"], ["chek"]]) {
        const { output } = kraftInTerminal(line, changes);
        assert.ok(!output.includes(escape), `${JSON.stringify(changes)} ${line.join(" ")}: ${output}`);
      }
    }
  });

  test("not in JSON, also in a terminal", () => {
    const { code, output } = kraftInTerminal(["check", "local", "--json"]);
    assert.equal(code, 0);
    assert.ok(!output.includes(escape));
    JSON.parse(output);
  });

  test("not in a pipe, whatever else is set", async () => {
    const { stdout, stderr } = await kraft(["check", "local"], { FORCE_COLOR: "1" });
    assert.ok(!`${stdout}${stderr}`.includes(escape));
  });
});

describe("a wrong command line exits with 2, prints nothing on standard output, and names what is allowed", () => {
  const names = verbs.map(({ name }) => name).join(", ");
  for (const [line, message] of [
    [[], `kraft: say which verb: ${names}`],
    [["chek"], `kraft: unknown verb 'chek' (Did you mean check?)\n  verbs: ${names}\n  more: npm run kraft -- --help`],
    [
      ["check", "--jsn"],
      "kraft: unknown option '--jsn' (Did you mean --json?)\n  check takes: [stack]  --dns  --resolver <address>  --json  --directory <folder>  -h, --help\n  more: npm run kraft -- check --help",
    ],
    [["check", "a", "b"], "kraft: too many arguments for 'check'"],
    [["check", "homelap"], 'kraft: there is no stack "homelap"\n  allowed: homelab, proliant, local'],
    [["check", "--directory", "/nonexistent"], "kraft: there is no stack file in /nonexistent\n  allowed: "],
    [
      ["check", "local", "--resolver", "192.168.1.1"],
      "kraft: --resolver says whom --dns asks\n  allowed: together with --dns",
    ],
    ...["ns.example", "192.168.1.1:0", "192.168.1.1:65536", "2001:db8::1:x", ""].map(
      (address) =>
        [
          ["check", "local", "--dns", "--resolver", address],
          `kraft: ${JSON.stringify(address)} is no name server\n  allowed: an address, with a port if it is not 53`,
        ] as const,
    ),
    [["status", "homelap"], 'kraft: there is no stack "homelap"\n  allowed: homelab, proliant, local'],
    [["kubeconfig"], "kraft: missing required argument 'tenant'\n  kubeconfig takes: <tenant>  --stack <stack>"],
    [["kubeconfig", "acme", "--stack"], "kraft: option '--stack <stack>' argument missing"],
    [
      ["kubeconfig", "acne", "--stack", "local"],
      'kraft: Pulumi.local.yaml has no tenant "acne"\n  allowed: acme, blue, coral',
    ],
    [
      ["welcome", "acne", "--stack", "local"],
      'kraft: Pulumi.local.yaml has no tenant "acne"\n  allowed: acme, blue, coral',
    ],
  ] as const) {
    test(line.join(" ") || "no verb", async () => {
      const { code, stdout, stderr } = await kraft(line);
      assert.ok(stderr.includes(message), stderr);
      assert.equal(stdout, "");
      assert.equal(code, 2);
    });
  }
});

test("a stack file that names no cluster is not taken for the one that is meant", () =>
  folderWith({ "kraft:cluster": {} }, async (directory) => {
    const { code, stderr } = await kraft(["status", "--directory", directory]);
    assert.equal(code, 2);
    assert.match(stderr, /no stack file names its cluster yet: say which stack\n {2}allowed: homelab/);
  }));
