import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { withLock } from "../../../local/lock.ts";
import { identify } from "../../../local/processes.ts";

const folder = mkdtempSync(join(tmpdir(), "kraft-lock-"));
after(() => {
  rmSync(folder, { recursive: true });
});

function unexpected(): void {
  assert.fail("nobody should wait");
}

test("the lock is there during the action only, also when the action fails", async () => {
  const path = join(folder, "plain");
  assert.equal(await withLock(path, unexpected, () => existsSync(path)), true);
  assert.equal(existsSync(path), false);
  await assert.rejects(
    withLock(path, unexpected, () => Promise.reject(new Error("broken"))),
    /broken/,
  );
  assert.equal(existsSync(path), false);
});

test("the lock of a process that is gone is taken over", async () => {
  const own = identify(process.pid);
  assert.ok(own !== undefined);
  for (const [name, content] of [
    ["recycled", JSON.stringify({ ...own, startTicks: "1" })],
    ["earlier-boot", JSON.stringify({ ...own, boot: "another" })],
    ["damaged", "not json"],
  ] as const) {
    const path = join(folder, name);
    writeFileSync(path, content);
    assert.equal(await withLock(path, unexpected, () => "done"), "done", name);
  }
});

test("a lock that is held is waited for, and one action runs at a time", async () => {
  const path = join(folder, "busy");
  const order: string[] = [];
  const waited: number[] = [];
  const action = (name: string) => async (): Promise<void> => {
    order.push(`${name} begins`);
    await sleep(50);
    order.push(`${name} ends`);
  };
  await Promise.all(
    ["one", "two"].map((name) =>
      withLock(
        path,
        (pid) => {
          waited.push(pid);
        },
        action(name),
      ),
    ),
  );
  assert.deepEqual(order, ["one begins", "one ends", "two begins", "two ends"]);
  assert.deepEqual(waited, [process.pid]);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith("busy")),
    [],
  );
});
