import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { stringify } from "yaml";
import { UsageError } from "../../../../errors/failure.ts";
import { render, withBase } from "../../../../kraft/diff/checkouts.ts";
import { changesBetween } from "../../../../kraft/diff/rendered-changes.ts";
import type { Rendering } from "../../../../kraft/diff/rendering.ts";
import { stackFile } from "../../../fixtures/stack-file.ts";

const checkout = resolve(import.meta.dirname, "../../../..");

let base: Rendering;
let folder: string;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "kraft-test-"));
  for (const part of ["cluster", "components", "errors", "infra", "stacks", "package.json", "Pulumi.yaml"]) {
    cpSync(join(checkout, part), join(folder, part), { recursive: true });
  }
  // Not the checkout's: that one is the operator's to edit.
  const values = Object.entries(stackFile().raw.values).filter(([key]) => key !== "guestTokenSeed");
  const tenants = {
    acme: { domains: ["acme.example"], size: "small" },
    blue: { domains: ["blue.example"], size: "small" },
  };
  const config = Object.fromEntries(values.map(([key, value]) => [`kraft:${key}`, value]));
  const { "kraft:wasabiAccessKeyId": _id, "kraft:wasabiSecretAccessKey": _key, ...clear } = config;
  writeFileSync(join(folder, "Pulumi.homelab.yaml"), stringify({ config: { ...clear, "kraft:tenants": tenants } }));
  base = await render({ program: checkout, files: folder }, "homelab");
  assert.equal(base.refusal, undefined);
});

after(() => {
  rmSync(folder, { recursive: true });
});

/** What an edit of one file comes to. */
async function edited(file: string, edit: (text: string) => string): Promise<string[]> {
  const path = join(folder, file);
  const text = readFileSync(path, "utf8");
  try {
    const next = edit(text);
    assert.notEqual(next, text, "the edit fits nothing");
    writeFileSync(path, next);
    const head = await withBase(checkout, folder, (source) => render(source, "homelab"));
    assert.equal(head.refusal, undefined);
    return changesBetween(base.objects, head.objects).map(({ operation, owner, kind, name, refused }) =>
      [operation, owner, kind, name, ...(refused === true ? ["refused"] : [])].join(" "),
    );
  } finally {
    writeFileSync(path, text);
  }
}

test("the same checkout renders to the same bytes, elsewhere too", async () => {
  const again = await withBase(checkout, folder, (source) => render(source, "homelab"));
  assert.equal(JSON.stringify([...again.objects]), JSON.stringify([...base.objects]));
  assert.ok(base.objects.size > 60, `${base.objects.size}`);
});

test("no secret is in it, not even what stands in for one", () => {
  const secrets = [...base.objects].filter(([key]) => key.startsWith("v1/Secret/"));
  assert.ok(secrets.length >= 5);
  for (const [key, object] of secrets) {
    const fingerprint = /"\[secret [0-9a-f]{12}\]"/.source;
    assert.match(
      JSON.stringify(object),
      new RegExp(`"(data|stringData)":(${fingerprint}|{"[^"]+":${fingerprint}(,"[^"]+":${fingerprint})*})`),
      key,
    );
  }
});

test("a size touches that tenant only, in place", async () => {
  const changes = await edited("Pulumi.homelab.yaml", (text) => text.replace("size: small", "size: medium"));
  assert.deepEqual(changes, [
    "update acme ResourceQuota kraft-objects",
    // What the guest tells its tenant names the allowance.
    "update acme Secret acme-addons",
    "update acme VirtualClusterPolicy tenant-acme",
  ]);
});

test("a tenant under another name is one that goes and one that comes", async () => {
  const changes = await edited("Pulumi.homelab.yaml", (text) => text.replace("    acme:", "    other:"));
  assert.ok(changes.includes("delete acme Cluster acme refused"), changes.join("\n"));
  assert.ok(changes.includes("create other Cluster other"));
  assert.deepEqual(
    [...new Set(changes.map((change) => change.split(" ").slice(0, 2).join(" ")))],
    ["delete acme", "create other"],
  );
});

test("another ciphertext of the seed may be another seed: every token would be replaced", async () => {
  const seed = '  kraft:guestTokenSeed: { secure: "v1:another" }\n';
  const changes = await edited("Pulumi.homelab.yaml", (text) => text + seed);
  assert.deepEqual(changes, [
    "replace acme Secret k3k-acme-token refused",
    "replace blue Secret k3k-blue-token refused",
  ]);
});

test("a resource under another name in the program is replaced, whatever it is called in the cluster", async () => {
  const changes = await edited("components/tenant.ts", (text) => text.replace("`${name}-cluster`", "`${name}-guest`"));
  assert.deepEqual(changes, ["replace acme Cluster acme refused", "replace blue Cluster blue refused"]);
});

test("protection that goes is a change", async () => {
  const changes = await edited("components/tenant.ts", (text) =>
    text.replace('const isProtected = args.stage !== "closing";', "const isProtected = false;"),
  );
  assert.ok(changes.includes("update acme Cluster acme"), changes.join("\n"));
});

test("a stack file that is refused says why", async () => {
  const path = join(folder, "Pulumi.homelab.yaml");
  const text = readFileSync(path, "utf8");
  writeFileSync(path, text.replace("size: small", "size: tiny"));
  const { refusal } = await withBase(checkout, folder, (source) => render(source, "homelab"));
  writeFileSync(path, text);
  assert.match(refusal ?? "", /kraft:tenants\.acme\.size/);
});

test("a base that is neither a folder nor a commit is refused", async () => {
  for (const wrong of ["no-such-commit", "--output=x", join(checkout, "docs")]) {
    await assert.rejects(() => withBase(checkout, wrong, () => Promise.resolve()), UsageError, wrong);
  }
});

test("a folder with nothing but a stack file is rendered by our program", async () => {
  const files = mkdtempSync(join(tmpdir(), "kraft-test-"));
  cpSync(join(folder, "Pulumi.homelab.yaml"), join(files, "Pulumi.homelab.yaml"));
  const alike = await withBase(checkout, files, (source) => render(source, "homelab"));
  rmSync(files, { recursive: true });
  assert.equal(JSON.stringify([...alike.objects]), JSON.stringify([...base.objects]));
});
