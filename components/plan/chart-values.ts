import { isDeepStrictEqual } from "node:util";
import { ConfigError, type Problem, show } from "../../errors/problem.ts";
import type { CertManagerValues } from "./cert-manager-values.ts";
import type { K3kValues } from "./k3k-values.ts";
import type { LonghornValues } from "./longhorn-values.ts";
import type { MetalLbValues } from "./metallb-values.ts";
import type { TraefikValues } from "./traefik-values.ts";

/** A Helm value: anything that JSON can say. */
export type Value = null | boolean | number | string | readonly Value[] | ChartValues;

/** A chart's Helm values, or a map among them. A key that is undefined is not set. */
export interface ChartValues {
  readonly [key: string]: Value | undefined;
}

/** Takes the values that Kraft plans for a chart, and returns those that the chart gets. */
export type ValuesHook<Planned extends ChartValues = ChartValues> = (planned: Planned) => ChartValues;

/**
 * How a stack changes the Helm values of the platform's charts. It lives in `stacks/*.ts` and nowhere else.
 *
 * A hook may change the values in `changeable`. What else it changes is refused before anything is declared: the tenant
 * boundary, the tenants' data and the capacity checks depend on it.
 */
export interface ChartValuesHooks {
  readonly traefik?: ValuesHook<TraefikValues>;
  readonly "cert-manager"?: ValuesHook<CertManagerValues>;
  readonly longhorn?: ValuesHook<LonghornValues>;
  readonly k3k?: ValuesHook<K3kValues>;
  readonly metallb?: ValuesHook<MetalLbValues>;
}

export type ChartName = keyof ChartValuesHooks;

/** Where the pods of a workload run. */
const placement = ["affinity", "nodeSelector", "tolerations", "topologySpreadConstraints"];

function below(parent: string, paths: readonly string[]): string[] {
  return paths.map((path) => `${parent}.${path}`);
}

/**
 * The values that a hook may change, with everything below them: where pods run, what they may use at most, how much they
 * log, how long they wait.
 *
 * Every other value is closed until somebody has looked at what it does. Add one only if it opens nothing to tenants, risks
 * no volume and no backup, and is no figure of `infra/checks/`, which counts requests, replicas and Longhorn's shares.
 */
export const changeable: Readonly<Record<ChartName, readonly string[]>> = {
  traefik: [
    ...placement,
    "accessLog.enabled",
    "deployment.terminationGracePeriodSeconds",
    "ports.web.transport",
    "ports.websecure.http.maxHeaderBytes",
    "ports.websecure.transport",
    "resources.limits",
  ],
  "cert-manager": [
    ...placement,
    ...below("cainjector", [...placement, "resources.limits"]),
    "global.logLevel",
    "maxConcurrentChallenges",
    "resources.limits",
    ...below("webhook", [...placement, "resources.limits"]),
  ],
  longhorn: [
    ...below("defaultSettings", ["logLevel", "restoreConcurrentLimit", "snapshotHeavyTaskConcurrentLimit"]),
    "longhornManager.log.format",
    ...below("longhornUI", ["affinity", "nodeSelector", "tolerations"]),
  ],
  k3k: ["controller.resources.limits"],
  metallb: [
    ...below("controller", ["affinity", "logLevel", "nodeSelector", "resources.limits", "tolerations"]),
    ...below("speaker", ["logLevel", "nodeSelector", "resources.limits", "tolerations"]),
  ],
};

/** A chart's values after a stack's hook. Throws a ConfigError naming every value that the hook must not change. */
export function changedValues<Planned extends ChartValues>(
  chart: ChartName,
  planned: Planned,
  hook: ValuesHook<Planned> | undefined,
): ChartValues {
  const { values, problems } = applied(chart, planned, hook);
  if (problems.length > 0) {
    throw new ConfigError(`chartValues.${chart}`, problems);
  }
  return values;
}

/** What a hook changes that it must not, without declaring anything. */
export function refusedChanges<Planned extends ChartValues>(
  chart: ChartName,
  planned: Planned,
  hook: ValuesHook<Planned> | undefined,
): readonly Problem[] {
  return applied(chart, planned, hook).problems;
}

type Path = readonly string[];

function applied<Planned extends ChartValues>(chart: ChartName, planned: Planned, hook?: ValuesHook<Planned>) {
  const problems: Problem[] = [];
  if (hook === undefined) {
    return { values: planned, problems };
  }
  const problem = (path: Path, found: string, allowed: string, fix: string): void => {
    problems.push({ key: ["chartValues", chart, ...path].map(keyText).join("."), found, allowed, fix });
  };
  // A copy each way: what the hook changes in place, or answers differently when asked again, changes nothing here.
  const values = copyOf(hook(structuredClone(planned)), [], (path, found) => {
    problem(path, found, "maps, lists, texts, numbers, true, false and null; no templates", "return plain values");
  });
  if (problems.length > 0) {
    return { values: planned, problems };
  }
  const open = changeable[chart].map((path) => path.split("."));
  for (const { path, before, after } of changes(planned, values, [])) {
    if (!open.some((prefix) => prefix.every((key, depth) => path[depth] === key))) {
      problem(
        path,
        `${show(after)}, where Kraft ${before === undefined ? "sets nothing" : `sets ${show(before)}`}`,
        `changes to ${changeable[chart].join(", ")}`,
        "leave it as it is: the tenant boundary, the tenants' data or the capacity checks depend on it",
      );
    }
  }
  return { values: values as ChartValues, problems };
}

/** A key as a part of a path; one with a dot in it is quoted, since it is one key and not two. */
function keyText(key: string): string {
  return /^[\w-]+$/.test(key) ? key : JSON.stringify(key);
}

/** Plain values, read once. Anything else is reported, so that what is compared is what the chart gets. */
function copyOf(value: unknown, path: Path, report: (path: Path, found: string) => void): Value | undefined {
  if (typeof value === "string" && value.includes("{{")) {
    // Charts evaluate some of their values as templates, which could write anything into a manifest.
    report(path, `the template ${show(value)}`);
  }
  if (value === null || value === undefined || ["boolean", "string"].includes(typeof value) || Number.isFinite(value)) {
    return value as Value | undefined;
  }
  if (Array.isArray(value)) {
    return Array.from(value, (item: unknown, index) => copyOf(item, [...path, String(index)], report) ?? null);
  }
  if (typeof value === "object" && [Object.prototype, null].includes(Object.getPrototypeOf(value) as object | null)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copyOf(item, [...path, key], report)]));
  }
  report(path, typeof value === "object" ? `an object of class ${value.constructor.name}` : `a ${typeof value}`);
  return undefined;
}

interface Change {
  readonly path: Path;
  readonly before: Value | undefined;
  readonly after: Value | undefined;
}

/** Where values differ: at single keys of maps, and at lists as a whole. */
function changes(before: Value | undefined, after: Value | undefined, path: Path): Change[] {
  if (isMap(after) && (isMap(before) || (before === undefined && Object.keys(after).length > 0))) {
    const keys = new Set([...Object.keys(before ?? {}), ...Object.keys(after)]);
    return [...keys].flatMap((key) => changes(entry(before, key), entry(after, key), [...path, key]));
  }
  return isDeepStrictEqual(before, after) ? [] : [{ path, before, after }];
}

function entry(map: ChartValues | undefined, key: string): Value | undefined {
  return map !== undefined && Object.hasOwn(map, key) ? map[key] : undefined;
}

function isMap(value: Value | undefined): value is ChartValues {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
