import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChartValuesHooks } from "../../../components/plan/chart-values.ts";
import { validate } from "../../../infra/config/validate.ts";
import { platform } from "../../../infra/platform.ts";
import { declared } from "../../../kraft/diff/mocked-resources.ts";
import { stacks } from "../../../stacks/index.ts";
import { stackFile } from "../../fixtures/stack-file.ts";

function modelWith(chartValues: ChartValuesHooks) {
  const model = validate("homelab", stacks, stackFile().raw);
  return { ...model, stack: { ...model.stack, chartValues } };
}

test("a stack's hook changes a chart; one that changes what it must not is refused before anything is declared", async () => {
  let message = "";
  const resources = await declared("homelab", async () => {
    await platform(
      modelWith({
        k3k: (values) => ({ ...values, serviceAccount: { create: false } }),
        longhorn: (values) => ({ ...values, defaultBackupStore: null }),
      }),
      [],
    ).catch((error: unknown) => {
      message = (error as Error).message;
    });
    // Declares each resource for the first time: under these mocks a second time would be one more.
    await platform(modelWith({ traefik: (values) => ({ ...values, nodeSelector: { wired: "true" } }) }), []);
  });
  assert.match(message, /^stacks\/homelab\.ts has 2 problems\. Nothing was changed\.\n/);
  assert.match(
    message,
    /\n {2}chartValues\.k3k\.serviceAccount\.create\n {4}found: {3}false, where Kraft sets nothing\n/,
  );
  assert.match(message, /\n {2}chartValues\.longhorn\.defaultBackupStore\n {4}found: {3}null, where Kraft sets \{/);
  const charts = resources.filter(({ type }) => type === "kubernetes:helm.sh/v4:Chart");
  assert.deepEqual(charts.map(({ name }) => name).sort(), ["cert-manager", "k3k", "longhorn", "traefik"]);
  const { values } = charts.find(({ name }) => name === "traefik")?.inputs as { values: Record<string, unknown> };
  assert.deepEqual(values["nodeSelector"], { wired: "true" });
  assert.equal(resources.filter(({ name }) => name === "host").length, 1);
});

test("the stacks as they are shipped change no chart's values", () => {
  for (const { chartValues } of stacks.values()) {
    assert.equal(chartValues, undefined);
  }
});
