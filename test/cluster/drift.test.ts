// Whatever an administrator changes by hand is shown under the tenant that it touches, and put back by the next `up`.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { parse } from "yaml";
import { record } from "../../infra/config/pulumi-files.ts";
import { declaringManager, isForeign, type ManagedObject } from "../../infra/drift/added-fields.ts";
import { kindsToRead } from "../../infra/drift/isolating-kinds.ts";
import { ownerOf } from "../../infra/drift/owner.ts";
import { dataLostWith } from "../../kraft/diff/change.ts";
import { driftOf } from "../../kraft/diff/drift.ts";
import { previewOf } from "../../kraft/diff/preview.ts";
import { changesOf } from "../../kraft/diff/preview-changes.ts";
import { openEngine } from "../../local/engine.ts";
import type { EngineRun } from "../../local/engine-run.ts";
import type { Embedded, Tenants } from "./embedded.ts";
import { platform } from "./platform.ts";
import { callServersReady } from "./ready-servers.ts";

interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly custom: boolean;
  readonly external?: boolean;
  readonly inputs: { readonly apiVersion: string; readonly kind: string };
  readonly id: string;
  readonly ignoreChanges?: readonly string[];
}

/** An object that Pulumi declared. */
interface Declared {
  readonly title: string;
  readonly owner: string;
  readonly kind: string;
  readonly path: string;
  readonly live: ManagedObject;
  /** The fields whose manager is Pulumi's, as keys: what Kubernetes or a controller owns is not among them. */
  readonly fields: readonly (readonly string[])[];
  /** Whether deleting it loses data: that is refused elsewhere. */
  readonly holdsData: boolean;
}

interface Slip {
  readonly object: Declared;
  readonly what: string;
}

const tenants = (
  parse(readFileSync(new URL("../../Pulumi.local.yaml", import.meta.url), "utf8")) as {
    config: { "kraft:tenants": Tenants };
  }
).config["kraft:tenants"];

/** `KRAFT_TEST_SEED=<seed>` repeats a run. */
const seed = Number(process.env["KRAFT_TEST_SEED"] ?? Date.now() % 1_000_000);
const random = randomFrom(seed);

let local: Embedded;
let endServers: () => Promise<void>;

before(async () => {
  local = await platform();
  // A version changed by hand is put back as any other change of a version is made: one guest after the other, each once it runs.
  endServers = callServersReady(local.cluster.api);
  await local.up();
});

after(async () => {
  await endServers();
  await local.remove();
});

interface Binding {
  readonly subjects?: readonly { readonly kind: string; readonly name: string; readonly namespace: string }[];
}

test("K3k's kubelets keep their rights: what its controller binds once a guest has answered is declared already", async () => {
  const { api } = local.cluster;
  const guests = await api.list("/apis/k3k.io/v1beta1/clusters");
  assert.ok(guests.length > 0);
  for (const role of ["k3k-kubelet-node", "k3k-priorityclass"]) {
    const path = `/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/${role}`;
    const binding = await api.get<Binding>(path);
    const subjects = binding?.subjects ?? [];
    // As bindClusterRoles in K3k's pkg/controller/cluster/cluster.go: it writes only what is missing.
    const missing = guests.filter(
      ({ metadata: { name, namespace } }) =>
        !subjects.some((subject) => subject.name === `k3k-${name}-kubelet` && subject.namespace === namespace),
    );
    assert.deepEqual(missing, [], role);
    assert.equal(subjects.length, guests.length, role);
  }
  // A guest more than is declared, as after an `up` that was cut short before its state was written.
  const path = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/k3k-kubelet-node";
  const binding = await api.get<Binding>(path);
  const more = { kind: "ServiceAccount", name: "k3k-stray-kubelet", namespace: "k3k-stray" };
  const { status } = await api.send("PUT", `${path}?fieldManager=k3k`, {
    body: { ...binding, subjects: [...(binding?.subjects ?? []), more] },
  });
  assert.equal(status, 200);
  const run = await local.up();
  assert.deepEqual(
    run.byHand.map(({ object }) => object),
    ["ClusterRoleBinding k3k-kubelet-node"],
  );
  const after = (await api.get<Binding>(path))?.subjects ?? [];
  assert.equal(after.length, guests.length, "the declared ones are all that is left");
});

