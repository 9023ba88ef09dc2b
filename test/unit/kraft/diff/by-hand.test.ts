import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { handChangeText } from "../../../../infra/drift/drift-message.ts";
import { Style } from "../../../../kraft/cli/output.ts";
import { comment } from "../../../../kraft/diff/comment.ts";
import { isSevere } from "../../../../kraft/diff/drift.ts";
import { type Preview, previewOf, type PreviewStep } from "../../../../kraft/diff/preview.ts";
import { changesOf, isOfRefresh, looksAtCluster } from "../../../../kraft/diff/preview-changes.ts";
import { changesText, headline } from "../../../../kraft/diff/text.ts";
import { state, step, urn } from "./samples.ts";

const stackUrn = "urn:pulumi:local::kraft::pulumi:pulumi:Stack::kraft-local";
const onStack = (operation: string): PreviewStep => ({
  ...step(operation, ""),
  urn: stackUrn,
  new: state({}, { custom: false }),
});

const quota = (pods: string, secrets = "10") =>
  state({
    apiVersion: "v1",
    kind: "ResourceQuota",
    metadata: { name: "kraft-objects", namespace: "k3k-acme" },
    spec: { hard: { pods, secrets } },
  });

/** A preview that looks at the cluster first: of the stack itself it announces both. */
function preview(steps: readonly PreviewStep[], messages: Preview["messages"] = []): Preview {
  return { steps: [onStack("refresh"), ...steps, onStack("same")], messages };
}

const look = (recorded: ReturnType<typeof state>) =>
  step("refresh", "tenant-acme-quota", { old: recorded, new: recorded });

describe("what was changed by hand", () => {
  test("a field that the cluster has otherwise than recorded, and not one that the program changes", () => {
    const [change] = changesOf(
      preview([look(quota("30")), step("update", "tenant-acme-quota", { old: quota("999"), new: quota("30", "20") })]),
    );
    assert.equal(change?.byHand, "changed");
    assert.deepEqual(change.fields, [
      { path: "spec.hard.pods", old: "999", new: "30", byHand: true },
      { path: "spec.hard.secrets", old: "10", new: "20" },
    ]);
    assert.ok(isSevere(change));
  });

  test("an object that was recorded and has to be created", () => {
    const [change] = changesOf(preview([look(quota("30")), step("create", "tenant-acme-quota", { new: quota("30") })]));
    assert.deepEqual([change?.operation, change?.byHand], ["create", "deleted"]);
  });

  test("not what is new, and nothing of a preview that does not look", () => {
    const update = step("update", "tenant-acme-quota", { old: quota("999"), new: quota("30") });
    for (const steps of [
      preview([step("create", "tenant-acme-quota", { new: quota("30") })]),
      { steps: [update], messages: [] },
    ]) {
      assert.equal(changesOf(steps)[0]?.byHand, undefined);
    }
    assert.equal(looksAtCluster({ steps: [update], messages: [] }), false);
  });

  test("a secret, of which the look says only that it differs", () => {
    const hidden = state({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "key", namespace: "k3k-acme" },
      data: { key: "[secret]" },
    });
    const [change] = changesOf(
      preview([
        step("refresh", "tenant-acme-quota", { old: hidden, new: hidden, detailedDiff: { "data.key": "update" } }),
        step("update", "tenant-acme-quota", { old: hidden, new: hidden, detailedDiff: { "data.key": "update" } }),
      ]),
    );
    assert.equal(change?.byHand, "changed");
  });

  const told = {
    owner: "acme",
    apiVersion: "v1",
    kind: "ResourceQuota",
    namespace: "k3k-acme",
    name: "kraft-objects",
    path: "spec.hard.services",
    live: "9",
    declared: undefined,
    writer: "kubectl-edit, 2026-11-28T19:00:00Z",
  };
  const message = { severity: "warning", text: `warning: ${handChangeText(told)}; up puts it back` };

  test("what only the program sees, of an object by itself or beside what the look sees", () => {
    const added = { path: "spec.hard.services", old: "9", new: undefined, byHand: true };
    const [alone] = changesOf(preview([], [message]));
    assert.deepEqual(
      [alone?.owner, alone?.operation, alone?.byHand, alone?.fields],
      ["acme", "update", "changed", [added]],
    );
    const both = changesOf(
      preview(
        [look(quota("30")), step("update", "tenant-acme-quota", { old: quota("999"), new: quota("30") })],
        [message],
      ),
    );
    assert.equal(both.length, 1);
    assert.deepEqual(both[0]?.fields, [{ path: "spec.hard.pods", old: "999", new: "30", byHand: true }, added]);
  });

  test("is said in the headline, in the text and in the comment", () => {
    const changes = changesOf(preview([], [message]));
    const verdict = { blocked: [], confirmed: [] };
    assert.equal(
      headline(changes, "local"),
      "Affects acme on local: 1 changed. Nothing is deleted or replaced. " +
        "Changed by hand, and put back by up: 1, of which 1 SEVERE: tenant isolation or data.",
    );
    const lines = changesText(changes, { stack: "local", verdict }, new Style(false));
    assert.ok(
      lines.includes("  changed (changed by hand, SEVERE)  ResourceQuota k3k-acme/kraft-objects"),
      lines.join("\n"),
    );
    assert.ok(lines.includes("      - spec.hard.services: 9  (by hand)"), lines.join("\n"));
    assert.match(
      comment(changes, { stack: "local", verdict }),
      /`spec\.hard\.services`: `9` → removed \(by hand → declared\)/,
    );
  });
});

test("the engine's events of a preview that looks at the cluster keep the look beside the step that follows", () => {
  const metadata = (op: string, old: object | undefined, next: object | undefined) => ({
    metadata: { op, urn: urn("tenant-acme-quota"), old, new: next },
  });
  const found = previewOf([
    { resourcePreEvent: metadata("refresh", quota("30"), quota("30")) },
    { resOutputsEvent: metadata("refresh", quota("30"), quota("999")) },
    { resourcePreEvent: metadata("update", quota("999"), quota("30")) },
    { resOutputsEvent: metadata("update", quota("999"), quota("30")) },
  ]);
  assert.deepEqual(
    found.steps.map(({ operation }) => operation),
    ["refresh", "update"],
  );
  assert.equal(isOfRefresh(found), false);
});
