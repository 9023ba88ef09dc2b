import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { deleteGuarded } from "../../cluster/deletion.ts";
import type { KubernetesObject } from "../../cluster/objects.ts";
import { suspendedAtAnnotation } from "../../components/plan/lifecycle.ts";
import { isRunning } from "../../local/processes.ts";
import { readState } from "../../local/state.ts";
import { type Config, type Embedded, eventually, type Tenants } from "./embedded.ts";
import { killWithDescendants } from "./kill.ts";
import { platform } from "./platform.ts";

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

const policiesOfBlue = "/apis/networking.k8s.io/v1/namespaces/k3k-blue/networkpolicies";

let local: Embedded;

before(async () => {
  local = await platform();
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

interface Guest extends KubernetesObject {
  readonly spec: object;
}

async function guests(): Promise<readonly Guest[]> {
  return local.cluster.api.list<Guest>("/apis/k3k.io/v1beta1/clusters");
}

/** Blue's network policies, by name. */
async function policies(): Promise<readonly { readonly name: string; readonly spec: object }[]> {
  const found = await local.cluster.api.list<Guest>(policiesOfBlue);
  return found
    .map(({ metadata, spec }) => ({ name: metadata.name, spec }))
    .sort((one, other) => one.name.localeCompare(other.name));
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

test("killed when it had stopped a tenant: the next up takes back what no record knows of, and makes what is gone", async () => {
  const { api } = local.cluster;
  const path = "/apis/k3k.io/v1beta1/namespaces/k3k-blue/clusters/blue";
  const [before, rules] = [await holders(), await policies()];
  const child = local.start("up", { "kraft:tenants": { acme, blue: { ...blue, state: "suspended" } } });
  await eventually("blue is stopped", async () => {
    const guest = await api.get<Guest>(path);
    return guest !== undefined && "nodeSelector" in guest.spec ? guest : undefined;
  });
  await killWithDescendants(child);
  // As if that run had been to delete something as well.
  await deleteGuarded(api, `${policiesOfBlue}/${rules[0]?.name}`);
  assert.notDeepEqual(await policies(), rules);

  await local.up({ "kraft:tenants": tenants });
  const guest = await api.get<Guest>(path);
  assert.ok(guest !== undefined && !("nodeSelector" in guest.spec));
  assert.equal(guest.metadata.annotations?.[suspendedAtAnnotation], undefined);
  assert.deepEqual(await policies(), rules);
  assert.deepEqual(await holders(), before);
  const again = await local.up({ "kraft:tenants": tenants });
  assert.deepEqual(again.steps, []);
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
  const left = await guests();
  assert.deepEqual(left.map(({ metadata }) => metadata.name).sort(), ["acme", "blue", "delta"]);
  // None is left suspended by a run that was to suspend it and did not end.
  assert.deepEqual(
    left.filter(({ spec }) => "nodeSelector" in spec).map(({ metadata }) => metadata.name),
    [],
    `after ${delays.join(", ")} ms`,
  );
});
