import assert from "node:assert/strict";
import { test } from "node:test";
import type { ResourceTransform, ResourceTransformArgs } from "@pulumi/pulumi";
import { DependencyResource } from "@pulumi/pulumi/resource.js";
import { chartOptions, protectOnlyData } from "../../../components/install-chart.ts";

const chart = "urn:pulumi:homelab::kraft::kraft:index:Longhorn$kubernetes:helm.sh/v4:Chart::longhorn";
const component = "urn:pulumi:homelab::kraft::kraft:index:Longhorn::longhorn";

/** What a transform is told of an object below this parent. */
function resource(type: string, parent: string): ResourceTransformArgs {
  const opts = { parent: new DependencyResource(parent), protect: true, retainOnDelete: true, ignoreChanges: ["spec"] };
  return { custom: true, type, name: "object", props: { own: "kept" }, opts };
}

test("of a protected chart's objects those that hold no data lose their protection, and nothing else", async () => {
  const service = resource("kubernetes:core/v1:Service", chart);
  assert.deepEqual(await protectOnlyData(service), {
    props: service.props,
    opts: { ...service.opts, protect: false, retainOnDelete: false },
  });
  for (const kind of ["core/v1:Secret", "core/v1:PersistentVolumeClaim", "storage.k8s.io/v1:StorageClass"]) {
    assert.equal(await protectOnlyData(resource(`kubernetes:${kind}`, chart)), undefined, kind);
  }
  const definition = resource("kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition", chart);
  assert.equal(await protectOnlyData(definition), undefined);
  assert.equal(await protectOnlyData(resource("kubernetes:helm.sh/v4:Chart", component)), undefined);
});

test("what a component declares beside its chart keeps its protection", async () => {
  assert.equal(await protectOnlyData(resource("kubernetes:core/v1:Service", component)), undefined);
  const { opts, ...withoutParent } = resource("kubernetes:core/v1:Service", component);
  const { parent: _, ...rest } = opts;
  assert.equal(await protectOnlyData({ ...withoutParent, opts: rest }), undefined);
});

test("all transforms of a component with a chart are one, which does what they do in their order", async () => {
  const seen: unknown[] = [];
  const adds =
    (word: string): ResourceTransform =>
    ({ props, opts }) => {
      seen.push([word, props, opts]);
      return { props: { words: [...((props as { words?: string[] }).words ?? []), word] }, opts: { protect: true } };
    };
  const leavesAlone: ResourceTransform = ({ props }) => {
    seen.push(props);
    return undefined;
  };
  const { transforms = [], ...others } = chartOptions(
    { protect: false, transforms: [adds("second"), leavesAlone] },
    leavesAlone,
    adds("first"),
  );
  assert.deepEqual(others, { protect: false });
  assert.equal(transforms.length, 1);
  const result = await transforms[0]?.({ custom: true, type: "t", name: "a", props: {}, opts: { version: "1" } });
  assert.deepEqual(result, { props: { words: ["first", "second"] }, opts: { protect: true } });
  assert.deepEqual(seen, [
    {},
    ["first", {}, { version: "1" }],
    ["second", { words: ["first"] }, { protect: true }],
    { words: ["first", "second"] },
  ]);
});

test("an object that no transform changes is left alone", async () => {
  const { transforms = [] } = chartOptions(undefined, () => undefined);
  assert.equal(await transforms[0]?.(resource("kubernetes:core/v1:Service", chart)), undefined);
});
