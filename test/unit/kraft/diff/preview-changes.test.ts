import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { platformOwner } from "../../../../infra/drift/owner.ts";
import { NotAPreview, previewOf, type PreviewStep, readPreview } from "../../../../kraft/diff/preview.ts";
import { changesOf } from "../../../../kraft/diff/preview-changes.ts";
import { state, step, urn } from "./samples.ts";

function of(...steps: PreviewStep[]) {
  return changesOf({ steps, messages: [] });
}

const namespace = (name: string, labels = {}) =>
  state({ apiVersion: "v1", kind: "Namespace", metadata: { name, labels } });

test("the digest of a declaration is shown only where nothing else changes", () => {
  const object = (data: string, digest: string) =>
    state({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "a", annotations: { "kraft.dev/declared": digest } },
      data: { key: data },
    });
  const paths = (old: ReturnType<typeof state>, next: ReturnType<typeof state>) =>
    of(step("update", urn("thing", "kubernetes:core/v1:ConfigMap"), { old, new: next })).flatMap(({ fields }) =>
      fields.map(({ path }) => path),
    );
  assert.deepEqual(paths(object("1", "a"), object("2", "b")), ["data.key"]);
  assert.deepEqual(paths(object("1", "a"), object("1", "b")), ['metadata.annotations["kraft.dev/declared"]']);
});

describe("whose an object is", () => {
  const outside = urn("thing", "kubernetes:core/v1:ConfigMap");
  const cases: readonly (readonly [what: string, urn: string, object: Record<string, unknown>, owner: string])[] = [
    ["the component says it", urn("tenant-acme-policy"), {}, "acme"],
    ["a component inside the tenant's", urn("tenant-acme-network-to-internet"), {}, "acme"],
    [
      "the component wins over the label",
      urn("tenant-acme-x"),
      { metadata: { labels: { "kraft.dev/tenant": "blue" } } },
      "acme",
    ],
    ["a label", outside, { metadata: { labels: { "kraft.dev/tenant": "blue" } } }, "blue"],
    ["a namespace", outside, { metadata: { namespace: "k3k-blue" } }, "blue"],
    ["a namespace itself", outside, { kind: "Namespace", metadata: { name: "k3k-blue" } }, "blue"],
    [
      "a volume, by its claim",
      outside,
      { kind: "PersistentVolume", spec: { claimRef: { namespace: "k3k-blue" } } },
      "blue",
    ],
    ["K3k's own namespace", outside, { metadata: { namespace: "k3k-system" } }, platformOwner],
    [
      "a label that is no tenant's name",
      outside,
      { metadata: { labels: { "kraft.dev/tenant": "a b" } } },
      platformOwner,
    ],
    [
      "a name like a tenant's outside the component",
      "urn:pulumi:s::kraft::kubernetes:core/v1:Secret::tenant-acme-x",
      {},
      platformOwner,
    ],
    ["nothing known", outside, {}, platformOwner],
  ];
  for (const [what, at, object, owner] of cases) {
    test(what, () => {
      assert.equal(of({ ...step("create", ""), urn: at, new: state(object) })[0]?.owner, owner);
    });
  }
});

