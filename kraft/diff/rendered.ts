import { setAllConfig } from "@pulumi/pulumi/runtime/index.js";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { stringify } from "yaml";
import { nothingRuns } from "../../cluster/running-versions.ts";
import type { LiveSources } from "../../infra/guards/guard.ts";
import { declared, type Declared } from "./declared.ts";
import { stackConfig } from "./stack-config.ts";

/** Every object that a stack declares: its YAML by `apiVersion/kind/namespace/name`, in that order. */
export type Rendered = ReadonlyMap<string, string>;

/** A stack as it would be declared, or why it would be refused. */
export interface Rendering {
  readonly objects: Rendered;
  /** Keys of the stack file in which something stands in for what only the owner knows. */
  readonly placeholders: readonly string[];
  /** What the program said when it refused the stack file. */
  readonly refusal?: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** What the program knows of an object beside the object itself. The engine acts on a change of it, so it is compared. */
export interface ProgramSide {
  readonly resource: string;
  readonly parent?: string;
  readonly protect?: true;
  readonly retainOnDelete?: true;
}

/**
 * Everything that a checkout declares for a stack, without a cluster, a passphrase or the engine: the program runs under
 * Pulumi's mocks. What is inside the charts does not show, only the values they get. Once in a process.
 *
 * @param configFile The stack file, `Pulumi.<stack>.yaml` or one to be tried in its place.
 * @param checkout Folder whose program runs. Its `@pulumi/pulumi` must be ours.
 */
export async function rendered(stack: string, configFile: string, checkout: string): Promise<Rendering> {
  const { stacks } = (await imported(join(checkout, "stacks", "index.ts"))) as {
    readonly stacks: ReadonlyMap<string, { readonly nodes: readonly { readonly name: string }[] }>;
  };
  const known = stacks.get(stack);
  if (known === undefined) {
    // Nothing is declared for a stack that is not there yet.
    return { objects: new Map(), placeholders: [] };
  }
  const config = stackConfig(
    stack,
    known.nodes.map(({ name }) => name),
    { project: join(checkout, "Pulumi.yaml"), stack: configFile },
  );
  setAllConfig(config.values, [...config.secrets]);
  const { default: program } = (await imported(join(checkout, "infra", "index.ts"))) as {
    readonly default: (sources: LiveSources) => Promise<unknown>;
  };
  let refusal: string | undefined;
  const resources = await declared(stack, async () => {
    try {
      await program(asDeclared);
    } catch (error) {
      refusal = error instanceof Error ? error.message : String(error);
    }
  });
  return {
    objects: refusal === undefined ? objectsOf(resources) : new Map(),
    placeholders: config.placeholders,
    ...(refusal === undefined ? {} : { refusal }),
  };
}

/**
 * The cluster as it is once the stack file was carried out, so that nothing shows that is on its way: who is archived
 * has no guest, who is purged nothing at all.
 */
const asDeclared: LiveSources = {
  cluster: ({ tenants, phase }) =>
    Promise.resolve({
      live: {
        tenants: tenants
          .filter(({ state }) => state !== "purged")
          .map(({ name, state, from }) => ({
            name,
            ...(from === undefined ? {} : { arrivedFrom: from }),
            guest: phase === "run" && (state === "active" || state === "suspended"),
            // The same in both renderings: since when is no change.
            ...(state === "suspended" ? { suspendedAt: "as declared" } : {}),
            pods: [],
            claims: [],
          })),
        volumes: [],
        dataDefinitions: [],
        managedBucket: false,
        schedules: phase === "run",
      },
      running: nothingRuns,
      certificateEnd: undefined,
    }),
  backedUp: () => Promise.resolve({ volumes: [], damaged: [], unattached: [] }),
};

function imported(file: string): Promise<unknown> {
  return import(pathToFileURL(file).href);
}

/** The objects among a program's resources, in the order of their keys. */
export function objectsOf(resources: readonly Declared[]): Rendered {
  const entries = resources.flatMap((resource) => {
    const object = objectOf(resource);
    return object === undefined ? [] : [[keyOf(object), stringify(object, { sortMapEntries: true })] as const];
  });
  return new Map(entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

function keyOf(object: Fields): string {
  const { name, namespace } = record(object["metadata"]);
  return [object["apiVersion"], object["kind"], namespace ?? "-", name].join("/");
}

function objectOf({ type, name, inputs, parent, protect, retainOnDelete }: Declared): Fields | undefined {
  const side: ProgramSide = {
    resource: name,
    ...(parent === undefined ? {} : { parent }),
    ...(protect ? { protect } : {}),
    ...(retainOnDelete ? { retainOnDelete } : {}),
  };
  const plain = plainOf(inputs) as Fields;
  if (type === "kubernetes:helm.sh/v4:Chart") {
    const { name: release = name, namespace, ...spec } = plain;
    return { apiVersion: "helm.sh/v4", kind: "Chart", metadata: { name: release, namespace }, spec, pulumi: side };
  }
  if (type.startsWith("pulumi:providers:")) {
    const { version: _version, ...spec } = plain;
    return {
      apiVersion: "pulumi/v1",
      kind: type.slice("pulumi:providers:".length),
      metadata: { name },
      spec,
      pulumi: side,
    };
  }
  if (plain["kind"] !== undefined && record(plain["metadata"])["name"] !== undefined) {
    return { ...(plain["kind"] === "Secret" ? fingerprinted(plain) : plain), pulumi: side };
  }
  // Components hold others, and what is only read (the namespace kube-system) is nobody's to change.
  const isObject = !type.startsWith("kraft:") && !type.startsWith("pulumi:") && !type.startsWith("kubernetes:");
  return isObject
    ? { apiVersion: type, kind: type.split(":").at(-1), metadata: { name }, spec: plain, pulumi: side }
    : undefined;
}

/** How Pulumi marks a secret in what a mock is given. */
const secretSignature = "4dabf18193072939515e22adb298388d";

/** Values without Pulumi's wrapping. A secret becomes a fingerprint: two of them can be compared, and not read. */
function plainOf(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(plainOf);
  }
  if (typeof value !== "object" || value === null) {
    return value;
  }
  if (secretSignature in value) {
    return fingerprint((value as { value?: unknown }).value);
  }
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, entry]) => entry !== undefined)
      .map(([key, entry]) => [key, plainOf(entry)]),
  );
}

/** A Secret's content as fingerprints, whether the program marked it secret or not. */
function fingerprinted(object: Fields): Fields {
  return Object.fromEntries(
    Object.entries(object).map(([key, value]) => {
      if (key !== "data" && key !== "stringData") {
        return [key, value];
      }
      const content = Object.entries(record(value));
      return [
        key,
        content.length === 0
          ? fingerprint(value)
          : Object.fromEntries(content.map(([name, entry]) => [name, fingerprint(entry)])),
      ];
    }),
  );
}

function fingerprint(value: unknown): string {
  if (typeof value === "string" && /^\[secret [0-9a-f]{12}\]$/.test(value)) {
    return value;
  }
  return `[secret ${createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 12)}]`;
}

function record(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}
