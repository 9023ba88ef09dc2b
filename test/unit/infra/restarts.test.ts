import assert from "node:assert/strict";
import { test } from "node:test";
import { validate } from "../../../infra/config/validate.ts";
import { platform } from "../../../infra/platform.ts";
import { declared } from "../../../kraft/diff/mocked-resources.ts";
import { stacks } from "../../../stacks/index.ts";
import { stackFile } from "../../fixtures/stack-file.ts";
import { tenant } from "./checks/example.ts";

test("guests restart one after the other, and what does not come back keeps the rest as they are", async () => {
  const seen: string[] = [];
  let message = "";
  const resources = await declared("homelab", async () => {
    const model = validate("homelab", stacks, stackFile().raw);
    const staged = ["acme", "blue", "coral", "fresh"].map((name) => ({
      tenant: tenant(name),
      stage: "guest" as const,
    }));
    await platform(model, staged, {
      before: ["coral"],
      inTurn: ["acme", "blue"],
      seeThrough: (name) => {
        seen.push(name);
        return name === "acme" ? Promise.reject(new Error("acme is not back")) : Promise.resolve();
      },
    }).catch((error: unknown) => {
      message = (error as Error).message;
    });
  });
  assert.equal(message, "acme is not back");
  assert.deepEqual(seen, ["coral", "acme"]);
  const clusters = resources.map(({ name }) => name).filter((name) => /^tenant-\w+-cluster$/.test(name));
  assert.deepEqual(clusters, ["tenant-coral-cluster", "tenant-fresh-cluster", "tenant-acme-cluster"]);
});
