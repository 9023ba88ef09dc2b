// What is left of a home that was removed: nothing.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "node:test";
import { homeName } from "../../local/home/home.ts";
import { readOrUndefined } from "../../local/processes.ts";
import { directory, remove } from "./home.ts";

function output(command: string, ...rest: readonly string[]): string {
  return spawnSync(command, rest, { encoding: "utf8" }).stdout;
}

function routes(): string {
  return output("ip", "route", "show", "table", "all");
}

test("removed, no process, mount, loop device, cgroup, route or file of it is left", async () => {
  const withHome = { cgroups: cgroups(), processes: processes() };
  assert.ok(withHome.cgroups.length > 0 && withHome.processes.length > 0, "what is looked for was never there");
  await remove();
  assert.deepEqual(processes(), []);
  assert.deepEqual(lines(readFileSync("/proc/mounts", "utf8")), []);
  assert.deepEqual(lines(output("losetup", "--all")), []);
  assert.deepEqual(cgroups(), []);
  assert.doesNotMatch(routes(), /192\.168\.1\.|203\.0\.113\./);
  assert.equal(existsSync(dirname(directory)), false);
});

function lines(text: string): string[] {
  return text.split("\n").filter((line) => line.includes(directory));
}

function cgroups(): string[] {
  const name = homeName(directory);
  return [`/sys/fs/cgroup/${name}`, `/sys/fs/cgroup/*/${name}`].flatMap((pattern) => globSync(pattern));
}

/** Processes whose command line names the home's folder. A namespace is left only with a process or a mount in it. */
function processes(): string[] {
  return globSync("/proc/[0-9]*/cmdline")
    .filter((file) => !file.startsWith(`/proc/${process.pid}/`))
    .flatMap((file) => readOrUndefined(file)?.replaceAll("\0", " ") ?? [])
    .filter((text) => text.includes(directory));
}
