import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { runCommandLine } from "../../../../kraft/cli/command-line.ts";
import { Output } from "../../../../kraft/cli/output.ts";
import { verbs } from "../../../../kraft/cli/verbs.ts";
import { folderWith, kraft, kraftInTerminal } from "../../../fixtures/kraft/command.ts";

const root = join(import.meta.dirname, "..", "..", "..", "..");
const escape = "\u001b[";

/** Runs a command line in this process, which is quicker than a new one; with output that is no terminal. */
async function inProcess(
  line: readonly string[],
  environment: Readonly<Record<string, string>> = { COLUMNS: "10000" },
) {
  const output = { stdout: "", stderr: "" };
  const stream = (name: keyof typeof output) => ({
    write: (text: string | Uint8Array) => (output[name] += String(text)) !== "",
  });
  const code = await runCommandLine(line, verbs, new Output(stream("stdout"), stream("stderr"), environment));
  return { code, ...output };
}

describe("help", () => {
  for (const { name, summary } of verbs) {
    test(`of ${name}: what it does, an example, its options and exit codes, without colour in a pipe`, async () => {
      const { code, stdout, stderr } = await inProcess([name, "--help"]);
      assert.equal(code, 0);
      assert.equal(stderr, "");
      assert.ok(stdout.replace(/\s+/g, " ").includes(summary), stdout);
      assert.match(stdout, new RegExp(`Examples?:\\n {2}npx kraft ${name}\\b`));
      assert.match(stdout, /--json/);
      assert.match(stdout, /Exit codes: 0 .*, 1 .*, 2 /);
      assert.match(stdout, /-s, --stack <stack>/);
      assert.ok(!stdout.includes(escape));
    });
  }

  test("names every verb", async () => {
    const { code, stdout } = await inProcess(["--help"]);
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
    [["chek"], `kraft: unknown verb 'chek' (Did you mean check?)\n  verbs: ${names}\n  more: npx kraft --help`],
    [
      ["check", "--jsn"],
      "kraft: unknown option '--jsn' (Did you mean --json?)\n  check takes: [--dns] [--resolver <address>] [-s, --stack <stack>] [--directory <folder>] [--json]\n  more: npx kraft check --help",
    ],
    [["chek", "--help"], "kraft: unknown verb 'chek' (Did you mean check?)"],
    [["help", "chek"], "kraft: unknown verb 'chek' (Did you mean check?)"],
    [["check", "a", "b"], "kraft: too many arguments for 'check'"],
    [["check", "local", "-s", "homelab"], "kraft: two stacks are named: local and homelab\n  allowed: one, by --stack"],
    [["restore"], "kraft: no phase is given\n  allowed: plan, apply"],
    [["restore", "--plan", "--apply"], 'kraft: there is no phase "plan and apply"\n  allowed: plan, apply'],
    [["restore", "homelab", "plan"], "kraft: too many arguments for 'restore'"],
    [["move", "acme", "copi"], 'kraft: there is no phase "copi"\n  allowed: copy, cutover, done, back'],
    [["check", "homelap"], 'kraft: there is no stack "homelap"\n  allowed: homelab, proliant, local'],
    [["check", "--directory", "/nonexistent"], "kraft: there is no stack file in /nonexistent\n  allowed: "],
    [
      ["check", "local", "--resolver", "192.168.1.1"],
      "kraft: --resolver names the server that --dns asks\n  allowed: together with --dns",
    ],
    ...["ns.example", "192.168.1.1:0", "192.168.1.1:65536", "2001:db8::1:x", ""].map(
      (address) =>
        [
          ["check", "local", "--dns", "--resolver", address],
          `kraft: ${JSON.stringify(address)} is no name server\n  allowed: an address, with a port if it is not 53`,
        ] as const,
    ),
    [["status", "homelap"], 'kraft: there is no stack "homelap"\n  allowed: homelab, proliant, local'],
    [["status", "-s", "local", "--json", "--html"], "kraft: --json and --html without a file exclude each other"],
    [["status", "-s", "local", "--json", "--prometheus"], "kraft: --json and --prometheus exclude each other"],
    [
      ["status", "-s", "local", "--html", "--force"],
      "kraft: --force replaces a file\n  allowed: together with --html <file>",
    ],
    [
      ["status", "--html", "homelab"],
      "kraft: --html homelab: the name of a stack, not of a file\n  allowed: --html <file>, and the stack by -s homelab",
    ],
    [["kubeconfig"], "kraft: missing required argument 'tenant'\n  kubeconfig takes: <tenant> [-o, --output <file>]"],
    [["kubeconfig", "acme", "--stack"], "kraft: option '-s, --stack <stack>' argument missing"],
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
      const { code, stdout, stderr } = await inProcess(line);
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
    assert.match(stderr, /no stack file names its cluster yet: name the stack with --stack\n {2}allowed: homelab/);
  }));

describe("old ways to write a command line still work", () => {
  for (const [old, today] of [
    [
      ["check", "local"],
      ["check", "-s", "local"],
    ],
    [
      ["check", "local", "--json"],
      ["check", "--stack", "local", "--json"],
    ],
    [
      ["status", "homelab"],
      ["status", "-s", "homelab"],
    ],
    [
      ["host-kubeconfig", "homelab"],
      ["host-kubeconfig", "-s", "homelab"],
    ],
    [
      ["kit", "/nonexistent", "homelab"],
      ["kit", "/nonexistent", "-s", "homelab"],
    ],
    [
      ["restore", "homelab", "--plan"],
      ["restore", "plan", "-s", "homelab"],
    ],
    [
      ["restore", "--apply", "homelab"],
      ["restore", "apply", "-s", "homelab"],
    ],
    [
      ["restore", "--plan", "--tenant", "acne", "homelab"],
      ["restore", "plan", "--tenant", "acne", "-s", "homelab"],
    ],
  ] as const) {
    test(`${old.join(" ")} is ${today.join(" ")}`, async () => {
      const [before, after] = await Promise.all([inProcess(old), inProcess(today)]);
      assert.deepEqual(before, after);
      assert.doesNotMatch(after.stderr, /takes:|name the stack/);
    });
  }
});

test("--version: that of package.json, and the commit of this checkout", async () => {
  const { code, stdout, stderr } = await kraft(["--version"]);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /^kraft \d+\.\d+\.\d+ \(commit [0-9a-f]{7,}\)\n$/);
});