describe("what happens", () => {
  const cases: readonly (readonly [operations: readonly string[], expected: readonly string[]])[] = [
    [["same"], []],
    [["read"], []],
    [["refresh"], []],
    [["create"], ["create"]],
    [["import"], ["create"]],
    [["update"], ["update"]],
    [["delete"], ["delete"]],
    [["create-replacement", "replace", "delete-replaced"], ["replace"]],
    [["delete-replaced", "replace", "create-replacement"], ["replace"]],
  ];
  for (const [operations, expected] of cases) {
    test(operations.join(", "), () => {
      const steps = operations.map((operation) =>
        step(operation, "tenant-acme-namespace", { old: namespace("k3k-acme") }),
      );
      assert.deepEqual(
        of(...steps).map(({ operation }) => operation),
        expected,
      );
    });
  }

  test("components are no objects", () => {
    const component = {
      ...step("delete", "tenant-acme"),
      urn: "urn:pulumi:local::kraft::kraft:index:Tenant::tenant-acme",
    };
    assert.deepEqual(of(component), []);
  });

  test("destructive first, then by owner, kind and name", () => {
    const order = of(
      step("create", "tenant-acme-a", { new: namespace("k3k-acme") }),
      step("delete", "tenant-blue-b", { old: namespace("k3k-blue") }),
      step("update", "tenant-acme-c", { old: namespace("k3k-acme"), new: namespace("k3k-acme", { a: "b" }) }),
      step("replace", "longhorn-namespace", { old: namespace("longhorn-system"), new: namespace("longhorn-system") }),
    );
    assert.deepEqual(
      order.map(({ operation, owner }) => `${operation} ${owner}`),
      ["delete blue", "replace platform", "update acme", "create acme"],
    );
  });

  test("a protected object that would be replaced or deleted is a change, though Pulumi has no step for it", () => {
    const token = urn("tenant-acme-token", "kubernetes:core/v1:Secret");
    const cluster = urn("tenant-acme-cluster", "kubernetes:k3k.io/v1beta1:Cluster");
    const found = changesOf({
      steps: [
        {
          ...step("same", ""),
          urn: token,
          old: state({ kind: "Secret", metadata: { name: "k3k-acme-token", namespace: "k3k-acme" } }),
        },
      ],
      messages: [
        {
          severity: "error",
          text: `unable to replace resource "${token}"\nas it is currently marked for protection. To`,
        },
        {
          severity: "error",
          text: `Preview failed: resource "${cluster}" cannot be deleted\nbecause it is protected.`,
        },
      ],
    });
    assert.deepEqual(
      found.map(({ operation, kind, name, refused, loss }) => [operation, kind, name, refused, loss !== undefined]),
      [
        ["delete", "Cluster", "tenant-acme-cluster", true, true],
        ["replace", "Secret", "k3k-acme-token", true, true],
      ],
    );
  });
});

describe("fields", () => {
  const secretData = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", ciphertext: "[secret]" };

  test("a secret shows that it changes, and no value", () => {
    const before = { apiVersion: "v1", kind: "Secret", metadata: { name: "a" }, data: secretData };
    const [found] = of(
      step("update", "longhorn-x", {
        old: state(before),
        new: state(before),
        detailedDiff: { "data.key": "update" },
      }),
    );
    assert.deepEqual(found?.fields, [{ path: "data.key", old: "[secret]", new: "[secret]" }]);
  });

  test("what the API server holds is shown where the program did not change", () => {
    const asked = { apiVersion: "v1", kind: "Namespace", metadata: { name: "k3k-acme" } };
    const held = (level: string) => ({ ...asked, metadata: { name: "k3k-acme", labels: { "pod-security/x": level } } });
    const [found] = of(
      step("update", "tenant-acme-namespace", {
        old: state(asked, { outputs: held("baseline") }),
        new: state(asked, { outputs: held("privileged") }),
        detailedDiff: { 'metadata.labels["pod-security/x"]': "update" },
      }),
    );
    assert.deepEqual(found?.fields, [
      { path: 'metadata.labels["pod-security/x"]', old: "baseline", new: "privileged" },
    ]);
  });

  test("lists of texts say what comes and goes; lists with names are compared by name", () => {
    const policy = (except: readonly string[], ports: readonly object[]) =>
      state({ kind: "NetworkPolicy", metadata: { name: "p" }, spec: { except, ports } });
    const [found] = of(
      step("update", "tenant-acme-network", {
        old: policy(
          ["a", "b", "c"],
          [
            { name: "http", port: 80 },
            { name: "https", port: 443 },
          ],
        ),
        new: policy(["b", "c", "d"], [{ name: "https", port: 8443 }]),
      }),
    );
    assert.deepEqual(found?.fields, [
      { path: "spec.except", old: ["a"], new: ["d"] },
      { path: 'spec.ports["http"]', old: { name: "http", port: 80 }, new: undefined },
      { path: 'spec.ports["https"].port', old: 443, new: 8443 },
    ]);
  });

  test("a list that is compared by names is not shown by numbers once more", () => {
    const pods = (image: string) =>
      state({ kind: "Deployment", spec: { template: { spec: { containers: [{ name: "k3k", image }] } } } });
    const [found] = of(
      step("update", "k3k", {
        old: pods("a"),
        new: pods("b"),
        detailedDiff: { "spec.template.spec.containers[0].image": "update" },
      }),
    );
    assert.deepEqual(found?.fields, [{ path: 'spec.template.spec.containers["k3k"].image', old: "a", new: "b" }]);
  });

  test("what forces a replacement is marked", () => {
    const claim = (storageClassName: string) => state({ kind: "PersistentVolumeClaim", spec: { storageClassName } });
    const [found] = of(
      step("replace", "tenant-acme-claim", {
        old: claim("a"),
        new: claim("b"),
        detailedDiff: { "spec.storageClassName": "update-replace" },
      }),
    );
    assert.deepEqual(found?.fields, [{ path: "spec.storageClassName", old: "a", new: "b", forcesReplacement: true }]);
  });

  test("no value of a Secret is ever shown, whatever it is and however it came", () => {
    const operation = fc.constantFrom("create", "update", "replace", "delete");
    const name = fc.stringMatching(/^[a-z]{1,6}$/);
    fc.assert(
      fc.property(operation, fc.dictionary(name, fc.uuid()), fc.dictionary(name, fc.uuid()), (what, old, next) => {
        const secret = (key: "data" | "stringData", content: object) =>
          state(
            { kind: "Secret", metadata: { name: "a" }, [key]: content },
            { outputs: { kind: "Secret", [key]: content } },
          );
        const paths = [...Object.keys(old), ...Object.keys(next)].map((key) => [`data.${key}`, "update"]);
        const text = JSON.stringify(
          of(
            step(what, "tenant-acme-x", {
              old: secret("data", old),
              new: secret("stringData", next),
              detailedDiff: Object.fromEntries(paths) as Record<string, string>,
            }),
          ),
        );
        return [...Object.values(old), ...Object.values(next)].every((value) => !text.includes(value));
      }),
    );
  });
});

