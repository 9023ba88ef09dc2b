import * as kubernetes from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { NetworkBoundary } from "./network-boundary.ts";
import { type ChartPin, chartReference, type ChartSource } from "./plan/chart.ts";
import { changedValues, type ChartName, type ChartValues, type ValuesHook } from "./plan/chart-values.ts";
import type { HostNetwork } from "./plan/network/host-network.ts";
import type { NetworkRules } from "./plan/network/policy.ts";
import { type PodSecurity, podSecurityLabels } from "./plan/pod-security.ts";

/** Arguments of every component that installs a Helm chart. */
export interface ChartArgs<Values extends ChartValues> {
  /** The chart, at the one version that is installed. */
  readonly chart: ChartPin;
  /** Where charts come from. */
  readonly charts: ChartSource;
  /** Addresses for the NetworkPolicies of the chart's namespace. */
  readonly network: HostNetwork;
  /**
   * Changes the chart's Helm values, as far as `chart-values.ts` allows.
   *
   * @default Kraft's values as they are
   * @example (values) => ({ ...values, nodeSelector: { "example.org/wired": "true" } })
   */
  readonly changeValues?: ValuesHook<Values> | undefined;
}

/** A namespace of the platform's own. */
export interface NamespaceArgs {
  readonly namespace: string;
  readonly security: PodSecurity;
  readonly policies: readonly NetworkRules[];
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /**
   * Whether the deletion of the namespace takes the policies along. One by one the API server refuses to delete them
   * (`plan/admission/deletions.ts`).
   *
   * @default false
   */
  readonly policiesGoWithIt?: boolean;
}

/** A chart, and the namespace that it is installed in. */
export interface InstallArgs<Values extends ChartValues> extends NamespaceArgs {
  readonly name: ChartName;
  readonly values: Values;
  /** Declares what must be in the namespace before the chart. */
  readonly before?: (namespace: kubernetes.core.v1.Namespace) => readonly pulumi.Resource[];
}

/** Options of a resource that stays in the cluster when it leaves the program, since data depends on it. */
export const retainedOptions = { protect: true, retainOnDelete: true } as const;

/** What of a chart stays protected where the chart is, by the end of Pulumi's type: the chart itself, and what data hangs on. */
const protectedOfChart: readonly string[] = [
  ":Chart",
  ":CustomResourceDefinition",
  ":Namespace",
  ":PersistentVolumeClaim",
  ":Secret",
  ":StorageClass",
];

/**
 * For a component with a protected chart: takes protection off whatever of the chart can simply be made again. A new version
 * may drop a Service or rename a ServiceAccount, and Pulumi would refuse that.
 */
export const protectOnlyData: pulumi.ResourceTransform = async ({ type, props, opts }) =>
  protectedOfChart.some((kind) => type.endsWith(kind)) || !(await isOfChart(opts.parent))
    ? undefined
    : { props, opts: { ...opts, protect: false, retainOnDelete: false } };

/** Whether an object with this parent is one that a chart renders. */
async function isOfChart(parent: pulumi.Resource | undefined): Promise<boolean> {
  const urn = parent && (await new Promise<string>((resolve) => parent.urn.apply(resolve)));
  return urn?.split("::").at(-2)?.endsWith(":Chart") ?? false;
}

/**
 * Options of a component that installs a chart, with what changes objects of the chart where its values cannot.
 *
 * All transforms of the component become one. The engine sends every object that it registers whole to each transform and
 * back, and with charts these are megabytes of CustomResourceDefinitions.
 *
 * @param own See each object before the transforms in `opts` do.
 */
export function chartOptions(
  opts: pulumi.ComponentResourceOptions | undefined,
  ...own: readonly pulumi.ResourceTransform[]
): pulumi.ComponentResourceOptions {
  return { ...opts, transforms: [oneAfterTheOther([...own, ...(opts?.transforms ?? [])])] };
}

/** The transform that does what these do. */
function oneAfterTheOther(transforms: readonly pulumi.ResourceTransform[]): pulumi.ResourceTransform {
  return async (resource) => {
    let changed: pulumi.ResourceTransformResult | undefined;
    for (const transform of transforms) {
      changed = (await transform({ ...resource, ...changed })) ?? changed;
    }
    return changed;
  };
}

/** Declares a namespace with its Pod Security level and its NetworkPolicies. */
export function declareNamespace(
  parent: pulumi.ComponentResource,
  name: string,
  { namespace, security, policies, annotations, policiesGoWithIt = false }: NamespaceArgs,
  opts: pulumi.CustomResourceOptions = {},
): kubernetes.core.v1.Namespace {
  const declared = new kubernetes.core.v1.Namespace(
    `${name}-namespace`,
    { metadata: { name: namespace, labels: podSecurityLabels(security), annotations } },
    { ...opts, parent },
  );
  new NetworkBoundary(
    `${name}-network`,
    { namespace, policies, ...(policiesGoWithIt && { deletedWith: declared }) },
    { parent, dependsOn: [declared] },
  );
  return declared;
}

/**
 * Declares a chart in a namespace of its own.
 *
 * @param name Logical name of the chart; that of the namespace begins with it.
 * @param opts Options of the chart and the namespace.
 */
export function installChart<Values extends ChartValues>(
  parent: pulumi.ComponentResource,
  name: string,
  { chart, charts, changeValues }: ChartArgs<Values>,
  install: InstallArgs<Values>,
  opts: pulumi.CustomResourceOptions = {},
): { readonly namespace: kubernetes.core.v1.Namespace; readonly chart: kubernetes.helm.v4.Chart } {
  const namespace = declareNamespace(parent, name, install, opts);
  const values = changedValues(install.name, install.values, changeValues);
  const declared = new kubernetes.helm.v4.Chart(
    name,
    { ...chartReference(chart, charts), name: install.name, namespace: install.namespace, values },
    {
      ...opts,
      parent,
      dependsOn: [namespace, ...(install.before?.(namespace) ?? [])],
    },
  );
  return { namespace, chart: declared };
}
