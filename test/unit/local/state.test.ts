import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { readState, StateStore } from "../../../local/state.ts";

const folder = mkdtempSync(join(tmpdir(), "kraft-state-"));
after(() => {
  rmSync(folder, { recursive: true });
});

function record(pid: number) {
  return { pid, startTicks: "1", boot: "b", plan: "p", logFile: "/l" };
}

test("two holders of one state keep each other's processes", () => {
  const directory = join(folder, "shared");
  const [first, second] = [new StateStore(directory, "local"), new StateStore(directory, "local")];
  first.setProcess("etcd", record(1));
  second.setProcess("etcd", record(2));
  first.setProcess("k3k", record(3));
  assert.deepEqual(readState(directory), {
    stack: "local",
    machines: "simulated",
    processes: { etcd: record(2), k3k: record(3) },
  });
  assert.equal(first.processes["etcd"]?.pid, 2);
});

test("where images are from stays what the last run with machines said", () => {
  const directory = join(folder, "images");
  assert.deepEqual(new StateStore(directory, "local", "real").images, { kind: "built" });
  const source = { kind: "upstream", registry: "a.example" } as const;
  assert.deepEqual(new StateStore(directory, "local", "real", source).images, source);
  assert.deepEqual(readState(directory)?.images, source);
});

test("no state is not an error, a damaged one says what to do", () => {
  assert.equal(readState(join(folder, "none")), undefined);
  const directory = join(folder, "damaged");
  new StateStore(directory, "local").setProcess("etcd", record(1));
  writeFileSync(join(directory, "state.json"), "{");
  assert.throws(() => readState(directory), { name: "Failure", message: /state\.json is damaged.*\nEnd those whose/ });
});
