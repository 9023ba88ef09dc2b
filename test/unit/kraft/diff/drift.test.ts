import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import type { Change } from "../../../../kraft/diff/change.ts";
import { type Drift, driftOf } from "../../../../kraft/diff/drift.ts";
import { readPreview } from "../../../../kraft/diff/preview.ts";
import { changesOf } from "../../../../kraft/diff/preview-changes.ts";
import { change } from "./samples.ts";

const field = (path: string) => ({ fields: [{ path, old: "a", new: "b" }] });

describe("what drifted", () => {
  const cases: readonly (readonly [sort: keyof Drift, what: string, change: Change])[] = [
    [
      "security",
      "a network policy",
      change("update", { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", ...field("spec.egress") }),
    ],
    [
      "security",
      "a network policy that is gone",
      change("delete", { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" }),
    ],
    [
      "security",
      "an admission policy",
      change("update", {
        apiVersion: "admissionregistration.k8s.io/v1",
        kind: "ValidatingAdmissionPolicy",
        ...field("spec.failurePolicy"),
      }),
    ],
    [
      "security",
      "its binding",
      change("delete", { apiVersion: "admissionregistration.k8s.io/v1", kind: "ValidatingAdmissionPolicyBinding" }),
    ],
    [
      "security",
      "a namespace's label",
      change("update", { kind: "Namespace", ...field('metadata.labels["pod-security.kubernetes.io/enforce"]') }),
    ],
    [
      "security",
      "a namespace's domains",
      change("update", { kind: "Namespace", ...field('metadata.annotations["kraft.dev/domains"]') }),
    ],
    ["security", "a namespace that is gone", change("delete", { kind: "Namespace" })],
    ["security", "a quota", change("update", { kind: "ResourceQuota", ...field("spec.hard.pods") })],
    [
      "security",
      "a role",
      change("update", { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", ...field("rules") }),
    ],
    ["security", "a secret", change("update", { kind: "Secret", ...field("data.token") })],
    ["security", "data that is gone", change("delete", { kind: "PersistentVolumeClaim", loss: "the volume" })],
    ["harmless", "a quota's status", change("update", { kind: "ResourceQuota", ...field("status.used.pods") })],
    [
      "harmless",
      "a webhook's certificate authority",
      change("update", {
        apiVersion: "admissionregistration.k8s.io/v1",
        kind: "ValidatingWebhookConfiguration",
        ...field('webhooks["a"].clientConfig.caBundle'),
      }),
    ],
    [
      "harmless",
      "a Deployment's revision",
      change("update", {
        apiVersion: "apps/v1",
        kind: "Deployment",
        ...field('metadata.annotations["deployment.kubernetes.io/revision"]'),
      }),
    ],
    [
      "other",
      "a Deployment's image",
      change("update", { apiVersion: "apps/v1", kind: "Deployment", ...field("spec.template") }),
    ],
    [
      "other",
      "a namespace's annotation",
      change("update", { kind: "Namespace", ...field('metadata.annotations["example.org/a"]') }),
    ],
    ["other", "a field that only begins like status", change("update", { kind: "ConfigMap", ...field("statusPage") })],
  ];
  for (const [sort, what, found] of cases) {
    test(`${what} is ${sort}`, () => {
      const drift = driftOf([found]);
      assert.deepEqual(drift, { security: [], other: [], harmless: [], [sort]: [found] });
    });
  }
});

test("what the CLI wrote of a real refresh, of a cluster in which a policy was deleted and a quota raised by hand", () => {
  // `pulumi refresh --preview-only --json` of engine 3.215.0 on the embedded cluster, with one unchanged object left in.
  const text = readFileSync(new URL("../../../fixtures/previews/refresh.json", import.meta.url), "utf8");
  const { security, other, harmless } = driftOf(changesOf(readPreview(text)));
  assert.deepEqual([other, harmless], [[], []]);
  assert.deepEqual(
    security.map(({ operation, owner, kind, name, fields }) => [operation, owner, kind, name, fields]),
    [
      ["delete", "blue", "NetworkPolicy", "kraft-default-deny", []],
      [
        "update",
        "acme",
        "ResourceQuota",
        "kraft-objects",
        [{ path: 'spec.hard["count/secrets"]', old: "200", new: "9999" }],
      ],
    ],
  );
});
