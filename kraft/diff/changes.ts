import { lossWith, type Identity } from "./data.ts";
import { fieldChanges, secret, valueAt, withoutSecrets, type FieldChange } from "./fields.ts";
import { ownerOf } from "./owner.ts";
import type { Message, Preview, State, Step } from "./preview.ts";

/** What happens to an object. */
export type Operation = "create" | "update" | "replace" | "delete";

/** What happens to one object of the cluster, and to whom. */
export interface Change extends Identity {
  /** The program's own name for it, for example `tenant-acme-cluster`. */
  readonly resource: string;
  readonly operation: Operation;
  readonly fields: readonly FieldChange[];
  /** What would be lost with the object; only of what is deleted or replaced. */
  readonly loss?: string;
  /** The object leaves the program but stays in the cluster, where nothing looks after it. */
  readonly kept?: true;
  /** Pulumi refuses to do this: the object is protected. */
  readonly refused?: true;
}

/** How destructive an operation is; what is worst comes first. */
const order: readonly Operation[] = ["delete", "replace", "update", "create"];

/** What each of the engine's words comes to. What is left out changes no object. */
const operations: Readonly<Record<string, Operation>> = {
  create: "create",
  update: "update",
  replace: "replace",
  "create-replacement": "replace",
  "delete-replaced": "replace",
  "discard-replaced": "replace",
  "import-replacement": "replace",
  "read-replacement": "replace",
  import: "create",
  delete: "delete",
};

const refusals = [
  /(?<verb>replace) resource "(?<urn>urn:pulumi:[^"]+)"\s+as it is currently marked for protection/,
  /resource "(?<urn>urn:pulumi:[^"]+)" cannot be (?<verb>delete)d\s+because it is protected/,
];

/** A change of a component is no change of an object: it holds others and is nothing in the cluster. */
const components = ["kraft:", "pulumi:pulumi:Stack", "kubernetes:helm.sh/v4:Chart", "kubernetes:yaml/"];

/** What a preview changes: replaces and deletes first, then by owner, kind and name. */
export function changesOf(preview: Preview): Change[] {
  const refused = refusedIn(preview);
  const changes = new Map<string, Change>();
  for (const step of preview.steps) {
    const operation = operations[step.operation];
    if (operation === undefined || isComponent(step)) {
      continue;
    }
    const change = changeOf(step, operation, refused.has(step.urn));
    const known = changes.get(step.urn);
    // A replacement comes as three steps; the one that says why is kept.
    if (known?.operation !== "replace" || change.fields.length > known.fields.length) {
      changes.set(step.urn, change);
    }
  }
  for (const [urn, operation] of refused) {
    const step: Step = { operation, urn, detailedDiff: {}, replaceKeys: [], ...stateIn(preview, urn) };
    if (!changes.has(urn) && !isComponent(step)) {
      changes.set(urn, changeOf(step, operation, true));
    }
  }
  return sorted([...changes.values()]);
}

