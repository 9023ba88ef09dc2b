import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { toolModules, toolSources } from "../../../../local/toolchain/tools.ts";

test("the tools of the storage module are named after the versions that its go.mod requires", () => {
  const requirements = readFileSync(join(toolSources, "storage", "go.mod"), "utf8");
  const tools = toolModules.find(({ name }) => name === "storage")?.tools ?? [];
  assert.deepEqual(
    tools.map(({ name }) => name),
    ["versitygw", "backup-store"],
  );
  for (const [name, path] of [
    ["versitygw", "github.com/versity/versitygw"],
    ["backup-store", "github.com/longhorn/backupstore"],
  ] as const) {
    const version = tools.find((tool) => tool.name === name)?.version ?? "";
    assert.ok(requirements.includes(`\t${path} v${version}`), `${path} is not required at v${version}`);
    // Not of PATH: another version may read what is stored otherwise.
    assert.equal(tools.find((tool) => tool.name === name)?.installed, undefined);
  }
});
