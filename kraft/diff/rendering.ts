import { createHash } from "node:crypto";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { setAllConfig } from "@pulumi/pulumi/runtime/index.js";
import { nothingRuns } from "../../cluster/running-versions.ts";
import { ConfigError } from "../../errors/problem.ts";
import { record } from "../../infra/config/pulumi-files.ts";
import { type Fields } from "../../infra/drift/fields.ts";
import type { LiveSources } from "../../infra/guards/guard.ts";
import { type Declared, declared } from "./mocked-resources.ts";
import { withoutSecrets } from "./redact.ts";
import { stackConfig } from "./stack-config.ts";

/** An object that a stack declares, without secrets, and what only the program knows of it. */
export interface RenderedObject extends Fields {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Fields & { readonly name: string; readonly namespace?: string };
  /** Compared too: the engine acts on a change of it. */
  readonly pulumi: {
    readonly resource: string;
    readonly parent?: string;
    readonly protect?: true;
    readonly retainOnDelete?: true;
  };
}

/** Every object that a stack declares, by `apiVersion/kind/namespace/name` and in that order. */
export type RenderedObjects = ReadonlyMap<string, RenderedObject>;

/** What a stack declares, or why it is refused. */
export interface Rendering {
  readonly objects: RenderedObjects;
  /** Keys of the stack file that only the owner can fill in and that have a placeholder. */
  readonly placeholders: readonly string[];
  /** The program's message when it refuses the stack file. */
  readonly refusal?: string;
}

/**
 * Everything that a checkout declares for a stack, without a cluster, a passphrase or the engine: the program runs under
 * Pulumi's mocks, with `configFile` as its stack file. Its `@pulumi/pulumi` must be ours. Of a chart only the values show,
 * not the objects in it. Call it once in a process.
 */
export async function renderStack(stack: string, configFile: string, checkout: string): Promise<Rendering> {
  const { stacks } = (await imported(join(checkout, "stacks", "index.ts"))) as {
    readonly stacks: ReadonlyMap<string, { readonly nodes: readonly { readonly name: string }[] }>;
  };
  const known = stacks.get(stack);
  if (known === undefined) {
    // A stack that does not exist yet declares nothing.
    return { objects: new Map(), placeholders: [] };
  }
  let config: ReturnType<typeof stackConfig>;
  try {
    config = stackConfig(
      stack,
      known.nodes.map(({ name }) => name),
      { project: join(checkout, "Pulumi.yaml"), stack: configFile },
    );
  } catch (error) {
    if (!(error instanceof ConfigError)) {
      throw error;
    }
    return { objects: new Map(), placeholders: [], refusal: error.message };
  }
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
    refusal,
  };
}

/**
 * The cluster after the stack file was applied, so that a rendering shows no intermediate stage: an archived tenant has no
 * guest, a purged one has nothing.
 */
const asDeclared: LiveSources = {
  cluster: ({ tenants, phase }) => {
    const live = {
      tenants: tenants
        .filter(({ state }) => state !== "purged")
        .map(({ name, state, from }) => ({
          name,
          arrivedFrom: from,
          guest: phase === "run" && (state === "active" || state === "suspended"),
          // The same in both renderings: the time of the suspension is not a change.
          suspendedAt: state === "suspended" ? "as declared" : undefined,
          pods: [],
          claims: [],
          ingresses: [],
        })),
      volumes: [],
      retained: [],
      dataDefinitions: [],
      managedBucket: false,
      schedules: phase === "run",
    };
    // A base from before 2026-11-29 calls the live state `standing`.
    const seen = { live, standing: live, running: nothingRuns, nodes: [], certificateEnd: undefined };
    return Promise.resolve(seen);
  },
  backedUp: () => Promise.resolve({ volumes: [], damaged: [], unattached: [] }),
};

function imported(file: string): Promise<unknown> {
  return import(pathToFileURL(file).href);
}

/** The objects among a program's resources. */
export function objectsOf(resources: readonly Declared[]): RenderedObjects {
  const entries = resources
    .map(objectOf)
    .filter((object) => object !== undefined)
    .map((object) => {
      const { apiVersion, kind, metadata } = object;
      return [[apiVersion, kind, metadata.namespace ?? "-", metadata.name].join("/"), object] as const;
    });
  return new Map(entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

function objectOf({ type, name, inputs, parent, protect, retainOnDelete }: Declared): RenderedObject | undefined {
  const pulumi: RenderedObject["pulumi"] = {
    resource: name,
    parent,
    protect: protect || undefined,
    retainOnDelete: retainOnDelete || undefined,
  };
  const object = withoutSecrets(inputs, fingerprint);
  if (type === "kubernetes:helm.sh/v4:Chart") {
    const { name: release = name, namespace, ...spec } = object;
    const metadata = { name: release, namespace } as RenderedObject["metadata"];
    return { apiVersion: "helm.sh/v4", kind: "Chart", metadata, spec, pulumi };
  }
  if (type.startsWith("pulumi:providers:")) {
    const { version: _version, ...spec } = object;
    const kind = type.slice("pulumi:providers:".length);
    return { apiVersion: "pulumi/v1", kind, metadata: { name }, spec, pulumi };
  }
  if (object["kind"] !== undefined && record(object["metadata"])["name"] !== undefined) {
    return { ...(object as RenderedObject), pulumi };
  }
  // Components only hold others, and an object that is only read (the namespace kube-system) is not the program's.
  const isObject = !/^(kraft|pulumi|kubernetes):/.test(type);
  return isObject
    ? { apiVersion: type, kind: type.split(":").at(-1) ?? type, metadata: { name }, spec: object, pulumi }
    : undefined;
}

/** In place of a secret, so that two of them can be compared and neither be read. */
function fingerprint(value: unknown): string {
  return `[secret ${createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 12)}]`;
}
