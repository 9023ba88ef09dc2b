import assert from "node:assert/strict";
import { test } from "node:test";
import type { LiveTenant } from "../../../../cluster/live-state.ts";
import { nothingRuns } from "../../../../cluster/running-versions.ts";
import { guard } from "../../../../infra/guards/guard.ts";
import type { Model } from "../../../../infra/model.ts";
import { tenant } from "../checks/example.ts";
import { live, liveTenant, model } from "./example.ts";

type State = Model["tenants"][number]["state"];

const suspendedAt = "2026-11-25T18:00:00Z";

/** What a preview says of acme, who is in a state by the stack file and in the cluster as given. */
async function said(state: State, found: Partial<LiveTenant>): Promise<readonly string[]> {
  const liveSources = {
    cluster: () =>
      Promise.resolve({
        live: live({ tenants: [liveTenant("acme", found)] }),
        running: nothingRuns,
        nodes: [],
        certificateEnd: undefined,
      }),
    backedUp: () => assert.fail("the bucket was asked"),
  };
  const declared = model({ tenants: [tenant("acme", { state })] });
  const { warnings } = await guard(declared, liveSources, new Date("2026-11-25T20:00:00Z"));
  return warnings.map(({ key, message }) => `${key}: ${message}`);
}

test("active, and the guest is stopped: that it starts", async () => {
  assert.deepEqual(await said("active", { suspendedAt }), [
    "kraft:tenants.acme.state: active, and the guest is stopped: this run starts it again",
  ]);
  assert.deepEqual(await said("active", {}), []);
});

test("suspended: only of pods that K3k leaves", async () => {
  assert.deepEqual(await said("suspended", { suspendedAt }), []);
  const [warning = ""] = await said("suspended", { suspendedAt, pods: ["web"] });
  assert.match(warning, /^kraft:tenants\.acme\.state: suspended, but K3k does not stop pods that are there: web\. /);
});