test("the command of package.json's bin runs the tool", () => {
  const { bin } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { bin: { kraft: string } };
  const { status, stdout } = spawnSync(join(root, bin.kraft), ["check", "-s", "local", "--json"], {
    cwd: tmpdir(),
    encoding: "utf8",
  });
  assert.equal(status, 0);
  assert.ok(stdout.startsWith("{"), stdout);
});

describe("nothing is wider than 80 columns in a pipe, but for what cannot be broken", () => {
  const lines = [
    ["--help"],
    ...verbs.map(({ name }) => [name, "--help"]),
    ...["homelab", "proliant", "local"].map((stack) => ["check", "-s", stack]),
    ["check", "--jsn"],
    ["chek"],
    ["restore", "plan", "-s", "homelab"],
  ];
  for (const line of lines) {
    test(line.join(" "), async () => {
      const { stdout, stderr } = await inProcess(line, {});
      const wide = `${stdout}${stderr}`.split("\n").filter((text) => text.length > 80);
      // A command that people copy, or a value, stays whole.
      assert.deepEqual(
        wide.filter((text) => !/^ *((fix: +)?(npx|pulumi|kubectl) .*|\S+)$/.test(text)),
        [],
      );
    });
  }

  test("a terminal or COLUMNS that is wider is used", async () => {
    const { stdout } = await inProcess(["check", "-s", "local"], { COLUMNS: "120" });
    const widest = Math.max(...stdout.split("\n").map((text) => text.length));
    assert.ok(widest > 80 && widest <= 120, String(widest));
  });
});
