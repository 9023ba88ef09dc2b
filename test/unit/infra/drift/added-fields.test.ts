import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  isForeign,
  type ManagedFields,
  type ManagedObject,
  takenOver,
  unseenFields,
} from "../../../../infra/drift/added-fields.ts";
import { handChangeIn, handChangeText } from "../../../../infra/drift/drift-message.ts";

const time = "2026-11-28T19:00:00Z";

function object(content: object, ...managedFields: readonly ManagedFields[]): ManagedObject {
  return { metadata: { name: "a", managedFields }, ...content };
}

const own = (fieldsV1: object): ManagedFields => ({
  manager: "pulumi-kubernetes-1234abcd",
  operation: "Apply",
  fieldsV1: fieldsV1 as Readonly<Record<string, unknown>>,
});
const applied = (manager: string, fieldsV1: object): ManagedFields => ({ ...own(fieldsV1), manager });
const by = (manager: string, fieldsV1: object, subresource?: string): ManagedFields => ({
  manager,
  operation: "Update",
  time,
  ...(subresource !== undefined && { subresource }),
  fieldsV1: fieldsV1 as Readonly<Record<string, unknown>>,
});

describe("who may write to what Pulumi declared", () => {
  const cases: readonly (readonly [foreign: boolean, what: string, ...entries: ManagedFields[]])[] = [
    [false, "Pulumi alone", own({ "f:spec": { "f:podSelector": {} } })],
    [false, "Pulumi under another name, before", by("pulumi-kubernetes-99999999", { "f:spec": { "f:a": {} } })],
    [false, "Kraft, what it declares", applied("kraft", { "f:spec": { "f:a": {} } })],
    [
      false,
      "a verb of Kraft's, a note",
      by("kraft", { "f:metadata": { "f:annotations": { "f:kraft.dev/arrived-from": {} } } }),
    ],
    [true, "somebody under Kraft's name", by("kraft", { "f:spec": { "f:egress": {} } })],
    [true, "somebody under the name of a verb", applied("kraft-move", { "f:spec": { "f:egress": {} } })],
    [true, "a name that only begins like Kraft's", by("kraftwerk", { "f:spec": { "f:a": {} } })],
    [false, "a controller, its status", by("kube-controller-manager", { "f:status": { "f:used": {} } }, "status")],
    [
      false,
      "cert-manager's CA injector",
      by("cert-manager-cainjector", {
        "f:webhooks": { 'k:{"name":"a.b"}': { ".": {}, "f:name": {}, "f:clientConfig": { "f:caBundle": {} } } },
      }),
    ],
    [
      false,
      "K3k, the Pod Security of a tenant's namespace",
      by("k3k", { "f:metadata": { "f:labels": { "f:pod-security.kubernetes.io/enforce": {} } } }),
    ],
    [
      false,
      "K3k 1.2.0, its label on a guest",
      by("k3k", { "f:metadata": { "f:labels": { "f:provider.cattle.io": {} } } }),
    ],
    [true, "K3k, any other label", by("k3k", { "f:metadata": { "f:labels": { "f:a": {} } } })],
    [
      true,
      "a person, the same label",
      by("kubectl-label", { "f:metadata": { "f:labels": { "f:pod-security.kubernetes.io/enforce": {} } } }),
    ],
    [false, "a finalizer", by("k3k", { "f:metadata": { "f:finalizers": { ".": {}, 'v:"a/b"': {} } } })],
    [
      false,
      "a permission that a person gave",
      by("kubectl-annotate", { "f:metadata": { "f:annotations": { "f:kraft.dev/may-be-deleted": {} } } }),
    ],
    [true, "a person, a rule", by("kubectl-edit", { "f:spec": { "f:egress": {} } })],
    [true, "any other program", by("python", { "f:spec": { "f:egress": {} } })],
  ];
  for (const [foreign, what, ...entries] of cases) {
    test(`${what}: ${foreign ? "a change by hand" : "nothing to tell"}`, () => {
      assert.equal(isForeign(object({}, ...entries)), foreign);
    });
  }
});