describe("the forms of a preview", () => {
  const inputs = (domain: string) => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: "k3k-acme", annotations: { "kraft.dev/domains": domain } },
  });
  const at = urn("tenant-acme-namespace");
  const digest = {
    steps: [
      {
        op: "update",
        urn: at,
        oldState: { custom: true, inputs: inputs("a.example") },
        newState: { custom: true, inputs: inputs("b.example") },
        detailedDiff: { 'metadata.annotations["kraft.dev/domains"]': { kind: "update", inputDiff: false } },
      },
    ],
    changeSummary: { update: 1 },
  };
  const events = [
    { sequence: 1, preludeEvent: { config: {} } },
    {
      resourcePreEvent: {
        metadata: {
          op: "update",
          urn: at,
          old: { custom: true, inputs: inputs("a.example") },
          new: { custom: true, inputs: inputs("b.example") },
          detailedDiff: { 'metadata.annotations["kraft.dev/domains"]': { diffKind: "update", inputDiff: false } },
        },
      },
    },
    { diagnosticEvent: { severity: "warning", message: "<{%fg 3%}>careful<{%reset%}>\n" } },
  ];

  for (const [form, text] of [
    ["the document of --json", JSON.stringify(digest, undefined, 4)],
    ["the events as an array", JSON.stringify(events)],
    ["the events one a line", events.map((event) => JSON.stringify(event)).join("\n")],
  ] as const) {
    test(form, () => {
      const changes: unknown = JSON.parse(JSON.stringify(changesOf(readPreview(text))));
      assert.deepEqual(changes, [
        {
          owner: "acme",
          apiVersion: "v1",
          kind: "Namespace",
          name: "k3k-acme",
          resource: "tenant-acme-namespace",
          operation: "update",
          fields: [{ path: 'metadata.annotations["kraft.dev/domains"]', old: "a.example", new: "b.example" }],
        },
      ]);
    });
  }

  test("of a refresh, the outcome counts", () => {
    const metadata = (op: string) => ({ op, urn: at, old: { custom: true, inputs: inputs("a.example") } });
    const refresh = [{ resourcePreEvent: { metadata: metadata("refresh") } }];
    assert.deepEqual(changesOf(previewOf(refresh)), []);
    const gone = changesOf(previewOf([...refresh, { resOutputsEvent: { metadata: metadata("delete") } }]));
    assert.deepEqual(
      gone.map(({ operation, name }) => [operation, name]),
      [["delete", "k3k-acme"]],
    );
  });

  test("messages lose their colours", () => {
    assert.deepEqual(previewOf(events).messages, [{ severity: "warning", text: "careful" }]);
  });

  for (const text of ["", "no JSON", "{}", "[]", "[1]", '{"a":1}\nnope']) {
    test(`${JSON.stringify(text)} is no preview`, () => {
      assert.throws(() => readPreview(text), NotAPreview);
    });
  }
});
