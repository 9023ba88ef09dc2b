import assert from "node:assert/strict";
import { test } from "node:test";
import { folderWith, kraft } from "../../../fixtures/kraft/command.ts";

const source = { stack: "proliant", bucket: "kraft-backup", region: "eu-central-2", prefix: "proliant" };

test("the policy of the source's key is printed before the tenant is in the file, in the order of docs/moving.md", () =>
  folderWith({ "kraft:source": source }, async (directory) => {
    const printed = await kraft(["move", "dora", "--key-policy", "-s", "homelab", "--directory", directory]);
    assert.equal(printed.code, 0, printed.stderr);
    assert.match(printed.stdout, /"arn:aws:s3:::kraft-backup\/proliant\/\*"/);
    // Whatever else is asked of the move needs the entry.
    const { code, stderr } = await kraft(["move", "dora", "copy", "-s", "homelab", "--directory", directory]);
    assert.equal(code, 2);
    assert.match(stderr, /has no tenant "dora"/);
  }));