/** The same numbers from 0 to 1 for the same seed (mulberry32). */
function randomFrom(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function shuffled<Item>(items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** Everything of the state that is an object of the cluster. */
async function declaredObjects(): Promise<readonly Declared[]> {
  const file = join(local.cluster.directory, "pulumi/state/.pulumi/stacks/kraft/local.json");
  const state = JSON.parse(readFileSync(file, "utf8")) as {
    checkpoint: { latest: { resources: readonly StateResource[] } };
  };
  const resources = state.checkpoint.latest.resources.filter(
    ({ custom, external, type }) => custom && external !== true && type.startsWith("kubernetes:"),
  );
  const collections = await collectionsOf(new Set(resources.map(({ inputs }) => inputs.apiVersion)));
  return Promise.all(
    resources.map(async ({ urn, id, inputs: { apiVersion, kind }, ignoreChanges = [] }) => {
      const [namespace, name = ""] = id.includes("/") ? id.split("/") : [undefined, id];
      const path = `${collections.get(`${apiVersion} ${kind}`)?.(namespace) ?? ""}/${name}`;
      const live = (await local.cluster.api.get<ManagedObject>(path)) ?? missing(path);
      const resource = urn.slice(urn.lastIndexOf("::") + 2);
      const owner = ownerOf(resource, urn.includes("kraft:index:Tenant$"), { ...live });
      const identity = { owner, apiVersion, kind, namespace, name };
      return {
        title: `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`,
        owner,
        kind,
        path,
        live,
        // What Pulumi is told to leave alone stays as it is.
        fields: fieldsOf(live).filter((keys) => !ignoreChanges.includes(keys.join("."))),
        holdsData: dataLostWith(identity) !== undefined || ["CustomResourceDefinition", "Namespace"].includes(kind),
      };
    }),
  );
}

/** By `apiVersion kind`, the collection of a namespace, as the API server tells. */
async function collectionsOf(versions: ReadonlySet<string>) {
  const collections = new Map<string, (namespace: string | undefined) => string>();
  for (const apiVersion of versions) {
    const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const found = await local.cluster.api.get<{
      resources: readonly { readonly name: string; readonly kind: string }[];
    }>(root);
    for (const { name, kind } of found?.resources.filter((resource) => !resource.name.includes("/")) ?? []) {
      collections.set(`${apiVersion} ${kind}`, (namespace) =>
        namespace === undefined ? `${root}/${name}` : `${root}/namespaces/${namespace}/${name}`,
      );
    }
  }
  return collections;
}

function missing(what: string): never {
  throw new Error(`there is no ${what}`);
}

/** What Pulumi's manager owns of an object, as the API server keeps it. */
function declaredSet({ metadata, ...object }: ManagedObject): unknown {
  const manager = declaringManager({ metadata, ...object });
  return metadata.managedFields?.find((entry) => entry.manager === manager && entry.operation === "Apply")?.fieldsV1;
}

/** The part of a value that a set names. */
function partOf(value: unknown, set: unknown): unknown {
  const inner = Object.entries(record(set)).filter(([key]) => key !== ".");
  if (inner.length === 0 || inner.some(([key]) => key.startsWith("v:"))) {
    return value;
  }
  return Object.fromEntries(
    inner.map(([key, deeper]) => {
      const named = key.slice(2);
      const at = key.startsWith("f:") ? record(value)[named] : entryOf(value, record(JSON.parse(named)));
      return [key, partOf(at, deeper)];
    }),
  );
}

function entryOf(list: unknown, keys: Readonly<Record<string, unknown>>): unknown {
  const entries: readonly unknown[] = Array.isArray(list) ? list : [];
  return entries.find((entry) => Object.entries(keys).every(([key, value]) => record(entry)[key] === value));
}

/** The plain properties of an object that Pulumi's manager owns. */
function fieldsOf(live: ManagedObject): (readonly string[])[] {
  const walk = (set: unknown, before: readonly string[]): (readonly string[])[] => {
    const inner = Object.entries(record(set)).filter(([key]) => key !== ".");
    if (inner.length === 0 || inner.some(([key]) => !key.startsWith("f:"))) {
      return before.length === 0 ? [] : [before];
    }
    return inner.flatMap(([key, value]) => walk(value, [...before, key.slice(2)]));
  };
  return walk(declaredSet(live), []);
}

function valueAt(object: unknown, keys: readonly string[]): unknown {
  return keys.reduce<unknown>((at, key) => record(at)[key], object);
}

/** Another value that the API server may accept; undefined where there is none to be thought of. */
function altered(value: unknown, kind: string): unknown {
  if (typeof value === "boolean") {
    return !value;
  }
  if (typeof value === "number") {
    return value + 1;
  }
  if (typeof value !== "string") {
    return Array.isArray(value) && value.length > 1 ? value.slice(0, -1) : undefined;
  }
  return kind === "Secret"
    ? Buffer.from("by hand").toString("base64")
    : /^\d+/.test(value)
      ? value.replace(/^\d+/, (digits) => String(Number(digits) + 1))
      : `${value}-by-hand`;
}

/** One slip on an object, the first of a random order that the API server lets through. */
async function slipOn(object: Declared): Promise<Slip> {
  const { api } = local.cluster;
  const { kind, path, live } = object;
  const isMetadata = (keys: readonly string[]): boolean => keys[0] === "metadata";
  const isMark = (keys: readonly string[]): boolean =>
    isMetadata(keys) && ["labels", "annotations"].includes(keys[1] ?? "") && keys.length === 3;
  // A kind that is no longer served is gone with all its objects, which is more than a slip on one object.
  const isKindItself = (keys: readonly string[]): boolean =>
    kind === "CustomResourceDefinition" && keys[1] === "versions";
  const changes = object.fields.flatMap((keys) => {
    const value = altered(valueAt(live, keys), isMetadata(keys) ? "" : kind);
    const named = keys.join(".");
    const change = value === undefined ? [] : [{ keys, value, what: `${named} altered` }];
    return isMark(keys)
      ? [{ keys, value: null, what: `${named} taken off` }, ...change]
      : isMetadata(keys) || isKindItself(keys)
        ? []
        : change;
  });
  const wantsDelete = !object.holdsData && random() < 0.3;
  const deletion = async (): Promise<Slip | undefined> => {
    const { status } = await api.send("DELETE", path);
    return status < 300 ? { object, what: "deleted" } : undefined;
  };
  const deleted = wantsDelete ? await deletion() : undefined;
  if (deleted !== undefined) {
    return deleted;
  }
  for (const { keys, value, what } of shuffled(changes)) {
    const body = keys.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
    const { status } = await api.send("PATCH", `${path}?fieldManager=kubectl-edit`, {
      body: body as object,
      type: "application/merge-patch+json",
    });
    const now = status < 300 ? await api.get(path) : undefined;
    if (now !== undefined && !isDeepStrictEqual(valueAt(now, keys), valueAt(live, keys))) {
      return { object, what };
    }
  }
  return (object.holdsData ? undefined : await deletion()) ?? { object, what: "" };
}

/** What hangs data, by UID. */
async function holders(): Promise<readonly string[]> {
  const found = await Promise.all(
    ["/apis/k3k.io/v1beta1/clusters", "/api/v1/namespaces", "/api/v1/persistentvolumeclaims"].map((path) =>
      local.cluster.api.list(path),
    ),
  );
  return found
    .flat()
    .map(({ metadata }) => `${metadata.namespace ?? ""}/${metadata.name} ${metadata.uid ?? ""}`)
    .sort();
}

/** What a run says was changed by hand, as `owner: object`. */
function named(run: EngineRun): string[] {
  return [...new Set(run.byHand.map(({ owner, object }) => `${owner}: ${object}`))].sort();
}

async function slipsAreShownAndPutBack(objects: readonly Declared[], log: (line: string) => void): Promise<void> {
  const data = await holders();
  const slips: Slip[] = [];
  for (const object of shuffled(objects)) {
    const slip = await slipOn(object);
    log(`${object.title}: ${slip.what || "the API server lets none through"}`);
    slips.push(...(slip.what === "" ? [] : [slip]));
  }
  assert.ok(slips.length > objects.length * 0.95, `${slips.length} of ${objects.length}`);
  const expected = [...new Set(slips.map(({ object: { owner, title } }) => `${owner}: ${title}`))].sort();

  const events: unknown[] = [];
  const engine = await openEngine({ cluster: local.cluster, onEvent: (event) => events.push(event) });
  const preview = await engine.preview();
  assert.deepEqual(named(preview), expected);
  // The same by the operator's tool, from the engine's own events.
  const changes = changesOf(previewOf(events)).filter(({ byHand }) => byHand !== undefined);
  const titles = changes.map(
    ({ owner, kind, namespace, name }) => `${owner}: ${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`,
  );
  assert.deepEqual(titles.sort(), expected);
  const severe = new Set(driftOf(changes).security.map(({ kind }) => kind));
  for (const kind of slips.map(({ object }) => object.kind).filter((name) => name.startsWith("ValidatingAdmission"))) {
    assert.ok(severe.has(kind), `${kind} is not marked as severe`);
  }

  await local.up();
  for (const { object, what } of slips) {
    const { path, live } = object;
    const now = await local.cluster.api.get<ManagedObject>(path);
    const declared = declaredSet(live);
    assert.notEqual(now, undefined, `${path} after: ${what}`);
    // `platform` makes the webhook's Service itself, and Pulumi owns nothing of that.
    if (declared !== undefined) {
      assert.deepEqual(partOf(now, declared), partOf(live, declared), `${path} after: ${what}`);
    }
    if (what !== "deleted") {
      assert.equal(now?.metadata.uid, live.metadata.uid, path);
    }
  }
  assert.deepEqual(await holders(), data);
  const third = await local.preview();
  assert.deepEqual([third.steps, third.byHand], [[], []]);
}

describe(`slips by hand on every declared object, in random order (KRAFT_TEST_SEED=${seed})`, () => {
  // Without admission a preview cannot ask the API server about what it would create, and without its service account no pod
  // is created: Kubernetes tries again minutes later.
  const comesFirst = ({ kind, path, live }: Declared): boolean =>
    live.apiVersion?.startsWith("admissionregistration.k8s.io/") === true ||
    kind === "ServiceAccount" ||
    (kind === "Service" && path.endsWith("-webhook"));

  test("of everything but what others need before they can be made", async (context) => {
    const objects = await declaredObjects();
    assert.ok(objects.length > 150, String(objects.length));
    await slipsAreShownAndPutBack(
      objects.filter((object) => !comesFirst(object)),
      (line) => {
        context.diagnostic(line);
      },
    );
  });

  test("of admission policies, webhooks and service accounts", async (context) => {
    const objects = await declaredObjects();
    await slipsAreShownAndPutBack(objects.filter(comesFirst), (line) => {
      context.diagnostic(line);
    });
  });
});

/** What somebody adds, by the path of the object: a refresh compares only what is declared. */
const additions: readonly (readonly [owner: string, path: string, patch: object, says: string, manager?: string])[] = [
  [
    "acme",
    "/apis/networking.k8s.io/v1/namespaces/k3k-acme/networkpolicies/kraft-default-deny",
    { spec: { egress: [{}] } },
    "spec.egress",
  ],
  [
    "acme",
    "/apis/networking.k8s.io/v1/namespaces/k3k-acme/networkpolicies/kraft-within-namespace",
    { spec: { egress: [{ to: [{ podSelector: {} }] }, { to: [{ ipBlock: { cidr: "192.168.1.0/24" } }] }] } },
    'spec.egress[1] is {"to":[{"ipBlock":{"cidr":"192.168.1.0/24"}}]}, declared is nothing',
  ],
  [
    "platform",
    "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/kraft-tenant-ingresses",
    { spec: { matchConditions: [{ name: "never", expression: "false" }] } },
    'spec.matchConditions["never"].expression is "false", declared is nothing',
  ],
  [
    "platform",
    "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/kraft-tenant-pods",
    {
      spec: {
        matchConstraints: {
          excludeResourceRules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["*"], resources: ["pods"] }],
        },
      },
    },
    "spec.matchConstraints.excludeResourceRules is ",
  ],
  [
    "blue",
    "/api/v1/namespaces/k3k-blue/resourcequotas/kraft-objects",
    { spec: { hard: { pods: "9" } } },
    "spec.hard.pods is ",
  ],
  [
    "blue",
    "/api/v1/namespaces/k3k-blue",
    { metadata: { labels: { "example.org/a": "b" } } },
    'metadata.labels["example.org/a"] is "b"',
  ],
  [
    "blue",
    "/api/v1/namespaces/k3k-blue/serviceaccounts/default",
    { imagePullSecrets: [{ name: "a" }] },
    "imagePullSecrets",
  ],
  [
    "blue",
    "/apis/networking.k8s.io/v1/namespaces/k3k-blue/networkpolicies/kraft-default-deny",
    { spec: { ingress: [{}] } },
    "spec.ingress",
    // A patch, not an apply: nothing that Kraft declares is written that way.
    "kraft",
  ],
  [
    "coral",
    "/apis/k3k.io/v1beta1/namespaces/k3k-coral/clusters/coral",
    { spec: { serverEnvs: [{ name: "A", value: "b" }] } },
    "spec.serverEnvs",
  ],
  [
    "coral",
    "/apis/k3k.io/v1beta1/virtualclusterpolicies/tenant-coral",
    { metadata: { labels: { "example.org/a": "b" } } },
    'metadata.labels["example.org/a"] is "b"',
  ],
  [
    "platform",
    "/apis/storage.k8s.io/v1/storageclasses/kraft-standard",
    { metadata: { annotations: { "example.org/a": "b" } } },
    'metadata.annotations["example.org/a"] is "b"',
  ],
];

