import assert from "node:assert/strict";
import { test } from "node:test";
import { validate } from "../../../infra/config/validate.ts";
import { platform } from "../../../infra/platform.ts";
import { declared } from "../../../kraft/diff/mocked-resources.ts";
import { stacks } from "../../../stacks/index.ts";
import { stackFile } from "../../fixtures/stack-file.ts";

test("a kubeconfig that points at another cluster is refused before anything is declared", async () => {
  const { raw } = stackFile();
  const cluster = { ...(raw.values["cluster"] as object), uid: "99999999-2222-3333-4444-555555555555" };
  const model = validate("homelab", stacks, { ...raw, values: { ...raw.values, cluster } });
  let message = "";
  const resources = await declared("homelab", async () => {
    await platform(model, []).catch((error: unknown) => {
      message = (error as Error).message;
    });
  });
  assert.equal(
    message,
    `Pulumi.homelab.yaml has 1 problem. Nothing was changed.

  kraft:cluster.uid
    found:   "99999999-2222-3333-4444-555555555555", but context kraft-homelab of ~/.kube/kraft-homelab.yaml is the cluster 11111111-2222-3333-4444-555555555555
    allowed: a kubeconfig that points at the cluster of this stack
    fix:     correct kraft:cluster.kubeconfig or kraft:cluster.context; only if the cluster was rebuilt: pulumi config set --path kraft:cluster.uid 11111111-2222-3333-4444-555555555555`,
  );
  assert.deepEqual(
    resources.map(({ name }) => name).filter((name) => !name.startsWith("host") && name !== "kraft-homelab"),
    [],
  );
});
