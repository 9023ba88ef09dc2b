import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { identify, isRunning, isSameProcess, parseProcessStat } from "../../../local/processes.ts";

test("state and start time are found behind a command with spaces and parentheses", () => {
  const rest = Array.from({ length: 49 }, (_, index) => String(index + 4));
  const text = `4711 (a) (b) S ${rest.join(" ")}\n`;
  assert.deepEqual(parseProcessStat(text), { state: "S", startTicks: "22" });
  assert.equal(parseProcessStat("4711"), undefined);
});

test("a process that took over the number, or a later boot, is another process", () => {
  const recorded = { pid: 7, startTicks: "100", boot: "a" };
  assert.equal(isSameProcess(recorded, { ...recorded }), true);
  assert.equal(isSameProcess(recorded, { ...recorded, startTicks: "101" }), false);
  assert.equal(isSameProcess(recorded, { ...recorded, boot: "b" }), false);
  assert.equal(isSameProcess(recorded, undefined), false);
});

test("a process runs until it has ended", async () => {
  const child = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60_000)"], { stdio: "ignore" });
  assert.ok(child.pid !== undefined);
  const identity = identify(child.pid);
  assert.ok(identity !== undefined);
  assert.equal(isRunning(identity), true);
  assert.equal(isRunning({ ...identity, startTicks: "1" }), false);
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
  assert.equal(isRunning(identity), false);
});
