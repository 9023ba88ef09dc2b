import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCommandLine } from "../../../local/main.ts";

test("commands and their options", () => {
  assert.deepEqual(parseCommandLine(["up"]), { command: "up", stack: undefined, charts: undefined });
  assert.deepEqual(parseCommandLine(["up", "--stack", "homelab", "--charts=x"]), {
    command: "up",
    stack: "homelab",
    charts: "x",
  });
});

test("what is not known is refused with what is", () => {
  for (const [line, message] of [
    [["upp"], /^Unknown command "upp"\.\nUsage:/],
    [[], /^Unknown command ""/],
    [["up", "--stak", "x"], /^Unknown option '--stak'/],
    [["up", "homelab"], /^Unexpected argument 'homelab'/],
    [["down", "--charts", "x"], /^The command down has no option --charts\./],
    [["up", "--stack", "x"], /^--stack x: there is no such stack\. Known: homelab, proliant, local\.$/],
  ] as const) {
    assert.throws(() => parseCommandLine(line), { name: "Failure", message }, line.join(" "));
  }
});
