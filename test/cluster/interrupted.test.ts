import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { KubernetesObject } from "../../local/api.ts";
import { isRunning } from "../../local/process-identity.ts";
import { readState } from "../../local/state.ts";
import { embedded, eventually, type Config, type Embedded, type Tenants } from "./embedded.ts";
import { killWithDescendants } from "./kill.ts";

/** How often an `up` is killed, each time in the middle of another change. */
const kills = 8;

const acme = { domains: ["acme.example"], size: "small" };
const blue = { domains: ["blue.example"], size: "medium" };
const tenants: Tenants = { acme, blue };

/** Changes that a real operator makes, the last of which is what they had. */
const edits: readonly Tenants[] = [
  { acme: { ...acme, size: "large" }, blue },
  { acme, blue, delta: { domains: ["delta.example"], size: "small" } },
  { acme, blue: { ...blue, state: "suspended" }, delta: { domains: ["delta.example"], size: "small" } },
  { acme, blue, delta: { domains: ["delta.example"], size: "medium" } },
];

let local: Embedded;

before(async () => {
  local = await embedded("local");
  await local.up({ "kraft:tenants": tenants });
});

after(() => local.remove());

/** What data hangs on, by kind and name, each with its UID: whoever made it anew would change it. */
async function holders(): Promise<readonly string[]> {
  const collections = await Promise.all(
    [
      "/apis/k3k.io/v1beta1/clusters",
      "/apis/k3k.io/v1beta1/virtualclusterpolicies",
      "/api/v1/namespaces",
      "/api/v1/persistentvolumeclaims",
      "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    ].map(async (path) => [path, await local.cluster.api.list(path)] as const),
  );
  return collections
    .flatMap(([path, objects]) =>
      objects.map(({ metadata }) => `${path} ${metadata.namespace ?? ""}/${metadata.name} ${metadata.uid ?? ""}`),
    )
    .filter((line) => !line.includes("delta"))
    .sort();
}

test("a test that is ended takes its cluster along", async () => {
  const script = `
    const { embedded } = await import(${JSON.stringify(import.meta.resolve("./embedded.ts"))});
    const { cluster } = await embedded("local");
    console.log(JSON.stringify(cluster.directory));
    setInterval(() => undefined, 1000);
  `;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [said] = (await once(child.stdout, "data")) as [Buffer];
  const directory = JSON.parse(said.toString("utf8")) as string;
  const processes = Object.values(readState(directory)?.processes ?? {});
  assert.ok(processes.length > 0 && processes.every(isRunning));
  child.kill("SIGTERM");
  const [code] = (await once(child, "exit")) as [number | null];
  assert.equal(code, 143);
  await eventually("its folder is gone", () => Promise.resolve(existsSync(dirname(directory)) ? undefined : true));
  assert.deepEqual(processes.filter(isRunning), []);
});

test(`killed ${kills} times at random, each time in another change: nothing is made anew, and the next up ends well`, async () => {
  const before = await holders();
  const delays: number[] = [];
  for (let kill = 0; kill < kills; kill += 1) {
    const edit: Config = { "kraft:tenants": edits[kill % edits.length] };
    const child = local.start("up", edit);
    const delay = 1500 + Math.random() * 12_000;
    delays.push(Math.round(delay));
    await Promise.race([sleep(delay), new Promise((resolve) => child.once("exit", resolve))]);
    await killWithDescendants(child);
    assert.deepEqual(await holders(), before, `after ${delays.join(", ")} ms`);
  }
  const last: Config = { "kraft:tenants": edits.at(-1) };
  const run = await local.up(last);
  const errors = run.messages.filter(({ severity }) => severity === "error");
  assert.deepEqual(errors, [], `after ${delays.join(", ")} ms`);
  assert.deepEqual(await holders(), before);
  assert.deepEqual((await local.preview(last)).steps, []);
  const guests = await local.cluster.api.list<KubernetesObject & { readonly spec: object }>(
    "/apis/k3k.io/v1beta1/clusters",
  );
  assert.deepEqual(guests.map(({ metadata }) => metadata.name).sort(), ["acme", "blue", "delta"]);
  // None is left suspended by a run that was to suspend it and did not end.
  assert.ok(guests.every(({ spec }) => !("nodeSelector" in spec)));
});
