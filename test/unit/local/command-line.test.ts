import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCommandLine } from "../../../local/command-line.ts";

test("commands and their options", () => {
  const nothing = { command: "up", stack: undefined, charts: undefined, simulated: false, images: undefined };
  for (const [line, expected] of [
    [["up"], {}],
    [["up", "--stack", "homelab", "--charts=x"], { stack: "homelab", charts: "x" }],
    [["up", "--simulated"], { simulated: true }],
    [["up", "--images", "built"], { images: { kind: "built" } }],
    [["up", "--images=upstream"], { images: { kind: "upstream" } }],
    [
      ["up", "--images", "upstream", "--registry", "registry.example:5000/mirror"],
      { images: { kind: "upstream", registry: "registry.example:5000/mirror" } },
    ],
    [["down", "--stack=local"], { command: "down", stack: "local" }],
  ] as const) {
    assert.deepEqual(parseCommandLine(line), { ...nothing, ...expected }, line.join(" "));
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
    [["down", "--images", "built"], /^The command down has no option --images\./],
    [["up", "--images", "x"], /^--images x: there are no such images\. Known: built, upstream\.$/],
    [["up", "--images"], /^Option '--images <value>' argument missing/],
    [["up", "--images", ""], /^--images : there are no such images\./],
    [["up", "--images", "upstream", "--simulated"], /^--images upstream: simulated nodes run no images\. Leave out/],
    [
      ["up", "--registry", "registry.example"],
      /^--registry registry\.example: only published .* Add --images upstream\.$/,
    ],
    [["up", "--images=built", "--registry=a.example"], /^--registry a\.example: only published images/],
    [
      ["up", "--images=upstream", "--registry=https://a.example"],
      /^--registry https:\/\/a\.example: this is no registry/,
    ],
    [["up", "--images=upstream", "--registry="], /^--registry : this is no registry\. Write its host/],
    [["up", "--stack", "x"], /^--stack x: there is no such stack\. Known: homelab, proliant, local\.$/],
  ] as const) {
    assert.throws(() => parseCommandLine(line), { name: "Failure", message }, line.join(" "));
  }
});
