import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import {
  isRunning,
  planFingerprint,
  type ProcessPlan,
  startProcess,
  stopProcesses,
  waitUntilReady,
} from "../../../local/processes.ts";

const folder = mkdtempSync(join(tmpdir(), "kraft-processes-"));
after(() => {
  rmSync(folder, { recursive: true });
});

function script(name: string, text: string): ProcessPlan {
  return { name, executable: process.execPath, arguments: ["-e", text], logFile: join(folder, `${name}.log`) };
}

test("a process that ignores SIGTERM is stopped by force, and only the recorded one", async () => {
  const text = "process.on('SIGTERM', () => {}); console.log('up'); setInterval(() => {}, 1000)";
  const [stubborn, bystander] = [startProcess(script("stubborn", text)), startProcess(script("bystander", text))];
  await waitUntilReady("stubborn", stubborn, () => Promise.resolve(readFileSync(stubborn.logFile, "utf8") === "up\n"));
  await stopProcesses([stubborn, { ...bystander, startTicks: "1" }], 0.2);
  assert.equal(isRunning(stubborn), false);
  assert.equal(isRunning(bystander), true);
  await stopProcesses([bystander], 0);
  assert.equal(isRunning(bystander), false);
});

test("a process that ends before it is ready is reported at once, with the end of its log", async () => {
  const record = startProcess(script("brief", "console.error('no such port'); process.exit(0)"));
  await assert.rejects(
    waitUntilReady("brief", record, () => Promise.resolve(false)),
    { name: "Failure", message: `brief has ended. The end of ${record.logFile}:\nno such port` },
  );
});

test("another argument, program or environment is another plan", () => {
  const plan = script("x", "1");
  const prints = [
    plan,
    { ...plan, arguments: [] },
    { ...plan, executable: "/bin/true" },
    { ...plan, environment: { A: "1" } },
  ].map(planFingerprint);
  assert.equal(new Set(prints).size, prints.length);
  assert.equal(planFingerprint({ ...plan }), prints[0]);
});
