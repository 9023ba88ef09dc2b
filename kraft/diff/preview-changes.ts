import { record } from "../../infra/config/pulumi-files.ts";
import { type Change, change, type DeclaredIdentity, type Operation, ownerOf, sorted } from "./change.ts";
import { type FieldChange, fieldChanges, type Fields, valueAt } from "./fields.ts";
import type { Preview, PreviewStep, ResourceState } from "./preview.ts";
import { secret, withoutSecrets } from "./redact.ts";

/** What each of the engine's operations means for an object. The others change none. */
const operationOf: Readonly<Record<string, Operation>> = {
  create: "create",
  import: "create",
  update: "update",
  replace: "replace",
  "create-replacement": "replace",
  "delete-replaced": "replace",
  "discard-replaced": "replace",
  "import-replacement": "replace",
  "read-replacement": "replace",
  delete: "delete",
};

/** How the engine says that it refuses to change a protected object. */
const refusals = [
  /(?<operation>replace) resource "(?<urn>urn:pulumi:[^"]+)"\s+as it is currently marked for protection/,
  /resource "(?<urn>urn:pulumi:[^"]+)" cannot be (?<operation>delete)d\s+because it is protected/,
];

/** Resources that hold others and are not objects of the cluster themselves. */
const componentTypes = ["kraft:", "pulumi:pulumi:Stack", "kubernetes:helm.sh/v4:Chart", "kubernetes:yaml/"];

/** The changes that a preview announces, sorted for display. */
export function changesOf(preview: Preview): Change[] {
  const refused = refusedIn(preview);
  const changes = new Map<string, Change>();
  for (const step of preview.steps) {
    const operation = operationOf[step.operation];
    if (operation === undefined || isComponent(step)) {
      continue;
    }
    const found = changeOf(step, operation, refused.has(step.urn));
    const known = changes.get(step.urn);
    // A replacement comes as three steps; the one that says why is kept.
    if (known?.operation !== "replace" || found.fields.length > known.fields.length) {
      changes.set(step.urn, found);
    }
  }
  // Of what it refuses the engine does not always announce a step.
  for (const [urn, operation] of refused) {
    const old = preview.steps.find((step) => step.urn === urn && step.old !== undefined)?.old;
    const step = { operation, urn, old, detailedDiff: {}, replaceKeys: [] };
    if (!changes.has(urn) && !isComponent(step)) {
      changes.set(urn, changeOf(step, operation, true));
    }
  }
  return sorted([...changes.values()]);
}

/** Whether a message only says that an object is protected, or that the preview failed for that. */
export function isRefusal({ text }: { readonly text: string }): boolean {
  return refusals.some((pattern) => pattern.test(text)) || /^(error: )?preview failed$/.test(text);
}

/** What the engine refuses because of protection, by URN. It says so in a message, and not always in a step. */
function refusedIn({ messages }: Preview): Map<string, Operation> {
  const groups = messages.flatMap(({ text }) => refusals.map((pattern) => pattern.exec(text)?.groups ?? {}));
  return new Map(
    groups.flatMap(({ urn, operation }) =>
      urn === undefined ? [] : [[urn, operation === "replace" ? "replace" : "delete"] as const],
    ),
  );
}

function changeOf(step: PreviewStep, operation: Operation, protect: boolean): Change {
  const { inputs = {}, outputs = {} } = step.old ?? step.new ?? {};
  // An object that was only read has no inputs.
  const identity = identityOf(step.urn, Object.keys(inputs).length > 0 ? inputs : outputs);
  const fields = operation === "update" || operation === "replace" ? fieldsOf(step) : [];
  return change(identity, operation, fields, { retainOnDelete: step.old?.retainOnDelete, protect });
}

function identityOf(urn: string, object: Fields): DeclaredIdentity {
  const { types, type, name: resource } = partsOfUrn(urn);
  const inTenant = types.includes("kraft:index:Tenant");
  const { name, namespace } = record(object["metadata"]);
  const provider = /^pulumi:providers:(.+)$/.exec(type)?.[1];
  // A resource that is not of Kubernetes has its type in place of a version, as in a rendering.
  const [, versionOfType = type, kindOfType = type.split(":").at(-1) ?? type] =
    /^kubernetes:(?:core\/)?(.+):([^:]+)$/.exec(type) ?? [];
  return {
    owner: ownerOf(resource, inTenant, object),
    apiVersion: provider === undefined ? (text(object["apiVersion"]) ?? versionOfType) : "pulumi/v1",
    kind: provider ?? text(object["kind"]) ?? kindOfType,
    namespace: text(namespace),
    name: text(name) ?? resource,
    resource,
  };
}

function fieldsOf({ old, new: next, detailedDiff, replaceKeys }: PreviewStep): FieldChange[] {
  if (old === undefined || next === undefined) {
    return [];
  }
  const fields = fieldChanges(withoutSecrets(old.inputs), withoutSecrets(next.inputs));
  for (const path of Object.keys(detailedDiff)) {
    // Known already: by itself, inside a property that is added or removed, or in a list that is compared by names.
    const named = `${/^(.*?)\[\d+\]/.exec(path)?.[1] ?? path}["`;
    const isKnown = fields.some(
      (field) => isWithin(path, field.path) || isWithin(field.path, path) || field.path.startsWith(named),
    );
    if (!isKnown) {
      fields.push(observed(path, old, next));
    }
  }
  const replacing = Object.keys(detailedDiff).filter((path) => detailedDiff[path]?.endsWith("-replace") === true);
  const forcing = [...replaceKeys, ...replacing];
  return fields
    .map((field) =>
      forcing.some((path) => isWithin(path, field.path)) ? { ...field, forcesReplacement: true as const } : field,
    )
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Whether a path is the other one, or leads on from it. */
function isWithin(path: string, outer: string): boolean {
  return path.startsWith(outer) && /^($|[.[])/.test(path.slice(outer.length));
}

/** A property whose inputs do not differ: a secret, or something that the API server or a person wrote. */
function observed(path: string, old: ResourceState, next: ResourceState): FieldChange {
  if (isSecret(path, old.inputs) || isSecret(path, next.inputs)) {
    return { path, old: secret, new: secret };
  }
  const valuesIn = (part: "inputs" | "outputs"): unknown[] =>
    [old, next].map((state) => valueAt(withoutSecrets(state[part]), path));
  const [before, after] = valuesIn("inputs");
  const [observedBefore, observedAfter] = valuesIn("outputs");
  return JSON.stringify(before) === JSON.stringify(after)
    ? { path, old: observedBefore, new: observedAfter }
    : { path, old: before, new: after };
}

/** Whether a path leads into something that is shown as one secret. */
function isSecret(path: string, inputs: Fields): boolean {
  const top = /^[^.[]+/.exec(path)?.[0] ?? "";
  const isContent = inputs["kind"] === "Secret" && (top === "data" || top === "stringData");
  return isContent || withoutSecrets(inputs)[top] === secret;
}

function isComponent({ urn, old, new: next }: PreviewStep): boolean {
  const { type } = partsOfUrn(urn);
  return old?.custom === false || next?.custom === false || componentTypes.some((prefix) => type.startsWith(prefix));
}

/** `urn:pulumi:<stack>::<project>::<type>$<type>::<name>`, the types from the outermost component to the resource. */
function partsOfUrn(urn: string): { readonly types: readonly string[]; readonly type: string; readonly name: string } {
  const [, , qualifiedType = "", name = ""] = urn.split("::");
  const types = qualifiedType.split("$");
  return { types, type: types.at(-1) ?? "", name };
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
