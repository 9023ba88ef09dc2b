import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseImages, imageOptions } from "../../../../local/images/source.ts";

const built = { kind: "built" } as const;
const upstream = { kind: "upstream" } as const;
const mirrored = { kind: "upstream", registry: "a.example:5000" } as const;

test("a cluster keeps the images that it has until others are asked for", () => {
  for (const [asked, earlier, expected] of [
    [undefined, undefined, built],
    [undefined, built, built],
    [undefined, mirrored, mirrored],
    [upstream, undefined, upstream],
    [upstream, mirrored, upstream],
    [built, mirrored, built],
  ] as const) {
    assert.deepEqual(chooseImages(asked, earlier).source, expected);
  }
});

test("it is said where the images are not those that are built, and nobody has asked in this run", () => {
  assert.equal(chooseImages(undefined, undefined).reason, undefined);
  assert.equal(chooseImages(upstream, built).reason, undefined);
  assert.match(chooseImages(undefined, mirrored).reason ?? "", /\(--images upstream --registry a\.example:5000\)/);
  assert.match(chooseImages(undefined, upstream).reason ?? "", /npm run local -- --images built$/);
});

test("a source is written as the command line has it", () => {
  assert.deepEqual([built, upstream, mirrored].map(imageOptions), [
    "--images built",
    "--images upstream",
    "--images upstream --registry a.example:5000",
  ]);
});
