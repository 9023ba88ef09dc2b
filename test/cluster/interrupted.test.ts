import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { deleteGuarded } from "../../cluster/delete-guarded.ts";
import type { KubernetesObject } from "../../cluster/objects.ts";
import { suspendedAtAnnotation } from "../../components/plan/lifecycle.ts";
import { isRunning } from "../../local/processes.ts";
import { readState } from "../../local/state.ts";
import { type Config, type Embedded, eventually, type Tenants } from "./embedded.ts";
import { killWithDescendants } from "./kill.ts";
import { platform } from "./platform.ts";

/** How often an `up` is killed, each time in the middle of another change. */
const kills = 20;

const acme = { domains: ["acme.example"], size: "small" };
const blue = { domains: ["blue.example"], size: "medium" };
const tenants: Tenants = { acme, blue };

const delta = { domains: ["delta.example"], size: "small" };

/** Starts an `up` that records every step at once, as an operator's `pulumi up` does and a local one does not. */
function startWithCheckpoints(config: Config): ReturnType<Embedded["start"]> {
  process.env["PULUMI_SKIP_CHECKPOINTS"] = "false";
  try {
    return local.start("up", config);
  } finally {
    delete process.env["PULUMI_SKIP_CHECKPOINTS"];
  }
}

/** Changes that an operator makes, one after the other and from the beginning again. */
const edits: readonly Tenants[] = [
  { acme, blue, delta },
  { acme, blue: { ...blue, state: "suspended" }, delta },
  { acme, blue, delta: { ...delta, size: "medium" } },
  { acme: { ...acme, size: "large" }, blue, delta },
  { acme: { ...acme, domains: ["acme.example", "acme.test"] }, blue: { ...blue, tier: "bulk" }, delta },
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

/** What of the tenants follows from the stack file, as the cluster has it. */
async function inForce(): Promise<string> {
  const { api } = local.cluster;
  const collections = await Promise.all(
    [
      "/apis/k3k.io/v1beta1/clusters",
      "/apis/k3k.io/v1beta1/virtualclusterpolicies",
      "/api/v1/resourcequotas",
      "/apis/networking.k8s.io/v1/networkpolicies",
    ].map((path) => api.list<Guest>(path)),
  );
  return JSON.stringify(
    collections
      .flat()
      .map(({ metadata: { namespace = "", name }, spec }) => `${namespace}/${name} ${JSON.stringify(spec)}`)
      .sort(),
  );
}

test(`killed ${kills} times at random, with the engine's own checkpoints: the next up converges, also with the file put back`, async () => {
  const before = await holders();
  const converged = new Map<Tenants, string>();
  const delays: number[] = [];
  let current = tenants;
  for (let kill = 0; kill < kills; kill += 1) {
    const edit = edits[kill % edits.length] ?? tenants;
    const child = startWithCheckpoints({ "kraft:tenants": edit });
    const delay = 1500 + Math.random() * 8500;
    delays.push(Math.round(delay));
    await Promise.race([sleep(delay), new Promise((resolve) => child.once("exit", resolve))]);
    await killWithDescendants(child);
    // A tenant whose namespace is there cannot be taken out of the file again.
    const isPutBack = kill % 2 === 1 && Object.keys(edit).every((name) => name in current);
    current = isPutBack ? current : edit;
    const what = `after ${delays.join(", ")} ms${isPutBack ? ", put back" : ""}`;
    const { messages } = await local.up({ "kraft:tenants": current });
    assert.deepEqual(
      messages.filter(({ severity }) => severity === "error"),
      [],
      what,
    );
    assert.deepEqual(await holders(), before, what);
    if (converged.has(current)) {
      assert.equal(await inForce(), converged.get(current), what);
    } else {
      assert.deepEqual((await local.preview({ "kraft:tenants": current })).steps, [], what);
      converged.set(current, await inForce());
    }
  }
  assert.deepEqual((await local.preview({ "kraft:tenants": current })).steps, []);
  assert.deepEqual(
    (await guests()).map(({ metadata }) => metadata.name).sort(),
    ["acme", "blue", "delta"],
    `after ${delays.join(", ")} ms`,
  );
});

test("killed without any checkpoint, as a local run: the next up adopts what no record knows of", async () => {
  const before = await holders();
  const echo: Tenants = { ...edits.at(-1), echo: { domains: ["echo.example"], size: "small" } };
  const child = local.start("up", { "kraft:tenants": echo });
  await eventually("echo's guest", async () =>
    (await guests()).some(({ metadata }) => metadata.name === "echo") ? true : undefined,
  );
  await killWithDescendants(child);
  const run = await local.up({ "kraft:tenants": echo });
  assert.deepEqual(
    run.messages.filter(({ severity }) => severity === "error"),
    [],
  );
  assert.deepEqual(
    (await holders()).filter((line) => !line.includes("echo")),
    before,
  );
  assert.deepEqual((await local.preview({ "kraft:tenants": echo })).steps, []);
});
