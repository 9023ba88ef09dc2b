import assert from "node:assert/strict";
import { test } from "node:test";
import { stripDescriptions } from "../cluster/crd-descriptions.ts";

test("descriptions go, in one line or many; a property that is called so stays", () => {
  const yaml = `properties:
  description:
    description: What a person reads.
    type: string
  size:
    description: |-
      In bytes.

      More of it.
    type: integer
  name:
    description: A long one
      over two lines.
    type: string
`;
  assert.equal(
    stripDescriptions(yaml),
    `properties:
  description:
    type: string
  size:
    type: integer
  name:
    type: string
`,
  );
});
