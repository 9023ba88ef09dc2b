import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAllDocuments } from "yaml";
import { tenantAllowance } from "../../../../components/plan/size.ts";
import { reportCommand, termsManifest } from "../../../../components/plan/tenant-terms.ts";

const daily = { words: "every day at 01:05 UTC", keep: 30 };
const terms = {
  contact: "Eva Meier, eva@meier.example",
  notices: ["Saturday 20:00 to 22:00: new disks", "Monday: a new name server"],
  classes: [
    { name: "kraft-standard", backups: daily },
    { name: "kraft-bulk", backups: { words: "every Saturday at 02:20 UTC", keep: 13 } },
  ],
  datastore: { backups: daily },
  isMeasured: false,
};

/** The one object of a manifest. */
function objectOf(manifest: string): unknown {
  const documents = parseAllDocuments(manifest).map((document) => document.toJS() as unknown);
  assert.equal(documents.length, 1);
  return documents[0];
}

test("a tenant reads in the guest what is planned, the allowance, the backups and whom to ask", () => {
  const allowance = tenantAllowance("small", { memory: "6Gi" });
  assert.deepEqual(objectOf(termsManifest("acme", allowance, terms)), {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "kraft-terms", namespace: "kube-public" },
    data: {
      report: `What the cluster acme may use, and what is planned.

Planned
  Saturday 20:00 to 22:00: new disks
  Monday: a new name server

Your own pods and volumes may use, together
  CPU: 2, as requested by pods that run
  memory: 6Gi, as requested by pods that run
  volumes: 50Gi
  pods: 30

Backups
  volumes of kraft-standard: every day at 01:05 UTC, 30 kept
  volumes of kraft-bulk: every Saturday at 02:20 UTC, 13 kept
  the objects of the cluster: every day at 01:05 UTC, 30 kept

What is used, and when each volume was last backed up
  nobody measures it here: the operator can tell

Whom to ask
  Eva Meier, eva@meier.example
`,
    },
  });
});

test("where nothing is planned and nobody named, it says so, or nothing", () => {
  const text = termsManifest("acme", tenantAllowance("small"), { ...terms, notices: [], contact: undefined });
  assert.match(text, /nothing that the operator wrote down/);
  assert.doesNotMatch(text, /Whom to ask/);
});

test("a notice stays text, whatever is in it", () => {
  const notices = ["--- {a: 1}", "'\"\\n\u001b[2J: *x &y !!z #", 'x"}}'];
  const { data } = objectOf(termsManifest("acme", tenantAllowance("small"), { ...terms, notices })) as {
    readonly data: { readonly report: string };
  };
  for (const notice of notices) {
    assert.ok(data.report.includes(`  ${notice}\n`), notice);
  }
});

test("the command finds both objects by the beginning of their names", () => {
  assert.equal(reportCommand, "kubectl -n kube-public describe configmap kraft");
});
