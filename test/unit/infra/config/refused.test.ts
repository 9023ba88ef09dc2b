import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import { ConfigError, refuse, report } from "../../../../errors/problem.ts";
import { findings } from "../../../../infra/checks/findings.ts";
import { validate } from "../../../../infra/config/validate.ts";
import { stacks } from "../../../../stacks/index.ts";
import { stackFile } from "../../../fixtures/stack-file.ts";

const folder = new URL("../../../fixtures/refused/", import.meta.url);
const fixtures = readdirSync(folder).filter((name) => name.endsWith(".yaml"));

/** `node test/unit/infra/config/refused.test.ts --write` writes the messages anew, for a person to read in the diff. */
const write = process.argv.includes("--write");

describe("a bad stack file is refused with the exact text", () => {
  for (const name of fixtures) {
    test(name.replace(".yaml", ""), () => {
      const { stack, raw } = stackFile(new URL(name, folder));
      const expected = new URL(name.replace(".yaml", ".txt"), folder);
      const message = refusal(() => {
        refuse(stack, findings(validate(stack, stacks, raw), new Date("2026-11-22T00:00:00Z")).problems);
      });
      if (write) {
        writeFileSync(expected, `${message}\n`);
      }
      assert.equal(`${message}\n`, readFileSync(expected, "utf8"));
    });
  }
});

test("the file that the fixtures change is accepted", () => {
  const { stack, raw } = stackFile();
  assert.equal(validate(stack, stacks, raw).tenants.length, 1);
});

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    assert.equal(report(error.where, error.problems), error.message);
    assert.ok(error.message.startsWith(`${error.where} has `));
    return error.message;
  }
  return assert.fail("accepted");
}
