// Measures what Kraft promises in numbers, on the embedded stack `local`, and says which promise is kept:
//
//   npm run measure
//
// Cold builds are not part of it: `npm run local` says itself how long they took.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Api } from "../local/api.ts";
import { cacheDirectory } from "../local/cache.ts";
import { embedded } from "./cluster/embedded.ts";
import { type Measurement, PeakMemory, report } from "./measurement.ts";

interface StateResource {
  readonly custom: boolean;
  readonly type: string;
  readonly inputs?: { readonly apiVersion?: string; readonly kind?: string; readonly metadata?: ObjectName };
}

interface ObjectName {
  readonly name?: string;
  readonly namespace?: string;
}

/** OpenTofu 1.12.6 with `kubernetes_manifest`, measured once on two busy cores: it is not run here. */
const openTofu = { day: "2026-11-28", plan: 45.6, withoutRefresh: 35 } as const;

// As every local run does.
process.env["NODE_COMPILE_CACHE"] ??= join(cacheDirectory(), "compiled");

const start = performance.now();
const host = await embedded("local");
const memory = new PeakMemory(() => host.cluster.directory);
const rows: Measurement[] = [];
try {
  const cluster = seconds(start);
  const first = await host.up();
  rows.push(["from no cluster to everything up", cluster + first.seconds, "s", 180]);
  const again = await host.up();
  const [look, preview] = await alternating(async () => (await host.preview()).seconds);
  const [freshLook, fresh] = await alternating(freshPreview);
  const applied = await apiServerSeconds(
    host.cluster.api,
    join(host.cluster.directory, "pulumi/state/.pulumi/stacks/kraft/local.json"),
  );
  rows.push(
    ["up with nothing changed", again.seconds, "s", 60],
    ["preview with nothing changed, without the look at the cluster", preview, "s", 4],
    ["the same in a new process, from its start to its end", fresh, "s", 4],
    ["preview with the look at the cluster, as it always is", look, "s", undefined],
    ["the same in a new process", freshLook, "s", undefined],
    ["with the look against without", look / preview, "times", 1.5],
    ["the same in a new process", freshLook / fresh, "times", 1.5],
    [`OpenTofu's plan of the same objects, as measured on ${openTofu.day}`, openTofu.plan, "s", undefined],
    ["the same without refresh, measured then", openTofu.withoutRefresh, "s", undefined],
    [`server-side apply, dry run, of the same ${applied.objects} objects`, applied.seconds, "s", undefined],
    ["preview against that", preview / applied.seconds, "times", undefined],
    ["most memory at once: cluster, engine, provider, program", memory.gibibytes, "GiB", 4],
  );
} finally {
  memory.stop();
  await host.remove();
}

report(rows);
await import("./measure-home.ts");

/** The middle ones of three measurements with the look at the cluster, and of three without, one after the other. */
async function alternating(measure: () => Promise<number>): Promise<readonly [look: number, without: number]> {
  const measured: Record<"look" | "without", number[]> = { look: [], without: [] };
  for (let round = 0; round < 3; round += 1) {
    for (const kind of ["look", "without"] as const) {
      host.refresh = kind === "look";
      measured[kind].push(await measure());
    }
  }
  host.refresh = true;
  const [look = NaN, without = NaN] = [measured.look, measured.without].map(
    (numbers) => numbers.sort((one, other) => one - other)[1],
  );
  return [look, without];
}

/** How long a process takes that does nothing but a preview. */
async function freshPreview(): Promise<number> {
  const begin = performance.now();
  const child = host.start("preview");
  child.stdout.resume();
  child.stderr.resume();
  const [code] = (await once(child, "exit")) as [number | null];
  assert.equal(code, 0);
  return seconds(begin);
}

function seconds(since: number): number {
  return (performance.now() - since) / 1000;
}

/** The API server's own share: applying every object of the state once more, one after the other, without effect. */
async function apiServerSeconds(api: Api, stateFile: string): Promise<{ objects: number; seconds: number }> {
  const state = JSON.parse(readFileSync(stateFile, "utf8")) as {
    checkpoint: { latest: { resources: readonly StateResource[] } };
  };
  const objects = state.checkpoint.latest.resources
    .filter(({ custom, type }) => custom && type.startsWith("kubernetes:"))
    .map(({ inputs }) => inputs)
    // A Secret's values are encrypted in the state.
    .filter((inputs) => inputs?.kind !== undefined && inputs.kind !== "Secret");
  const collections = new Map<string, (namespace: string) => string>();
  for (const apiVersion of new Set(objects.map((object) => object?.apiVersion ?? ""))) {
    const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const found = await api.get<{ resources: { name: string; kind: string; namespaced: boolean }[] }>(root);
    for (const { name, kind, namespaced } of found?.resources.filter((resource) => !resource.name.includes("/")) ??
      []) {
      collections.set(`${apiVersion} ${kind}`, (namespace) =>
        namespaced ? `${root}/namespaces/${namespace}/${name}` : `${root}/${name}`,
      );
    }
  }
  const begin = performance.now();
  for (const object of objects) {
    const collection = collections.get(`${object?.apiVersion} ${object?.kind}`);
    const path = `${collection?.(object?.metadata?.namespace ?? "default")}/${object?.metadata?.name}`;
    const { status, text } = await api.send("PATCH", `${path}?fieldManager=kraft-local&force=true&dryRun=All`, {
      body: object ?? {},
      type: "application/apply-patch+yaml",
    });
    assert.ok(status < 300, text);
  }
  return { objects: objects.length, seconds: seconds(begin) };
}
