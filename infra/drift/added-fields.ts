import { isDeepStrictEqual } from "node:util";
import type { KubernetesObject } from "../../cluster/objects.ts";
import { fieldManager } from "../../components/plan/names.ts";
import { record } from "../config/pulumi-files.ts";
import { fieldChanges, type Fields, isFields } from "./fields.ts";

/** Who wrote which fields of an object, as the API server keeps it. */
export interface ManagedFields {
  readonly manager?: string;
  readonly operation?: string;
  readonly subresource?: string;
  readonly time?: string;
  readonly fieldsV1?: Fields;
}

/** An object with what the API server keeps about its fields. */
export interface ManagedObject extends KubernetesObject {
  readonly metadata: KubernetesObject["metadata"] & {
    readonly resourceVersion?: string;
    readonly managedFields?: readonly ManagedFields[];
  };
}

/** A field that is not as declared, and that a refresh does not see. */
export interface ForeignField {
  /** As Pulumi writes it: `spec.hard.pods`. */
  readonly path: string;
  readonly live: unknown;
  /** Undefined where nobody declared it. */
  readonly declared: unknown;
  /** The program that wrote it, for example `kubectl-edit`. */
  readonly manager: string;
  /** When, as RFC 3339. */
  readonly time: string;
}

/** Properties that controllers and the API server write, whatever the kind. */
const writtenByControllers: readonly RegExp[] = [
  /^status($|[.[])/,
  /^metadata\.(creationTimestamp|finalizers|generation|managedFields|ownerReferences|resourceVersion|selfLink|uid)($|[.[])/,
  /^metadata\.annotations\["(deployment\.kubernetes\.io|control-plane\.alpha\.kubernetes\.io|kubectl\.kubernetes\.io|meta\.helm\.sh)\//,
  // The API server labels every namespace with its name, and adds its own finalizer.
  /^spec\.finalizers($|[.[])/,
  /^metadata\.labels\["kubernetes\.io\/metadata\.name"\]$/,
  // cert-manager's CA injector.
  /^webhooks\[[^\]]+\]\.clientConfig\.caBundle$/,
  /^spec\.conversion\.webhook\.clientConfig\.caBundle$/,
];

/** Whether controllers or the API server write a property in normal operation. */
export function isWrittenByControllers(path: string): boolean {
  return writtenByControllers.some((pattern) => pattern.test(path));
}

/**
 * Whether Pulumi's provider wrote it: under Kraft's name, or under one of its own, as in states of before. What is written under
 * Kraft's name without being applied is not declared anywhere: Kraft's verbs write notes that way, and somebody may write anything.
 */
function isDeclared({ manager = "", operation }: ManagedFields): boolean {
  return manager === fieldManager ? operation === "Apply" : /^pulumi(-|$)/.test(manager);
}

/** K3k puts the Pod Security level of its policy on a tenant's namespace, and from 1.2.0 on a label of its own on every guest. */
function isOfK3k(path: string, { manager }: ManagedFields): boolean {
  return (
    manager === "k3k" &&
    (path.startsWith('metadata.labels["pod-security.kubernetes.io/') ||
      path === 'metadata.labels["provider.cattle.io"]')
  );
}

/** Kraft's notes about a tenant, and permissions to delete, which a person gives by hand. Pulumi compares those it declares. */
function isNote(path: string): boolean {
  return path.startsWith('metadata.annotations["kraft.dev/');
}

/** What declared the object; undefined where Pulumi did not. */
export function declaringManager({ metadata }: ManagedObject): string | undefined {
  return metadata.managedFields?.find(
    (entry) => isDeclared(entry) && entry.operation === "Apply" && entry.subresource === undefined,
  )?.manager;
}

/** Whether anyone except Pulumi or an allowed controller has written to an object. */
export function isForeign(object: ManagedObject): boolean {
  return foreignEntries(object).length > 0;
}

function foreignEntries({ metadata }: ManagedObject): readonly ManagedFields[] {
  return (metadata.managedFields ?? []).filter(
    (entry) =>
      !isDeclared(entry) &&
      entry.subresource === undefined &&
      leaves(entry.fieldsV1 ?? {}).some((steps) => !isExcused(steps, entry) && !isKey(steps)),
  );
}

/** Whether a field is what tells an entry of a list from the others: whoever writes to the entry writes it too. */
function isKey(steps: readonly Step[]): boolean {
  const [list, last] = steps.slice(-2);
  return list !== undefined && "keys" in list && last !== undefined && "property" in last && last.property in list.keys;
}

function isExcused(steps: readonly Step[], entry: ManagedFields): boolean {
  const path = pathOf(steps);
  return isWrittenByControllers(path) || isOfK3k(path, entry) || isNote(path);
}

/**
 * Fields of an object that somebody else wrote, that differ from what is declared, and that no refresh sees: the Kubernetes
 * provider compares only those that are declared, and of a list only as many entries as are declared
 * (`pruneLiveState` in pulumi-kubernetes' provider).
 */
export function unseenFields(live: ManagedObject, declared: Fields): ForeignField[] {
  const found = foreignEntries(live).flatMap((entry) =>
    leaves(entry.fieldsV1 ?? {}).flatMap((steps) => {
      const [is, wanted] = [live, declared].map((object) => valueOf(object, steps));
      return isExcused(steps, entry) ||
        isKey(steps) ||
        is === undefined ||
        isDeepStrictEqual(is, wanted) ||
        isSeen(is, wanted)
        ? []
        : fieldChanges(is, wanted).map(({ path, old, new: declaredValue }) => ({
            path: `${pathOf(steps)}${path === "" || path.startsWith("[") ? path : `.${path}`}`,
            live: old,
            declared: declaredValue,
            ...writerOf(entry),
          }));
    }),
  );
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function writerOf({ manager = "", time = "" }: ManagedFields) {
  return { manager, time };
}

/** Whether a refresh shows that a value differs from the declared one. */
function isSeen(live: unknown, declared: unknown): boolean {
  return declared !== undefined && !isDeepStrictEqual(pruned(live, declared), declared);
}

/** What is left of a live value when the provider compares it with a declared one. */
function pruned(live: unknown, declared: unknown): unknown {
  if (isFields(live) && isFields(declared)) {
    const kept = Object.entries(live).filter(([key]) => key in declared);
    return Object.fromEntries(kept.map(([key, value]) => [key, pruned(value, declared[key])]));
  }
  if (Array.isArray(live) && Array.isArray(declared)) {
    return live.slice(0, declared.length).map((value, index) => pruned(value, declared[index]));
  }
  return live;
}

/**
 * The managedFields of an object after Pulumi takes over the fields of others. The next apply removes those that are not
 * declared, as `kubectl apply` does with a field that was taken out.
 */
export function takenOver(object: ManagedObject, manager: string): ManagedFields[] {
  const foreign = foreignEntries(object);
  const taken = foreign.map((entry) => part(entry.fieldsV1 ?? {}, (steps) => !isExcused(steps, entry)));
  return (object.metadata.managedFields ?? []).flatMap((entry) => {
    if (foreign.includes(entry)) {
      const left = part(entry.fieldsV1 ?? {}, (steps) => isExcused(steps, entry));
      return Object.keys(left).length === 0 ? [] : [{ ...entry, fieldsV1: left }];
    }
    const isDeclaring = entry.manager === manager && entry.operation === "Apply" && entry.subresource === undefined;
    return [isDeclaring ? { ...entry, fieldsV1: [entry.fieldsV1 ?? {}, ...taken].reduce(union) } : entry];
  });
}

/** The part of a set whose fields pass a test. */
function part(fields: Fields, test: (steps: readonly Step[]) => boolean, before: readonly Step[] = []): Fields {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([key, value]) => {
      if (key === ".") {
        return [];
      }
      const steps = [...before, stepOf(key)];
      const inner = record(value);
      const isLeaf = Object.keys(inner).every((name) => name === ".");
      if (isLeaf) {
        return test(steps) ? [[key, inner] as const] : [];
      }
      const kept = part(inner, test, steps);
      // Whoever owns something in an entry of a list owns the entry: it must be able to go.
      const itself = "." in inner ? { ".": inner["."] } : {};
      return Object.keys(kept).length === 0 ? [] : [[key, { ...itself, ...kept }] as const];
    }),
  );
}

function union(one: Fields, other: Fields): Fields {
  const keys = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  return Object.fromEntries(keys.map((key) => [key, union(record(one[key]), record(other[key]))]));
}

/** A step into an object: a property, the entry of a list that has these keys, or a value in a list. */
type Step = { readonly property: string } | { readonly keys: Fields } | { readonly value: unknown };

/** Every field of a set in the API server's notation: https://kubernetes.io/docs/reference/using-api/server-side-apply */
function leaves(fields: Fields, before: readonly Step[] = []): Step[][] {
  const inner = Object.entries(fields).filter(([key]) => key !== ".");
  return inner.length === 0
    ? before.length === 0
      ? []
      : [[...before]]
    : inner.flatMap(([key, value]) => leaves(record(value), [...before, stepOf(key)]));
}

function stepOf(key: string): Step {
  const [kind, text] = [key.slice(0, 2), key.slice(2)];
  return kind === "k:"
    ? { keys: record(JSON.parse(text)) }
    : kind === "v:"
      ? { value: JSON.parse(text) as unknown }
      : { property: text };
}

function valueOf(object: unknown, steps: readonly Step[]): unknown {
  return steps.reduce<unknown>((at, step) => {
    if ("property" in step) {
      return record(at)[step.property];
    }
    const list: readonly unknown[] = Array.isArray(at) ? at : [];
    return "keys" in step
      ? list.find((entry) => Object.entries(step.keys).every(([key, value]) => record(entry)[key] === value))
      : list.find((entry) => isDeepStrictEqual(entry, step.value));
  }, object);
}

function pathOf(steps: readonly Step[]): string {
  return steps.reduce((at, step) => {
    if ("property" in step) {
      const { property } = step;
      const isPlain = /^[A-Za-z_$][\w$-]*$/.test(property);
      return isPlain ? (at === "" ? property : `${at}.${property}`) : `${at}[${JSON.stringify(property)}]`;
    }
    const name = "keys" in step ? Object.values(step.keys).join(", ") : step.value;
    return `${at}[${JSON.stringify(name)}]`;
  }, "");
}
