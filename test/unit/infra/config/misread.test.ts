import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { ConfigError } from "../../../../errors/problem.ts";
import { keysReadOtherwise, modelOf, readStackFile } from "../../../../infra/config/stack-file.ts";
import { stacks } from "../../../../stacks/index.ts";
import { folderWith, kraft } from "../../../fixtures/kraft/command.ts";

const fixtures = join(import.meta.dirname, "..", "..", "..", "fixtures", "misread");
const stack = stacks.get("homelab") ?? assert.fail("no stack homelab");
const folder = mkdtempSync(join(tmpdir(), "kraft-misread-"));

/** `node test/unit/infra/config/misread.test.ts --write` writes the messages anew, for a person to read in the diff. */
const write = process.argv.includes("--write");

after(() => {
  rmSync(folder, { recursive: true });
});

describe("a stack file that Pulumi reads otherwise, or not at all, is refused with the exact text", () => {
  for (const name of readdirSync(fixtures).filter((file) => file.endsWith(".yaml"))) {
    test(name.replace(".yaml", ""), () => {
      copyFileSync(join(fixtures, name), join(folder, "Pulumi.homelab.yaml"));
      const expected = join(fixtures, name.replace(".yaml", ".txt"));
      const message = refusal(() => readStackFile(stack, folder));
      if (write) {
        writeFileSync(expected, `${message}\n`);
      }
      assert.equal(`${message}\n`, readFileSync(expected, "utf8"));
      // The program looks at the file before it declares anything.
      assert.equal(
        refusal(() => keysReadOtherwise(stack, folder, { values: {}, encrypted: new Set() })),
        message,
      );
    });
  }
});

test("every verb refuses it, and none takes a tenant outside `config:` for one that is not declared", () =>
  folderWith({}, async (directory) => {
    copyFileSync(join(fixtures, "tenants-outside-config.yaml"), join(directory, "Pulumi.homelab.yaml"));
    for (const line of [["check"], ["welcome", "acme"], ["restore", "plan"], ["status"]]) {
      const { code, stdout, stderr } = await kraft([...line, "-s", "homelab", "--directory", directory]);
      assert.match(stdout + stderr, /kraft:tenants\n {4}found: {3}a key outside `config:`/, line.join(" "));
      assert.notEqual(code, 0);
    }
  }));

test("values that the passphrase encrypted need the line that it opens them by", () =>
  folderWith(
    {},
    (directory) => {
      assert.match(
        refusal(() => modelOf(readStackFile(stack, directory))),
        /^ {2}encryptionsalt\n {4}found: {3}nothing\n {4}allowed: the line that the passphrase opens kraft:.*\n {4}fix: {5}bring it back/m,
      );
    },
    null,
  ));

test("the keys that the engine has otherwise are named, and none of those that it has alike", () =>
  folderWith({}, (directory) => {
    const { raw } = readStackFile(stack, directory);
    assert.deepEqual(keysReadOtherwise(stack, directory, raw), []);
    const values = { ...raw.values, domain: "other.example", phase: "restore", issuer: undefined };
    const encrypted = new Set([...raw.encrypted].filter((key) => key !== "guestTokenSeed"));
    assert.deepEqual(keysReadOtherwise(stack, directory, { values, encrypted }), [
      "kraft:domain",
      "kraft:guestTokenSeed",
      "kraft:issuer",
      "kraft:phase",
    ]);
  }));

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message;
  }
  return assert.fail("accepted");
}