describe("what of it a refresh does not see", () => {
  const edited = (spec: object, fieldsV1: object): ManagedObject =>
    object({ spec }, own({ "f:spec": { "f:podSelector": {} } }), by("kubectl-edit", { "f:spec": fieldsV1 }));
  const found = (live: ManagedObject, spec: object) =>
    unseenFields(live, { spec }).map(({ path, live: is, declared }) => [path, is, declared]);

  test("a property that nobody declared", () => {
    const live = edited({ podSelector: {}, egress: [{}] }, { "f:egress": {} });
    assert.deepEqual(found(live, { podSelector: {} }), [["spec.egress", [{}], undefined]]);
  });

  test("one more entry of a list, by itself", () => {
    const live = edited({ egress: [{ to: [] }, {}] }, { "f:egress": {} });
    assert.deepEqual(found(live, { egress: [{ to: [] }] }), [["spec.egress[1]", {}, undefined]]);
  });

  test("an entry of a list with keys, but not its key", () => {
    const live = edited(
      { matchConditions: [{ name: "never", expression: "false" }] },
      { "f:matchConditions": { 'k:{"name":"never"}': { ".": {}, "f:name": {}, "f:expression": {} } } },
    );
    assert.deepEqual(found(live, {}), [['spec.matchConditions["never"].expression', "false", undefined]]);
  });

  test("one more value of a list that is a set", () => {
    const live = edited({ actions: ["Deny", "Warn"] }, { "f:actions": { 'v:"Warn"': {} } });
    assert.deepEqual(found(live, { actions: ["Deny"] }), [['spec.actions["Warn"]', "Warn", undefined]]);
  });

  test("not what a refresh shows: another value, a missing entry, another order", () => {
    for (const [is, declared] of [
      [{ a: 1 }, { a: 2 }],
      [{ a: [1] }, { a: [1, 2] }],
      [{ a: [2, 1] }, { a: [1, 2] }],
    ] as const) {
      assert.deepEqual(found(edited(is, { "f:a": {} }), declared), []);
    }
  });

  test("not a value that is as declared, whoever wrote it", () => {
    assert.deepEqual(found(edited({ a: [{ b: 1 }] }, { "f:a": {} }), { a: [{ b: 1 }] }), []);
  });
});

test("taking over: what a person wrote becomes Pulumi's, notes and controllers' fields stay with whoever wrote them", () => {
  const declaring = own({ "f:spec": { "f:podSelector": {} } });
  const controller = by("kube-controller-manager", { "f:status": {} }, "status");
  const live = object(
    {},
    declaring,
    controller,
    by("kubectl-edit", {
      "f:metadata": { "f:annotations": { ".": {}, "f:kraft.dev/note": {} }, "f:labels": { "f:a": {} } },
      "f:spec": { "f:matchConditions": { 'k:{"name":"never"}': { ".": {}, "f:name": {}, "f:expression": {} } } },
    }),
  );
  assert.deepEqual(takenOver(live, "pulumi-kubernetes-1234abcd"), [
    {
      ...declaring,
      fieldsV1: {
        "f:spec": {
          "f:podSelector": {},
          "f:matchConditions": { 'k:{"name":"never"}': { ".": {}, "f:name": {}, "f:expression": {} } },
        },
        "f:metadata": { "f:labels": { "f:a": {} } },
      },
    },
    controller,
    by("kubectl-edit", { "f:metadata": { "f:annotations": { ".": {}, "f:kraft.dev/note": {} } } }),
  ]);
});

describe("a message of the program", () => {
  const change = {
    owner: "acme",
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    namespace: "k3k-acme",
    name: "kraft-default-deny",
    path: 'spec["a b"].egress',
    live: [{ to: "is 1, declared is 2 (3, 4)" }],
    declared: undefined,
    writer: `kubectl-edit, ${time}`,
  };
  for (const [what, told] of [
    ["what nobody declared", change],
    ["what is declared otherwise", { ...change, declared: { a: "x (y)" } }],
    ["an object without a namespace", { ...change, namespace: undefined }],
  ] as const) {
    test(`says ${what}, and is read again, whatever the CLI puts around it`, () => {
      assert.deepEqual(handChangeIn(`warning: ${handChangeText(told)}; up puts it back\n`), told);
    });
  }

  test("of another kind is no change", () => {
    assert.equal(handChangeIn("kraft:phase: restore"), undefined);
  });
});
