import { metallbNamespace } from "../../components/plan/metallb-values.ts";
import { platformNamespaces } from "../../components/plan/network/platform-policies.ts";
import type { Stack } from "../../stacks/index.ts";
import { compare, condition, placed, sentence, sorted, type Found } from "./found.ts";
import type { NodeObject, Observed } from "./objects.ts";
import type { Expected, NodeStatus, WorkloadStatus } from "./report.ts";

/** The nodes of the stack, and those that the cluster has. */
export function nodesFound({ nodes }: Observed, stack: Stack): Found<NodeStatus>[] {
  const missing = stack.nodes
    .filter(({ name }) => !nodes.some(({ metadata }) => metadata.name === name))
    .map(({ name }) => ({
      part: { name, present: false, ready: false, schedulable: false, version: null },
      problems: [{ subject: `node ${name}`, message: `is of stack ${stack.name}, but not in the cluster` }],
    }));
  return sorted([...nodes.map(nodeFound), ...missing]);
}

/** Conditions of a node that say nothing good when they are true. */
const pressures = ["DiskPressure", "MemoryPressure", "NetworkUnavailable", "PIDPressure"];

function nodeFound({ metadata, spec, status }: NodeObject): Found<NodeStatus> {
  const subject = `node ${metadata.name}`;
  const ready = condition(status?.conditions, "Ready");
  const problems = (status?.conditions ?? [])
    .filter(({ type, status: value }) => pressures.includes(type) && value === "True")
    .map(({ type, message }) => ({ subject, message: sentence(type, message) }));
  const isReady = ready?.status === "True";
  return {
    part: {
      name: metadata.name,
      present: true,
      ready: isReady,
      schedulable: spec?.unschedulable !== true,
      version: status?.nodeInfo?.kubeletVersion ?? null,
    },
    problems: isReady ? problems : [{ subject, message: sentence("is not ready", ready?.message) }, ...problems],
  };
}

/** What the platform runs. */
export function platformFound({ deployments, daemonSets }: Observed, { entry }: Expected): Found<WorkloadStatus[]> {
  const workloads: WorkloadStatus[] = [
    ...deployments.map(({ metadata, spec, status }) => ({
      ...placed(metadata),
      kind: "Deployment" as const,
      ready: status?.readyReplicas ?? 0,
      wanted: spec?.replicas ?? 1,
    })),
    ...daemonSets.map(({ metadata, status }) => ({
      ...placed(metadata),
      kind: "DaemonSet" as const,
      ready: status?.numberReady ?? 0,
      wanted: status?.desiredNumberScheduled ?? 0,
    })),
  ];
  const namespaces = [...Object.values(platformNamespaces), ...(entry === undefined ? [] : [metallbNamespace])].sort();
  const own = workloads
    .filter(({ namespace }) => namespaces.some((name) => name === namespace))
    .sort((a, b) => compare(`${a.namespace}/${a.name}`, `${b.namespace}/${b.name}`));
  const empty = namespaces
    .filter((name) => !own.some(({ namespace }) => namespace === name))
    .map((name) => ({ subject: `namespace ${name}`, message: "has no Deployment and no DaemonSet: nothing runs" }));
  const unready = own
    .filter(({ kind, ready, wanted }) => ready < wanted || (kind === "DaemonSet" && wanted === 0))
    .map(({ namespace, kind, name, ready, wanted }) => ({
      subject: `${kind} ${namespace}/${name}`,
      message: wanted === 0 ? "fits no node" : `${ready} of ${wanted} ready`,
    }));
  return { part: own, problems: [...empty, ...unready] };
}
