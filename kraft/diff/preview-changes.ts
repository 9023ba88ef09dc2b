import { digestAnnotation } from "../../components/plan/names.ts";
import { record } from "../../infra/config/pulumi-files.ts";
import { isWithin, wasChangedByHand } from "../../infra/drift/changed-fields.ts";
import { type HandChange, handChangeIn } from "../../infra/drift/drift-message.ts";
import { type FieldChange, fieldChanges, type Fields, valueAt } from "../../infra/drift/fields.ts";
import { ownerOf } from "../../infra/drift/owner.ts";
import { type Change, change, type DeclaredIdentity, type Operation, sorted } from "./change.ts";
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

/** Where an object says what was declared of it, in a digest. */
const digestPath = `metadata.annotations["${digestAnnotation}"]`;

/** Resources that hold others and are not objects of the cluster themselves. */
const componentTypes = ["kraft:", "pulumi:pulumi:Stack", "kubernetes:helm.sh/v4:Chart", "kubernetes:yaml/"];

/** The changes that a preview announces, sorted for display. */
export function changesOf(preview: Preview): Change[] {
  const refused = refusedIn(preview);
  const looks = looksIn(preview);
  const changes = new Map<string, Change>();
  for (const step of preview.steps) {
    const operation = operationOf[step.operation];
    if (operation === undefined || isComponent(step)) {
      continue;
    }
    const found = changeOf(step, operation, refused.has(step.urn), looks.get(step.urn));
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
  const told = preview.messages.flatMap(({ text: message }) => handChangeIn(message) ?? []);
  return sorted(told.reduce(withHandChange, [...changes.values()]));
}

/**
 * Whether it is the preview of a refresh, in which every change is one that was made by hand: each resource has one step. In
 * any other that looks at the cluster first, the stack itself has two.
 */
export function isOfRefresh({ steps }: Preview): boolean {
  return new Set(steps.map(({ urn }) => urn)).size === steps.length;
}

/** Whether it read every object from the cluster before anything else. */
export function looksAtCluster({ steps }: Preview): boolean {
  return steps.some(({ operation }) => operation === "refresh");
}

/** The look at each object in the cluster, by URN: what the last run recorded of it, and what differs. */
function looksIn(preview: Preview): ReadonlyMap<string, PreviewStep> {
  const looks = isOfRefresh(preview)
    ? []
    : preview.steps.filter(({ operation, old }) => operation === "refresh" && old);
  return new Map(looks.map((step) => [step.urn, step]));
}

/** The changes with one more field, which only the program saw. */
function withHandChange(changes: Change[], { path, live, declared, writer: _, ...told }: HandChange): Change[] {
  const field: FieldChange = { path, old: live, new: declared, byHand: true };
  const identity = { ...told, resource: `${told.kind} ${told.name}` };
  const known = changes.find(
    ({ kind, namespace, name, operation }) =>
      operation === "update" && kind === told.kind && namespace === told.namespace && name === told.name,
  );
  const fields = [...(known?.fields ?? []).filter((other) => other.path !== path), field];
  const change: Change = { ...(known ?? { ...identity, operation: "update" }), fields, byHand: "changed" };
  return [...changes.filter((other) => other !== known), change];
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

function changeOf(step: PreviewStep, operation: Operation, protect: boolean, look?: PreviewStep): Change {
  const { inputs = {}, outputs = {} } = step.old ?? step.new ?? {};
  // An object that was only read has no inputs.
  const identity = identityOf(step.urn, Object.keys(inputs).length > 0 ? inputs : outputs);
  const fields = operation === "update" || operation === "replace" ? fieldsOf(step, look) : [];
  const found = change(identity, operation, fields, { retainOnDelete: step.old?.retainOnDelete, protect });
  if (look !== undefined && operation === "create") {
    return { ...found, byHand: "deleted" };
  }
  return fields.some(({ byHand }) => byHand === true) ? { ...found, byHand: "changed" } : found;
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

function fieldsOf(
  { old, new: next, detailedDiff, replaceKeys }: PreviewStep,
  look: PreviewStep | undefined,
): FieldChange[] {
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
  // It changes with every other property, and says nothing beside one.
  const shown = fields.length > 1 ? fields.filter(({ path }) => path !== digestPath) : fields;
  const replacing = Object.keys(detailedDiff).filter((path) => detailedDiff[path]?.endsWith("-replace") === true);
  const forcing = [...replaceKeys, ...replacing];
  return shown
    .map((field) =>
      forcing.some((path) => isWithin(path, field.path)) ? { ...field, forcesReplacement: true as const } : field,
    )
    .map((field) =>
      look !== undefined && isByHand(field.path, look, old) ? { ...field, byHand: true as const } : field,
    )
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Whether the look at the cluster found another value than the last run had recorded. */
function isByHand(path: string, look: PreviewStep, live: ResourceState): boolean {
  return (
    wasChangedByHand(path, withoutSecrets(look.old?.inputs ?? {}), withoutSecrets(live.inputs)) ||
    Object.keys(look.detailedDiff).some((found) => isWithin(found, path) || isWithin(path, found))
  );
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
