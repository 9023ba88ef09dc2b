import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { validate } from "../../../../infra/config/validate.ts";
import { type WelcomeFacts, welcomeFacts } from "../../../../kraft/welcome/facts.ts";
import { welcomeSheet } from "../../../../kraft/welcome/sheet.ts";
import { stacks } from "../../../../stacks/index.ts";
import { folderWith, kraft } from "../../../fixtures/kraft/command.ts";
import { stackFile } from "../../../fixtures/stack-file.ts";

const golden = new URL("../../../fixtures/kraft/welcome.md", import.meta.url);

/** `node test/unit/kraft/welcome/welcome.test.ts --write` writes the sheet anew, for a person to read in the diff. */
const write = process.argv.includes("--write");

function facts(): WelcomeFacts {
  const { stack, raw } = stackFile();
  return welcomeFacts(validate(stack, stacks, raw), "acme");
}

test("the sheet, to the letter", () => {
  const sheet = welcomeSheet(facts());
  if (write) {
    writeFileSync(golden, sheet);
  }
  assert.equal(sheet, readFileSync(golden, "utf8"));
});

test("the verb prints it, and nothing of the stack file's that is the operator's own", () =>
  folderWith({}, async (directory) => {
    const { code, stdout, stderr } = await kraft(["welcome", "acme", "--directory", directory]);
    assert.equal(stderr, "");
    assert.equal(stdout, readFileSync(golden, "utf8"));
    assert.equal(code, 0);
    const json = await kraft(["welcome", "acme", "--json", "--directory", directory]);
    for (const text of [stdout, json.stdout]) {
      for (const secret of ["192.168.", "11111111-2222", "kraft-backup", "encrypted-in-the-stack-file", "v1:never"]) {
        assert.ok(!text.includes(secret), secret);
      }
    }
    assert.deepEqual(JSON.parse(json.stdout), { ...facts(), sheet: stdout });
  }));

test("it can be read before Kraft has set up the machines", () => {
  const { values } = stackFile(new URL("../../../fixtures/machines.yaml", import.meta.url)).raw;
  // Each an object of its own: YAML would write one that is used twice as an alias.
  const secret = () => ({ secure: "v1:never:read" });
  const bootstrap = {
    "kraft:cluster": { kubeconfig: "~/.kube/kraft-homelab.yaml", context: "kraft-homelab" },
    "kraft:nodes": values["nodes"],
    "kraft:machines": { clusterInit: true },
    "kraft:machineKey": secret(),
    "kraft:k3sToken": secret(),
  };
  return folderWith(bootstrap, async (directory) => {
    const { code, stdout, stderr } = await kraft(["welcome", "acme", "-s", "homelab", "--directory", directory]);
    assert.equal(stderr, "");
    assert.match(stdout, /^# Your cluster acme\n/);
    assert.equal(code, 0);
    // What needs the cluster says how it comes to be one.
    const live = await kraft(["welcome", "acme", "--live", "-s", "homelab", "--directory", directory]);
    assert.match(live.stderr, /kraft:cluster\.uid\n[^]*fix: +run pulumi up -s homelab/);
    assert.doesNotMatch(live.stderr, /kubectl/);
    assert.equal(live.code, 1);
  });
});

test("one machine, one copy, trusted certificates and several domains read right", () => {
  const sheet = welcomeSheet({
    ...facts(),
    domains: ["acme.example", "acme.test"],
    copies: 1,
    nodes: 1,
    trustedCertificates: true,
  });
  assert.match(sheet, /These with all their subdomains are yours here/);
  assert.match(sheet, /- `acme\.test`/);
  assert.match(sheet, /lies on one machine only\. When that machine is lost, the last backup is what you have\./);
  assert.match(sheet, /All tenants run on the same machine and share its kernel/);
  assert.doesNotMatch(sheet, /staging/);
});

test("ports of the tenant's own are on the sheet, with the Service that each leads to", () => {
  const service = { namespace: "games", name: "minecraft" };
  const sheet = welcomeSheet({ ...facts(), ports: [{ port: 25565, protocol: "tcp", service, servicePort: 25566 }] });
  assert.match(sheet, /\n## Your ports\n/);
  assert.match(sheet, /\| `ingress\.kraft\.example:25565` +\| TCP +\| `games` +\| `minecraft` +\| 25566 +\|/);
  assert.doesNotMatch(welcomeSheet(facts()), /Your ports/);
});

test("a stack file with problems has no sheet: exit code 1 and the problems", () =>
  folderWith({ "kraft:domain": "homelab.invalid" }, async (directory) => {
    const { code, stdout, stderr } = await kraft(["welcome", "acme", "--directory", directory]);
    assert.match(stderr, /Pulumi\.homelab\.yaml has 1 problem/);
    assert.equal(stdout, "");
    assert.equal(code, 1);
  }));
