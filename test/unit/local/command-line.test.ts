import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCommandLine } from "../../../local/command-line.ts";

test("commands and their options", () => {
  for (const [line, expected] of [
    [["up"], { command: "up", stack: undefined, charts: undefined, simulated: false }],
    [["up", "--stack", "homelab", "--charts=x"], { command: "up", stack: "homelab", charts: "x", simulated: false }],
    [["up", "--simulated"], { command: "up", stack: undefined, charts: undefined, simulated: true }],
    [["down", "--stack=local"], { command: "down", stack: "local", charts: undefined, simulated: false }],
  ] as const) {
    assert.deepEqual(parseCommandLine(line), expected, line.join(" "));
  }
});

test("what is not known is refused with what is", () => {
  for (const [line, message] of [
    [["upp"], /^Unknown command "upp"\.\nUsage:/],
    [[], /^Unknown command ""/],
    [["up", "--stak", "x"], /^Unknown option '--stak'/],
    [["up", "homelab"], /^Unexpected argument 'homelab'/],
    [["up", "--simulated=yes"], /^Option '--simulated' does not take an argument/],
    [["down", "--charts", "x"], /^The command down has no option --charts\./],
    [["down", "--simulated"], /^The command down has no option --simulated\./],
    [["up", "--stack", "x"], /^--stack x: there is no such stack\. Known: homelab, proliant, local\.$/],
  ] as const) {
    assert.throws(() => parseCommandLine(line), { name: "Failure", message }, line.join(" "));
  }
});
