import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { describe, test } from "node:test";
import { programOf } from "../../../../kraft/cli/command-line.ts";
import { Output } from "../../../../kraft/cli/output.ts";
import { verbs } from "../../../../kraft/cli/verbs.ts";
import { completions } from "../../../../kraft/completion/run.ts";
import { scripts } from "../../../../kraft/completion/scripts.ts";
import { kraft } from "../../../fixtures/kraft/command.ts";

const names = verbs.map(({ name }) => name);
const tenants = ["acme", "blue", "coral"];

describe("what completes a command line", () => {
  for (const [line, expected] of [
    ["", [...names, "help", "--help", "--version"]],
    ["re", ["restore", "recover", "reclaim"]],
    ["help ", names],
    ["move ", tenants],
    ["move acme ", ["copy", "cutover", "done", "back"]],
    ["move -s local acme cu", ["cutover"]],
    ["restore ", ["plan", "apply"]],
    ["restore --p", []],
    ["restore plan --tenant ", tenants],
    ["welcome --stack local b", ["blue"]],
    ["welcome --stack homelab ", ["acme", "blue"]],
    ["check -s ", ["homelab", "proliant", "local"]],
    ["check --stack=lo", []],
    ["check --stack = lo", ["local"]],
    ["check --stack =", ["homelab", "proliant", "local"]],
    ["check --", ["--dns", "--resolver", "--stack", "--directory", "--json", "--help"]],
    ["check --dns ", ["--resolver", "--stack", "--directory", "--json", "--help"]],
    ["status --html ", []],
    ["status --html -", ["--guests", "--prometheus", "--force", "--stack", "--directory", "--json", "--help"]],
    ["status --html --force -s lo", ["local"]],
    ["status --html page.html --f", ["--force"]],
    ["kit ", []],
    ["host-kubeconfig --key ", []],
    ["completion ", ["bash", "zsh", "fish"]],
    ["chekc ", []],
  ] as const) {
    test(`kraft ${line}`, () => {
      const program = programOf(verbs, new Output());
      assert.deepEqual(completions(line.split(" "), program), expected);
    });
  }
});

/** Runs lines in a shell that has read its script. */
async function inShell(shell: string, flags: readonly string[], lines: string): Promise<string> {
  const { stdout } = await kraft(["completion", shell]);
  const {
    status,
    stdout: printed,
    stderr,
  } = spawnSync(shell, [...flags, "-c", `${stdout}\n${lines}`], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return printed.trim();
}

test("bash completes by the script, and has a command kraft", async () => {
  const complete = (...words: string[]) =>
    `COMP_WORDS=(${words.map((word) => `"${word}"`).join(" ")}); COMP_CWORD=${words.length - 1}; _kraft; echo "\${COMPREPLY[*]}"`;
  const lines = [
    complete("kraft", "move", "acme", "c"),
    complete("kraft", "check", "-s", ""),
    "complete -p kraft",
    "kraft --version",
  ];
  const printed = await inShell("bash", ["--norc", "--noprofile"], lines.join("\n"));
  assert.match(
    printed,
    /^copy cutover\nhomelab proliant local\ncomplete -o default -F _kraft kraft\nkraft \d+\.\d+\.\d+ \(commit \w+\)$/,
  );
});

for (const shell of ["zsh", "fish"]) {
  const missing = !["/bin", "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"].some((folder) =>
    existsSync(`${folder}/${shell}`),
  );
  test(`${shell} understands its script`, { skip: missing && `${shell} is not installed` }, async () => {
    assert.match(await inShell(shell, [], "kraft --version"), /^kraft \d+/);
  });
}

test("each script names this checkout by its path, whatever is in it", () => {
  for (const script of Object.values(scripts)) {
    assert.match(script?.("/home/it's me/bin/kraft.mjs") ?? "", /'\/home\/it'\\''s me\/bin\/kraft\.mjs'/);
  }
});

test("another shell is refused", async () => {
  const { code, stderr } = await kraft(["completion", "tcsh"]);
  assert.deepEqual([code, stderr], [2, 'kraft: there is no completion for "tcsh"\n  allowed: bash, zsh, fish\n']);
});
