import assert from "node:assert/strict";
import { test } from "node:test";
import type { EngineRun } from "../../../local/engine-run.ts";
import type { ImageSource } from "../../../local/images/source.ts";
import { changeLine, linesOfSite, realLines, simulatedLines } from "../../../local/summary.ts";

const nothing: EngineRun = {
  changes: { same: 234 },
  steps: [],
  looked: 211,
  byHand: [],
  messages: [],
  seconds: 1,
};
const byHand = [{ owner: "acme", object: "NetworkPolicy k3k-acme/kraft-default-deny", what: "deleted" }];

test("what a run did, in one line that claims no more than it looked at", () => {
  for (const [run, expected] of [
    [nothing, "Nothing changed: all 234 resources are as declared, and so are the 211 objects read from the cluster."],
    [{ ...nothing, looked: 0 }, "Nothing changed: all 234 resources are as recorded. The cluster was not looked at."],
    [{ ...nothing, byHand }, "Nothing of the program changed. Changed by hand, and put back: 1 object."],
    [
      { ...nothing, changes: { create: 1, same: 233 }, byHand },
      "1 created, 233 unchanged. Changed by hand, and put back: 1 object.",
    ],
    [{ ...nothing, changes: { update: 2, same: 232 } }, "2 updated, 232 unchanged."],
  ] as const) {
    assert.equal(changeLine(run), expected);
  }
});

test("with machines nothing is called simulated that runs, and each stand-in is named", () => {
  const real = realLines("real", "an S3 server").join("\n");
  const rest = simulatedLines("real", ["traefik", "longhorn"]).join("\n");
  assert.match(real, /containerd, kube-proxy and the firewall of kube-router/);
  assert.match(real, /an S3 server$/);
  assert.match(real, /Traefik,\n.* the K3k controller, from their own code;/);
  assert.match(rest, /Longhorn: a STAND-IN/);
  assert.match(rest, /K3s in the guests: a STAND-IN/);
  assert.match(rest, /k3s' load balancer/);
  assert.match(rest, /npm run local -- --charts <folder>/);
  assert.doesNotMatch(`${real}${rest}`, /kwok|simulated/i);
  // All charts are the user's own.
  assert.doesNotMatch(simulatedLines("real", []).join("\n"), /--charts/);
});

test("published images are called so, with where they were taken from", () => {
  const of = (images: ImageSource): string => realLines("real", "an S3 server", images).join("\n");
  assert.match(of({ kind: "upstream" }), /the K3k controller, from the images that their projects publish;/);
  assert.match(of({ kind: "upstream", registry: "a.example:5000" }), /projects publish, by a\.example:5000;/);
});

test("without machines every promise of a run is taken back that nothing keeps", () => {
  assert.doesNotMatch(realLines("simulated", "an S3 server").join("\n"), /kubelet|containerd|Traefik|Pebble/);
  assert.match(simulatedLines("simulated", []).join("\n"), /nodes and pods, by kwok: .* run nothing/);
  assert.match(simulatedLines("simulated", ["traefik"]).join("\n"), /traefik: STAND-INS of our own/);
});

test("the commands for a tenant's site name every file and port that they need", () => {
  const lines = linesOfSite({
    tenant: "acme",
    host: "www.acme.example",
    port: 16_444,
    root: "/example/roots.pem",
    kubeconfig: "/example/acme.kubeconfig",
  });
  assert.ok(
    lines[0]?.includes(
      "curl --cacert /example/roots.pem --resolve www.acme.example:16444:127.0.0.1 https://www.acme.example:16444/",
    ),
    lines[0],
  );
  assert.ok(lines.slice(1).every((line) => line.includes("kubectl --kubeconfig /example/acme.kubeconfig ")));
});
