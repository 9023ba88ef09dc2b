import { type Certificate, condition, type Node } from "../../cluster/objects.ts";
import { issuerName } from "../../components/plan/cert-manager-values.ts";
import { metallbNamespace } from "../../components/plan/metallb-values.ts";
import { platformNamespaces } from "../../components/plan/network/platform-policies.ts";
import type { Stack } from "../../stacks/index.ts";
import { distance, moment, timestamp } from "../cli/moment.ts";
import type { Observed } from "./observed.ts";
import {
  type CertificateStatus,
  type Expected,
  type Found,
  type NodeStatus,
  type Remark,
  remarks,
  sentence,
  sortedBy,
  type WorkloadStatus,
} from "./report.ts";

/** The nodes of the stack, and those that the cluster has. */
export function nodesFound({ nodes }: Observed, stack: Stack): Found<NodeStatus>[] {
  const missing = stack.nodes
    .filter(({ name }) => !nodes.some(({ metadata }) => metadata.name === name))
    .map(({ name }) => ({
      part: { name, present: false, ready: false, schedulable: false, version: null },
      problems: remarks(`node ${name}`, `is of stack ${stack.name}, but not in the cluster`),
    }));
  return sortedBy([...nodes.map(nodeFound), ...missing], ({ part }) => part.name);
}

/** Conditions of a node that say nothing good when they are true. */
const pressures = ["DiskPressure", "MemoryPressure", "NetworkUnavailable", "PIDPressure"];

function nodeFound({ metadata: { name }, spec, status }: Node): Found<NodeStatus> {
  const ready = condition(status, "Ready");
  const isReady = ready?.status === "True";
  const pressed = (status?.conditions ?? []).filter(
    ({ type, status: value }) => pressures.includes(type) && value === "True",
  );
  return {
    part: {
      name,
      present: true,
      ready: isReady,
      schedulable: spec?.unschedulable !== true,
      version: status?.nodeInfo?.kubeletVersion ?? null,
    },
    problems: remarks(
      `node ${name}`,
      !isReady && sentence("is not ready", ready?.message),
      ...pressed.map(({ type, message }) => sentence(type, message)),
    ),
  };
}

/** What the platform runs. */
export function platformFound({ deployments, daemonSets }: Observed, { entry }: Expected): Found<WorkloadStatus[]> {
  const namespaces: readonly string[] = [
    ...Object.values(platformNamespaces),
    ...(entry === undefined ? [] : [metallbNamespace]),
  ].sort();
  const workloads: WorkloadStatus[] = [
    ...deployments.map(({ metadata: { namespace = "", name }, spec, status }) => ({
      namespace,
      name,
      kind: "Deployment" as const,
      ready: status?.readyReplicas ?? 0,
      wanted: spec?.replicas ?? 1,
    })),
    ...daemonSets.map(({ metadata: { namespace = "", name }, status }) => ({
      namespace,
      name,
      kind: "DaemonSet" as const,
      ready: status?.numberReady ?? 0,
      wanted: status?.desiredNumberScheduled ?? 0,
    })),
  ].filter(({ namespace }) => namespaces.includes(namespace));
  const own = sortedBy(workloads, ({ namespace, name }) => `${namespace}/${name}`);
  return {
    part: own,
    problems: [
      ...namespaces
        .filter((name) => !own.some(({ namespace }) => namespace === name))
        .flatMap((name) => remarks(`namespace ${name}`, "has no Deployment and no DaemonSet: nothing runs")),
      ...own.flatMap(({ namespace, kind, name, ready, wanted }) =>
        remarks(
          `${kind} ${namespace}/${name}`,
          kind === "DaemonSet" && wanted === 0 ? "fits no node" : ready < wanted && `${ready} of ${wanted} ready`,
        ),
      ),
    ],
  };
}

/** What is wrong with the one issuer. */
export function issuerProblems({ issuers }: Observed): Remark[] {
  const issuer = issuers.find(({ metadata }) => metadata.name === issuerName);
  const ready = condition(issuer?.status, "Ready");
  return remarks(
    `issuer ${issuerName}`,
    issuer === undefined
      ? "is not in the cluster: run pulumi up"
      : ready?.status !== "True" && sentence("is not ready", ready?.message),
  );
}

/** Milliseconds after its due time that a renewal may take. */
const renewalPatience = 24 * 3_600_000;

/** Every certificate, by namespace and name. */
export function certificatesFound({ certificates }: Observed, now: Date): Found<CertificateStatus>[] {
  return sortedBy(
    certificates.map((certificate) => certificateFound(certificate, now)),
    ({ part: { namespace, name } }) => `${namespace}/${name}`,
  );
}

function certificateFound({ metadata, spec, status }: Certificate, now: Date): Found<CertificateStatus> {
  const { namespace = "", name } = metadata;
  const ready = condition(status, "Ready");
  const isReady = ready?.status === "True";
  const notAfter = timestamp(status?.notAfter);
  const renewal = timestamp(status?.renewalTime);
  const isOverdue = renewal !== undefined && now.getTime() - renewal.getTime() > renewalPatience;
  return {
    part: { namespace, name, hosts: spec?.dnsNames ?? [], ready: isReady, notAfter: notAfter?.toISOString() ?? null },
    problems: remarks(
      `certificate ${namespace}/${name}`,
      notAfter !== undefined && notAfter < now
        ? `EXPIRED ${distance(notAfter, now)}`
        : isReady
          ? isOverdue && `should have been renewed on ${moment(renewal)}`
          : sentence("is not ready", ready?.message),
    ),
  };
}
