import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { silentReporter } from "../../local/terminal.ts";
import { readyTools, toolPath } from "../../local/toolchain/ready.ts";
import { labEngine } from "./lab/engine.ts";

test("what is secret in a resource shows up neither in an event nor in the state", async () => {
  const tools = await readyTools(silentReporter, ["engine", "command"]);
  const folder = mkdtempSync(join(tmpdir(), "kraft-secrets-"));
  try {
    const engine = await labEngine(folder, {
      pulumi: toolPath(tools, "pulumi"),
      provider: toolPath(tools, "pulumi-resource-command"),
    });
    const program = (): void => {
      new command.local.Command("one", {
        create: "cat >/dev/null",
        stdin: pulumi.secret("secret-of-stdin"),
        environment: { PLAIN: "no-secret-at-all", WORD: pulumi.secret("secret-of-environment") },
      });
    };
    const runs = [await engine.preview(program), await engine.up(program)];
    assert.deepEqual(
      runs.map(({ failed, changes }) => [failed, changes]),
      [
        [false, { create: 2 }],
        [false, { create: 2 }],
      ],
    );
    for (const text of [...runs.map(({ everything }) => everything), engine.state()]) {
      assert.match(text, /no-secret-at-all/);
      assert.doesNotMatch(text, /secret-of-/);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
