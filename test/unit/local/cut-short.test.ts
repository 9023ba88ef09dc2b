import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { distrustRecord, upBegins, upEnded, wasCutShort } from "../../../local/cut-short.ts";

const folder = mkdtempSync(join(tmpdir(), "kraft-cut-short-"));
after(() => {
  rmSync(folder, { recursive: true });
});

test("an `up` that has not ended was cut short, however often one looks", () => {
  assert.equal(wasCutShort(folder), false);
  upBegins(folder);
  assert.deepEqual([wasCutShort(folder), wasCutShort(folder)], [true, true]);
  upEnded(folder);
  assert.equal(wasCutShort(folder), false);
  upEnded(folder);
});

test("every Kubernetes object of a record is to be applied again, and nothing else of it changes", () => {
  const file = join(folder, "local.json");
  const stack = { urn: "urn:stack", custom: false, type: "pulumi:pulumi:Stack" };
  const provider = { urn: "urn:provider", custom: true, type: "pulumi:providers:kubernetes", inputs: { context: "c" } };
  const chart = { urn: "urn:chart", custom: false, type: "kubernetes:helm.sh/v4:Chart" };
  const guest = { urn: "urn:guest", custom: true, type: "kubernetes:k3k.io/v1beta1:Cluster", protect: true };
  const secret = { urn: "urn:secret", custom: true, type: "kubernetes:core/v1:Secret", outputs: { data: "encrypted" } };
  const record = (...resources: object[]) => ({
    version: 3,
    checkpoint: { stack: "local", latest: { secrets_providers: { type: "passphrase" }, resources } },
  });
  writeFileSync(file, JSON.stringify(record(stack, provider, chart, guest, secret)));
  assert.equal(distrustRecord(file), 2);
  const initErrors = ["the run before this one was cut short"];
  assert.deepEqual(
    JSON.parse(readFileSync(file, "utf8")),
    record(stack, provider, chart, { ...guest, initErrors }, { ...secret, initErrors }),
  );
});

test("where nothing was ever recorded there is nothing to doubt", () => {
  assert.equal(distrustRecord(join(folder, "none.json")), 0);
  const empty = join(folder, "empty.json");
  writeFileSync(empty, JSON.stringify({ version: 3, checkpoint: { stack: "local", latest: null } }));
  assert.equal(distrustRecord(empty), 0);
});
