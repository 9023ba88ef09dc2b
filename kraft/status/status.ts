import { condition } from "../../cluster/objects.ts";
import { issuerName } from "../../components/plan/cert-manager-values.ts";
import { metallbNamespace } from "../../components/plan/metallb-values.ts";
import { platformNamespaces } from "../../components/plan/network/platform-policies.ts";
import { distance, moment, timestamp } from "../cli/moment.ts";
import type { Remark } from "../cli/output.ts";
import { formerAuthority, obstacleOf } from "./authority.ts";
import { scheduleStatuses, targetStatus, volumeStatuses } from "./backups.ts";
import type { LookedInto } from "./lost-pods.ts";
import {
  type CertificateStatus,
  critical,
  type Expected,
  type NodeStatus,
  type Observed,
  Problems,
  sentence,
  sortedBy,
  type Status,
  subjects,
  type WorkloadStatus,
} from "./report.ts";
import { tenantStatuses } from "./tenants.ts";

/**
 * What is the matter with a cluster, from what it told about itself.
 *
 * @param guests Those that were looked into. Default: none
 */
export function judge(observed: Observed, expected: Expected, now: Date, guests: LookedInto = new Map()): Status {
  const problems = new Problems();
  const notes: Remark[] = [];
  const nodes = nodeStatuses(observed, expected, problems);
  const platform = workloadStatuses(observed, expected, problems);
  const tenants = tenantStatuses(observed, expected, guests, now, problems, notes);
  const names = tenants.map(({ name }) => name);
  const target = targetStatus(observed, problems);
  const schedules = scheduleStatuses(observed, problems);
  const volumes = volumeStatuses(observed, names, now, problems);
  judgeIssuer(observed, problems);
  const certificates = certificateStatuses(observed, now, problems);
  for (const { key, found, fix } of expected.versions) {
    problems.add(key, `${found}: ${fix}`);
  }
  return {
    stack: expected.stack.name,
    cluster: { context: expected.context, uid: expected.uid },
    at: now.toISOString(),
    ok: problems.list.length === 0,
    nodes,
    platform,
    tenants,
    backups: { target, schedules, volumes },
    certificates,
    problems: problems.list,
    notes,
  };
}

/** Conditions of a node that say nothing good when they are true. */
const pressures = ["DiskPressure", "MemoryPressure", "NetworkUnavailable", "PIDPressure"];

/** The nodes of the stack, and others that the cluster has. */
function nodeStatuses({ nodes }: Observed, { stack }: Expected, problems: Problems): NodeStatus[] {
  const names = new Set([...stack.nodes.map(({ name }) => name), ...nodes.map(({ metadata }) => metadata.name)]);
  return [...names].sort().map((name) => {
    const node = nodes.find(({ metadata }) => metadata.name === name);
    const ready = condition(node?.status, "Ready");
    const isReady = ready?.status === "True";
    const pressed = (node?.status?.conditions ?? []).filter(
      ({ type = "", status }) => pressures.includes(type) && status === "True",
    );
    problems.add(
      subjects.node(name),
      critical(
        node === undefined
          ? `is of stack ${stack.name}, but not in the cluster`
          : !isReady && sentence("is not ready", ready?.message),
      ),
      ...pressed.map(({ type = "", message }) => sentence(type, message)),
    );
    return {
      name,
      present: node !== undefined,
      ready: isReady,
      schedulable: node !== undefined && node.spec?.unschedulable !== true,
      version: node?.status?.nodeInfo?.kubeletVersion ?? null,
    };
  });
}

function workloadStatuses(
  { deployments, daemonSets }: Observed,
  { entry }: Expected,
  problems: Problems,
): WorkloadStatus[] {
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
  for (const name of namespaces.filter((own) => !workloads.some(({ namespace }) => namespace === own))) {
    problems.add(`namespace ${name}`, critical("has no Deployment and no DaemonSet: nothing runs"));
  }
  const own = sortedBy(workloads, ({ namespace, name }) => `${namespace}/${name}`);
  for (const { namespace, kind, name, ready, wanted } of own) {
    const found = ready < wanted && `${ready} of ${wanted} ready`;
    problems.add(
      `${kind} ${namespace}/${name}`,
      kind === "DaemonSet" && wanted === 0 ? critical("fits no node") : ready === 0 ? critical(found) : found,
    );
  }
  return own;
}

function judgeIssuer({ issuers }: Observed, problems: Problems): void {
  const issuer = issuers.find(({ metadata }) => metadata.name === issuerName);
  const ready = condition(issuer?.status, "Ready");
  problems.add(
    `issuer ${issuerName}`,
    issuer === undefined
      ? "is not in the cluster: run pulumi up"
      : ready?.status !== "True" && sentence("is not ready", ready?.message),
  );
}

/** Milliseconds after its due time that a renewal may take. */
const renewalPatience = 24 * 3_600_000;

/** Every certificate, by namespace and name. */
function certificateStatuses(
  { certificates, challenges, issuers, orders }: Observed,
  now: Date,
  problems: Problems,
): CertificateStatus[] {
  const sorted = sortedBy(certificates, ({ metadata }) => `${metadata.namespace ?? ""}/${metadata.name}`);
  const issuer = issuers.find(({ metadata }) => metadata.name === issuerName);
  return sorted.map((certificate) => {
    const { spec, status } = certificate;
    const { namespace = "", name } = certificate.metadata;
    const ready = condition(status, "Ready");
    const isReady = ready?.status === "True";
    const obstacle = obstacleOf(certificate, challenges);
    const notAfter = timestamp(status?.notAfter);
    const renewal = timestamp(status?.renewalTime);
    const isOverdue = renewal !== undefined && now.getTime() - renewal.getTime() > renewalPatience;
    problems.add(
      subjects.certificate({ namespace, name }),
      notAfter !== undefined && notAfter < now
        ? critical(sentence(`EXPIRED ${distance(notAfter, now)}`, obstacle))
        : isReady
          ? isOverdue && sentence(`should have been renewed on ${moment(renewal)}`, obstacle)
          : sentence("is not ready", obstacle ?? ready?.message),
      formerAuthority(certificate, orders, issuer),
    );
    return { namespace, name, hosts: spec?.dnsNames ?? [], ready: isReady, notAfter: notAfter?.toISOString() ?? null };
  });
}