test("what somebody adds to an object that keeps tenants apart: shown, not touched by a preview, and gone after up", async () => {
  const { api } = local.cluster;
  assert.deepEqual(Object.keys(tenants).sort(), ["acme", "blue", "coral"]);
  const before: unknown[] = [];
  for (const [, path, patch, , manager = "kubectl-edit"] of additions) {
    before.push(contentOf(await api.get<ManagedObject>(path)));
    const { status, text } = await api.send("PATCH", `${path}?fieldManager=${manager}`, {
      body: patch,
      type: "application/merge-patch+json",
    });
    assert.equal(status, 200, `${path}: ${text}`);
  }
  const edited = await Promise.all(additions.map(async ([, path]) => contentOf(await api.get<ManagedObject>(path))));
  const preview = await local.preview();
  for (const [owner, path, , says] of additions) {
    const found = preview.byHand.filter(
      (change) => change.owner === owner && change.object.endsWith(path.slice(path.lastIndexOf("/") + 1)),
    );
    assert.ok(
      found.some(({ what }) => what.startsWith(says)),
      `${path}: ${JSON.stringify(found)}`,
    );
  }
  assert.deepEqual(preview.steps, []);
  assert.deepEqual(
    await Promise.all(additions.map(async ([, path]) => contentOf(await api.get<ManagedObject>(path)))),
    edited,
  );

  await local.up();
  assert.deepEqual(
    await Promise.all(additions.map(async ([, path]) => contentOf(await api.get<ManagedObject>(path)))),
    before,
  );
  for (const { path } of kindsToRead) {
    const foreign = (await api.list<ManagedObject>(path)).filter(
      (object) => declaringManager(object) !== undefined && isForeign(object),
    );
    assert.deepEqual(
      foreign.map(({ metadata }) => metadata.name),
      [],
      path,
    );
  }
  const third = await local.preview();
  assert.deepEqual([third.steps, third.byHand], [[], []]);
});

test("a note of Kraft's that a person writes by hand stays: a permission to delete is not taken back by up", async () => {
  const { api } = local.cluster;
  const path = "/api/v1/namespaces/k3k-acme";
  const key = "kraft.dev/example";
  await api.send("PATCH", `${path}?fieldManager=kubectl-annotate`, {
    body: { metadata: { annotations: { [key]: "2026-11-28" }, labels: { "example.org/a": "b" } } },
    type: "application/merge-patch+json",
  });
  const run = await local.up();
  assert.deepEqual(
    run.byHand.map(({ what }) => what),
    ['metadata.labels["example.org/a"] is "b", declared is nothing'],
  );
  const { metadata } = (await api.get(path)) ?? missing(path);
  assert.equal(metadata.annotations?.[key], "2026-11-28");
  assert.equal(metadata.labels?.["example.org/a"], undefined);
});

/** All of an object but what the API server counts up, and what controllers report. */
function contentOf(object: ManagedObject | undefined): object {
  const { status: _, ...rest } = record(object);
  const { managedFields: _m, resourceVersion: _r, generation: _g, ...metadata } = record(rest["metadata"]);
  return { ...rest, metadata };
}
