import assert from "node:assert/strict";
import { test } from "node:test";
import { secret } from "@pulumi/pulumi";
import { ownFields } from "../../../components/field-manager.ts";
import { digestAnnotation } from "../../../components/plan/names.ts";

const type = "kubernetes:core/v1:ConfigMap";

/** The annotations of an object after the transform; undefined where it leaves the object alone. */
async function annotations(props: object, ofType = type, custom = true) {
  const result = await ownFields({ custom, type: ofType, name: "object", props, opts: {} });
  const { metadata } = (result?.props ?? {}) as { readonly metadata?: { annotations: Record<string, string> } };
  return metadata?.annotations;
}

test("every Kubernetes object gets the field manager, and keeps what it has", async () => {
  const props = { metadata: { name: "a", annotations: { own: "kept" } }, data: { key: "value" } };
  const result = await ownFields({ custom: true, type, name: "a", props, opts: { protect: true } });
  assert.deepEqual(result, {
    props: {
      metadata: {
        name: "a",
        annotations: {
          own: "kept",
          "pulumi.com/patchFieldManager": "kraft",
          "pulumi.com/patchForce": "true",
          [digestAnnotation]: "f91de9e610cd",
        },
      },
      data: { key: "value" },
    },
    opts: { protect: true },
  });
  assert.ok(await annotations({}));
});

test("CustomResourceDefinitions, components and what is not of Kubernetes are left alone", async () => {
  for (const [other, custom] of [
    ["kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition", true],
    ["kubernetes:helm.sh/v4:Chart", false],
    ["command:remote:Command", true],
    ["aws:s3/bucket:Bucket", true],
  ] as const) {
    assert.equal(await annotations({ metadata: {} }, other, custom), undefined, other);
  }
});

test("the digest is that of the declaration: any field changes it, the order of keys and a secret do not", async () => {
  const digest = async (props: object) => (await annotations(props))?.[digestAnnotation];
  const base = await digest({ metadata: { name: "a" }, data: { one: "1", two: "2" } });
  assert.match(base ?? "", /^[0-9a-f]{12}$/);
  assert.equal(await digest({ data: { two: "2", one: "1" }, metadata: { name: "a" } }), base);
  assert.notEqual(await digest({ metadata: { name: "a" }, data: { one: "1", two: "2", three: "" } }), base);
  assert.notEqual(await digest({ metadata: { name: "a" }, data: { one: "2", two: "2" } }), base);
  assert.notEqual(
    await digest({ metadata: { name: "a" }, list: ["1", "2"] }),
    await digest({ metadata: { name: "a" }, list: ["2", "1"] }),
  );
  assert.equal(await digest({ data: secret({ key: "one" }) }), await digest({ data: secret({ key: "other" }) }));
});
