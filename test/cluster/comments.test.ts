import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { allConfig, setAllConfig } from "@pulumi/pulumi/runtime/index.js";
import { parse } from "yaml";
import { messageOf } from "../../errors/failure.ts";
import { type LiveSources, liveSources } from "../../infra/guards/guard.ts";
import program from "../../infra/index.ts";
import type { Change } from "../../kraft/diff/change.ts";
import { comment } from "../../kraft/diff/comment.ts";
import { verdictOn } from "../../kraft/diff/confirmation.ts";
import { previewOf } from "../../kraft/diff/preview.ts";
import { changesOf } from "../../kraft/diff/preview-changes.ts";
import { previewNotes } from "../../kraft/diff/text.ts";
import { openEngine } from "../../local/engine.ts";
import { generatedSecrets } from "../../local/stack-files.ts";
import type { Config, Embedded, Tenants } from "./embedded.ts";
import { platform } from "./platform.ts";

/** `node test/cluster/comments.test.ts --write` writes the comments anew, for a person to read in the diff. */
const write = process.argv.includes("--write");

/** The day on which the comments were made: it stands in the line that would confirm a loss. */
const today = new Date("2026-11-23T12:00:00Z");

const stackFile = parse(readFileSync(new URL("../../Pulumi.local.yaml", import.meta.url), "utf8")) as {
  config: { "kraft:tenants": Tenants };
};
const tenants = stackFile.config["kraft:tenants"];

let local: Embedded;

before(async () => {
  local = await platform();
  await local.up();
});

after(async () => {
  await local.remove();
});

/** What a preview of the real engine changes, whether it refuses to or not. */
async function changes(
  config: Config,
  secrets: Readonly<Record<string, string>> = {},
  around: LiveSources = liveSources,
): Promise<Change[]> {
  const events: unknown[] = [];
  const engine = await openEngine({
    cluster: local.cluster,
    config,
    onEvent: (event) => events.push(event),
    program: async () => {
      setAllConfig({ ...allConfig(), ...secrets }, [...generatedSecrets]);
      return { ...(await program(around)) };
    },
  });
  await engine.preview().catch((error: unknown) => {
    assert.match(messageOf(error), /protect/);
  });
  return changesOf(previewOf(events));
}

function golden(name: string, found: readonly Change[]): void {
  const expected = new URL(`../fixtures/comments/${name}.md`, import.meta.url);
  const verdict = verdictOn(found, "", today);
  const text = comment(found, { stack: "local", verdict, notes: previewNotes(found, true) });
  if (write) {
    writeFileSync(expected, text);
  }
  assert.equal(text, readFileSync(expected, "utf8"));
}

test("a tenant is added", async () => {
  const delta = { domains: ["delta.example"], size: "small" };
  golden("add", await changes({ "kraft:tenants": { ...tenants, delta } }));
});

test("a tenant gets another size and other domains, and the backup key is rotated; no secret shows", async () => {
  const acme = { ...tenants["acme"], domains: ["acme.test"], size: "medium" };
  const key = "a-key-that-nobody-may-see";
  const found = await changes({ "kraft:tenants": { ...tenants, acme } }, { "kraft:wasabiSecretAccessKey": key });
  assert.ok(!JSON.stringify(found).includes(key) && !JSON.stringify(found).includes(btoa(key)));
  golden("change", found);
});

test("a tenant leaves the file, and no guard has seen it: Pulumi's protection is the second wall", async () => {
  const others = Object.fromEntries(Object.entries(tenants).filter(([name]) => name !== "acme"));
  const blind: LiveSources = {
    ...liveSources,
    cluster: async (model) => {
      const seen = await liveSources.cluster(model);
      return { ...seen, live: { ...seen.live, tenants: [] } };
    },
  };
  const found = await changes({ "kraft:tenants": others }, {}, blind);
  // The engine begins with everything that nothing hangs on, and stops at the first that is protected. How many others
  // it has begun with by then is chance; the guest cluster is always among them.
  // So is what K3k binds the kubelets of its guest by.
  const touched = new Set(found.map(({ owner, operation, kind }) => `${operation} ${owner} ${kind}`));
  touched.delete("update platform ClusterRoleBinding");
  assert.deepEqual([...new Set([...touched].map((text) => text.split(" ").slice(0, 2).join(" ")))], ["delete acme"]);
  golden(
    "remove",
    found.filter(({ kind }) => kind === "Cluster"),
  );
});

test("every tenant's token is replaced, by another seed", async () => {
  golden("replace", await changes({}, { "kraft:guestTokenSeed": "another seed, of 32 characters or more" }));
});