/** The order in which changes are shown: what is destructive first, then by owner, kind and name. */
export function sorted(changes: readonly Change[]): Change[] {
  const key = (change: Change): string =>
    [order.indexOf(change.operation), change.owner, change.kind, change.namespace ?? "", change.name].join("\0");
  return [...changes].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

/** Whether an object goes, if only to be made anew. */
export function isDestructive({ operation }: Pick<Change, "operation">): boolean {
  return operation === "delete" || operation === "replace";
}

/** What is known of an object in one place: its kind, name and owner. */
export function identityOf(urn: string, object: Readonly<Record<string, unknown>>): Identity & { resource: string } {
  const [, , types = "", resource = ""] = urn.split("::");
  const type = types.slice(types.lastIndexOf("$") + 1);
  const metadata = record(object["metadata"]);
  const provider = type.startsWith("pulumi:providers:") ? type.slice("pulumi:providers:".length) : undefined;
  // What is not of Kubernetes has its type in place of a version, as in a rendering.
  const [, versionOfType = type, kindOfType = type] = /^kubernetes:(.+):([^:]+)$/.exec(type) ?? [];
  const namespace = text(metadata["namespace"]);
  return {
    owner: ownerOf({ urn, object }),
    apiVersion:
      provider === undefined ? (text(object["apiVersion"]) ?? versionOfType.replace(/^core\//, "")) : "pulumi/v1",
    kind: provider ?? text(object["kind"]) ?? kindOfType.slice(kindOfType.lastIndexOf(":") + 1),
    ...(namespace === undefined ? {} : { namespace }),
    name: text(metadata["name"]) ?? resource,
    resource,
  };
}

function changeOf(step: Step, operation: Operation, isRefused: boolean): Change {
  const state = step.old ?? step.new;
  const identity = identityOf(step.urn, objectOf(state));
  const loss = isDestructive({ operation }) ? lossWith(identity) : undefined;
  const kept = operation === "delete" && step.old?.retainOnDelete === true;
  return {
    ...identity,
    operation,
    fields: operation === "update" || operation === "replace" ? fieldsOf(step) : [],
    ...(loss === undefined ? {} : { loss }),
    ...(kept ? { kept } : {}),
    ...(isRefused ? { refused: isRefused } : {}),
  };
}

/** What the program asked for; of an object that was only read, what the API server holds. */
function objectOf(state: State | undefined): Readonly<Record<string, unknown>> {
  return state === undefined ? {} : Object.keys(state.inputs).length > 0 ? state.inputs : state.outputs;
}

function fieldsOf({ old, new: next, detailedDiff, replaceKeys }: Step): FieldChange[] {
  if (old === undefined || next === undefined) {
    return [];
  }
  const [before, after] = [withoutSecrets(old.inputs), withoutSecrets(next.inputs)];
  const fields = new Map(fieldChanges(before, after).map((field) => [field.path, field]));
  for (const path of Object.keys(detailedDiff)) {
    // Known already: by itself, inside a property that came or went, or in a list that is compared by names.
    const named = `${/^(.*?)\[\d+\]/.exec(path)?.[1] ?? path}["`;
    const isKnown = [...fields.keys()].some(
      (known) => isWithin(path, known) || isWithin(known, path) || known.startsWith(named),
    );
    if (!isKnown) {
      fields.set(path, observed(path, old, next));
    }
  }
  const forced = [
    ...replaceKeys,
    ...Object.entries(detailedDiff)
      .filter(([, kind]) => kind.endsWith("-replace"))
      .map(([path]) => path),
  ];
  return [...fields.values()]
    .map((field) =>
      forced.some((path) => isWithin(path, field.path)) ? { ...field, forcesReplacement: true as const } : field,
    )
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Whether a path is another, or leads on from it. */
function isWithin(path: string, outer: string): boolean {
  return path.startsWith(outer) && /^($|[.[])/.test(path.slice(outer.length));
}

/** A property in which the inputs do not differ: a secret, or something that the API server or a person wrote. */
function observed(path: string, old: State, next: State): FieldChange {
  const asked = [old, next].map((state) => valueAt(withoutSecrets(state.inputs), path));
  const held = [old, next].map((state) => valueAt(withoutSecrets(state.outputs), path));
  const hidden = isHidden(path, old) || isHidden(path, next);
  const isAsked = JSON.stringify(asked[0]) !== JSON.stringify(asked[1]);
  const [before, after] = hidden ? [secret, secret] : isAsked ? asked : held;
  return { path, ...(before === undefined ? {} : { old: before }), ...(after === undefined ? {} : { new: after }) };
}

/** Whether a path leads into something that is shown as one secret. */
function isHidden(path: string, state: State): boolean {
  const object = withoutSecrets(state.inputs);
  const top = /^[^.[]+/.exec(path)?.[0] ?? "";
  return object[top] === secret || (object["kind"] === "Secret" && (top === "data" || top === "stringData"));
}

function isComponent({ urn, old, new: next }: Step): boolean {
  const [, , types = ""] = urn.split("::");
  const type = types.slice(types.lastIndexOf("$") + 1);
  const custom = old?.custom ?? next?.custom;
  return custom === false || components.some((prefix) => type.startsWith(prefix));
}

/** Whether a message says that an object is protected, or no more than that the preview failed of it. */
export function isRefusal({ text: message }: Message): boolean {
  return refusals.some((pattern) => pattern.test(message)) || /^(error: )?preview failed$/.test(message);
}

/** What protection refuses, by URN. Pulumi says it in words, and of a refused replacement not always more. */
function refusedIn({ messages }: Preview): Map<string, Operation> {
  const refused = new Map<string, Operation>();
  for (const { text: message } of messages) {
    for (const pattern of refusals) {
      const { urn, verb } = pattern.exec(message)?.groups ?? {};
      if (urn !== undefined) {
        refused.set(urn, verb === "replace" ? "replace" : "delete");
      }
    }
  }
  return refused;
}

function stateIn({ steps }: Preview, urn: string): Pick<Step, "old"> {
  const old = steps.find((step) => step.urn === urn && step.old !== undefined)?.old;
  return old === undefined ? {} : { old };
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
