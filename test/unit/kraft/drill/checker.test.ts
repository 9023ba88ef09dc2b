import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { checkerResult, checkerScript } from "../../../../kraft/drill/checker.ts";

const folder = mkdtempSync(join(tmpdir(), "kraft-checker-"));

after(() => {
  rmSync(folder, { recursive: true });
});

/** A volume with these files. */
function volume(name: string, files: Readonly<Record<string, string | Buffer>>): string {
  const path = join(folder, name);
  mkdirSync(path);
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), content);
  }
  return path;
}

/** Runs the checker's own script over it. */
function check(path: string, datastore = false, script: string = checkerScript) {
  const result = join(folder, "result.json");
  const { status, stderr } = spawnSync("sh", ["-c", script], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"], VOLUME: path, RESULT: result, RUN: "r1", DATASTORE: datastore ? "yes" : "no" },
  });
  assert.equal(stderr, "");
  const message = readFileSync(result, "utf8");
  return { message, judged: checkerResult({ exitCode: status ?? -1, message }, "r1", datastore) };
}

test("every file is read and every byte counted, whatever it is called", () => {
  const path = volume("plain", {
    "a.txt": "12345",
    "folder with spaces/b'\"$(touch x)\n.bin": Buffer.alloc(100_000, 7),
    "-n": "x",
    empty: "",
  });
  symlinkSync("/etc/hostname", join(path, "link"));
  const { message, judged } = check(path);
  assert.deepEqual(judged, { files: 4, bytes: 100_006, datastore: "none" });
  assert.doesNotMatch(message, /txt|bin|folder/);
});

test("an empty volume is read to its end too", () => {
  assert.deepEqual(check(volume("empty", {})).judged, { files: 0, bytes: 0, datastore: "none" });
});

test("thousands of files take more than one command line", () => {
  const files = Object.fromEntries(
    Array.from({ length: 3000 }, (_, index) => [`${"d".repeat(200)}/${String(index).padStart(200, "f")}`, "ab"]),
  );
  assert.deepEqual(check(volume("many", files)).judged, { files: 3000, bytes: 6000, datastore: "none" });
});

test("a guest's datastore is found by its own files, and missed where it must be", () => {
  const etcd = volume("etcd", { "server/db/etcd/member/snap/db": "data", "server/db/etcd/member/wal/0-0.wal": "log" });
  assert.deepEqual(check(etcd, true).judged, { files: 2, bytes: 7, datastore: "etcd" });
  const sqlite = volume("sqlite", { "server/db/state.db": "SQLite format 3\0 and more" });
  assert.equal((check(sqlite, true).judged as { datastore: string }).datastore, "sqlite");
  for (const [name, files] of [
    ["no-wal", { "server/db/etcd/member/snap/db": "data" }],
    ["empty-db", { "server/db/etcd/member/snap/db": "", "server/db/etcd/member/wal/0-0.wal": "log" }],
    ["no-sqlite", { "server/db/state.db": "\0\0\0\0" }],
  ] as const) {
    assert.match((check(volume(name, files), true).judged as { why: string }).why, /no datastore of a guest/, name);
  }
});

test("a file that cannot be read is counted, and the others are read all the same", () => {
  const path = volume("broken", { "a/one": "12", "a/two": "345" });
  // What the kernel does to whoever reads a broken block, for root too: this file is there and cannot be read.
  symlinkSync("/proc/self/mem", join(path, "link"));
  const script = checkerScript.replace("-type f", "'(' -type f -o -type l ')'");
  assert.notEqual(script, checkerScript);
  const { judged } = check(path, false, script);
  assert.match((judged as { why: string }).why, /^1 of 3 files cannot be read$/);
});

test("only a whole result of this very drill, with nothing left unread, proves anything", () => {
  const good = { run: "r1", files: 5, unread: 0, unlisted: 0, bytes: 10, datastore: "none" };
  const judge = (change: object, exitCode = 0) =>
    checkerResult({ exitCode, message: JSON.stringify({ ...good, ...change }) }, "r1", false);
  assert.deepEqual(judge({}), { files: 5, bytes: 10, datastore: "none" });
  for (const [change, exitCode, why] of [
    [{ run: "r2" }, 0, /not of this drill/],
    [{ unread: 2 }, 0, /2 of 7 files cannot be read/],
    [{ unlisted: 1 }, 0, /folders cannot be listed/],
    [{}, 1, /exit code 1/],
    [{ bytes: "10" }, 0, /no result/],
    [{ datastore: "mysql" }, 0, /no result/],
  ] as const) {
    assert.match((judge(change, exitCode) as { why: string }).why, why);
  }
  for (const message of ["", "null", "[]", '"x"', "{", undefined]) {
    const result = checkerResult({ exitCode: 0, ...(message === undefined ? {} : { message }) }, "r1", false);
    assert.match((result as { why: string }).why, /no result/);
  }
});
