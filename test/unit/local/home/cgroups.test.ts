import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { removeCgroupsCommand } from "../../../../local/home/cgroups.ts";

test("a cgroup in which something is still ending is removed as soon as that has ended, and nobody else's is", async () => {
  const root = mkdtempSync(join(tmpdir(), "kraft-cgroups-"));
  try {
    const pod = join(root, "pids", "kraft-1", "optiplex-1", "pod");
    const other = join(root, "pids", "kraft-2");
    for (const folder of [pod, other, join(root, "cpu", "kraft-1"), join(root, "memory")]) {
      mkdirSync(folder, { recursive: true });
    }
    // As a process in it does, it keeps the folder from being removed.
    const ending = join(pod, "ending");
    writeFileSync(ending, "");
    const [executable = "", ...rest] = removeCgroupsCommand("kraft-1", root);
    const child = spawn(executable, rest);
    const ended = new Promise((resolve) => child.once("close", resolve));
    await sleep(500);
    assert.ok(existsSync(pod));
    rmSync(ending);
    assert.equal(await ended, 0);
    assert.deepEqual(
      [join(root, "pids", "kraft-1"), join(root, "cpu", "kraft-1"), other, join(root, "memory")].map(existsSync),
      [false, false, true, true],
    );
  } finally {
    rmSync(root, { recursive: true });
  }
});
