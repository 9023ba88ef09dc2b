import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { nothingRuns } from "../../../cluster/running-versions.ts";
import { guard } from "../../../infra/guards/guard.ts";
import { kubeconfigWarnings, renewalOf } from "../../../infra/kubeconfig-renewal.ts";
import { live, model } from "./guards/example.ts";

const now = new Date("2026-11-25T20:00:00Z");
const renewal = { before: "renew it", after: "repair it" };

function messages(end: string | undefined): string[] {
  return kubeconfigWarnings(end === undefined ? undefined : new Date(end), renewal, now).map(({ message }) => message);
}

describe("the host's kubeconfig", () => {
  test("within 30 days of its end it is warned of, with the way to renew it", () => {
    assert.deepEqual(messages("2026-12-25T23:00:00Z"), [
      "its client certificate expires in 30 days, on 2026-12-25: renew it",
    ]);
    assert.deepEqual(messages("2026-11-26T01:00:00Z"), [
      "its client certificate expires in 1 day, on 2026-11-26: renew it",
    ]);
    assert.deepEqual(messages("2026-11-25T21:00:00Z"), [
      "its client certificate expires TODAY, on 2026-11-25: renew it",
    ]);
  });

  test("before that, and without a certificate, nothing is said", () => {
    assert.deepEqual(messages("2026-12-26T01:00:00Z"), []);
    assert.deepEqual(messages(undefined), []);
  });

  test("every preview says it, whatever else there is to say", async () => {
    const warned = async (certificateEnd: Date | undefined) => {
      const liveSources = {
        cluster: () => Promise.resolve({ live: live(), running: nothingRuns, nodes: [], certificateEnd }),
        backedUp: () => assert.fail("the bucket was asked"),
      };
      return (await guard(model(), liveSources, now)).warnings;
    };
    assert.deepEqual(await warned(undefined), []);
    const [warning, ...others] = await warned(new Date("2026-12-01T00:00:00Z"));
    assert.deepEqual(others, []);
    assert.equal(warning?.key, "kraft:cluster.kubeconfig");
    assert.match(warning.message, /in 6 days, on 2026-12-01: .*k3s\.yaml/);
  });
});

test("how it is renewed follows from who runs the machines", () => {
  const homelab = { name: "homelab", distribution: "k3s" } as const;
  const proliant = { name: "proliant", distribution: "talos" } as const;
  assert.match(renewalOf(homelab, true).before, /^npx kraft host-kubeconfig -s homelab --force;/);
  assert.match(renewalOf(homelab, false).before, /k3s\.yaml/);
  assert.match(renewalOf(proliant, true).before, /kraft:machines\.again, then pulumi up/);
  // Once the cluster cannot be asked, no run gets that far.
  assert.doesNotMatch(renewalOf(proliant, true).after, /pulumi up/);
  assert.match(renewalOf(proliant, false).after, /talosctl kubeconfig/);
});
