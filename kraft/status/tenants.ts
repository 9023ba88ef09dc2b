import { liveClaim, liveIngress, type LiveState, liveVolume } from "../../cluster/live-state.ts";
import { datastoreMadeAnew } from "../../cluster/lost-claims.ts";
import { type Cluster, condition, type Namespace } from "../../cluster/objects.ts";
import { retainedVolumes } from "../../cluster/retained.ts";
import {
  arrivedFromAnnotation,
  departureOf,
  movedToAnnotation,
  suspendedAtAnnotation,
} from "../../components/plan/lifecycle.ts";
import { clusterLabel, domainsAnnotation, objectQuotaName, tenantNames } from "../../components/plan/names.ts";
import { type Gone, goneOf, retainedText } from "../../infra/guards/gone.ts";
import { leftovers, removalCommand } from "../../infra/guards/served-domains.ts";
import { awaitsData } from "../../infra/guards/stages.ts";
import { distance, moment, timestamp } from "../cli/moment.ts";
import type { Remark } from "../cli/output.ts";
import { proofDays, recordOf } from "../drill/record.ts";
import { endingText, handedOutOf } from "../kubeconfig/record.ts";
import { type LookedInto, lostPods } from "./lost-pods.ts";
import {
  critical,
  type DeclaredTenant,
  type Expected,
  type Finding,
  type Observed,
  type Problems,
  sentence,
  subjects,
  type TenantStatus,
  type Use,
} from "./report.ts";

/** One tenant in the cluster, and what the stack file says of them. */
interface Guest {
  readonly name: string;
  /** Undefined for one who is not in the stack file. */
  readonly declared: DeclaredTenant | undefined;
  readonly cluster: Cluster | undefined;
  readonly namespace: Namespace | undefined;
  readonly awaitedFrom: string | null;
  readonly movedTo: TenantStatus["movedTo"];
  /** What of it is gone that held data. */
  readonly gone: Gone | undefined;
  /** The volume that K3k made for its datastore in place of one that is retained. */
  readonly anew: ReturnType<typeof datastoreMadeAnew>;
}

/** Every tenant of the stack file, and every guest that is only in the cluster. By name. */
export function tenantStatuses(
  observed: Observed,
  { stack, tenants, leaveOut }: Expected,
  guests: LookedInto,
  now: Date,
  problems: Problems,
  notes: Remark[],
): TenantStatus[] {
  const clusters = observed.clusters.filter(
    ({ metadata }) => metadata.namespace === tenantNames(metadata.name).namespace,
  );
  const live: Pick<LiveState, "retained" | "volumes"> = {
    volumes: observed.volumes.map(liveVolume),
    retained: retainedVolumes(observed.volumes, observed.persistentVolumes, observed.claims).filter(
      ({ volume }) => !leaveOut.includes(volume),
    ),
  };
  const names = new Set([...tenants.map(({ name }) => name), ...clusters.map(({ metadata }) => metadata.name)]);
  return [...names].sort().map((name) => {
    const declared = tenants.find((tenant) => tenant.name === name);
    const cluster = clusters.find(({ metadata }) => metadata.name === name);
    const namespace = observed.namespaces.find(({ metadata }) => metadata.name === tenantNames(name).namespace);
    const annotations = namespace?.metadata.annotations ?? {};
    const departure = departureOf(annotations[movedToAnnotation]);
    const found = { guest: cluster !== undefined, arrivedFrom: annotations[arrivedFromAnnotation] };
    const state = namespace && {
      ...found,
      movedTo: departure,
      ends: isEnding(namespace)
        ? ("namespace" as const)
        : cluster && isEnding(cluster)
          ? ("guest" as const)
          : undefined,
      suspendedAt: cluster?.metadata.annotations?.[suspendedAtAnnotation],
      claims: observed.claims
        .filter(({ metadata }) => metadata.namespace === tenantNames(name).namespace)
        .map((claim) => liveClaim(claim, cluster, [])),
    };
    const guest: Guest = {
      gone: declared && goneOf(declared, state, live),
      anew: datastoreMadeAnew(name, state, live),
      name,
      declared,
      cluster,
      namespace,
      awaitedFrom: declared?.state === "active" && awaitsData(declared, found) ? (declared.from ?? null) : null,
      movedTo: departure === undefined ? null : { stack: departure.to, at: departure.at },
    };
    problems.add(
      subjects.tenant(name),
      ...guestProblems(guest, stack.name),
      ...podProblems(guest, observed),
      ...drillProblems(guest, now),
      kubeconfigProblem(guest, stack.name, now),
      ...leftoverProblems(guest, observed),
      ...lostPodProblems(name, guests, now),
    );
    notes.push(...moveNotes(guest, stack.name, now).map((message) => ({ subject: subjects.tenant(name), message })));
    return tenantStatus(guest, observed);
  });
}

function tenantStatus({ name, declared, cluster, namespace, awaitedFrom, movedTo }: Guest, observed: Observed) {
  const names = tenantNames(name);
  const use = (quota: string, resource: string): Use | null => {
    const { status } =
      observed.quotas.find(({ metadata }) => metadata.namespace === names.namespace && metadata.name === quota) ?? {};
    const hard = status?.hard?.[resource];
    return hard === undefined ? null : { used: status?.used?.[resource] ?? "0", hard };
  };
  return {
    name,
    declared: declared !== undefined,
    state: declared?.state ?? null,
    awaitedFrom,
    movedTo,
    phase: cluster?.status?.phase ?? null,
    quota: {
      cpu: use(names.podQuota, "requests.cpu"),
      memory: use(names.podQuota, "requests.memory"),
      storage: use(objectQuotaName, "requests.storage"),
      pods: use(names.podQuota, "pods"),
    },
    lastProvenRestorableAt: recordOf(namespace).provenAt ?? null,
    kubeconfigEndsAt: handedOutOf(namespace)?.endsAt ?? null,
  };
}

/** Names that were taken from the tenant, and that they still serve. */
function leftoverProblems({ name, namespace }: Guest, { ingresses }: Observed): Finding[] {
  const domains = namespace?.metadata.annotations?.[domainsAnnotation];
  const own = ingresses.filter(({ metadata }) => metadata.namespace === namespace?.metadata.name);
  return domains === undefined
    ? []
    : leftovers(own.map(liveIngress), domains.split(",")).map(
        (leftover) =>
          `serves ${leftover.host}, which is under none of the tenant's domains any more: ${removalCommand(name, leftover)}`,
      );
}

function isEnding({ metadata }: Cluster | Namespace): boolean {
  return metadata.deletionTimestamp !== undefined;
}

/** The same as a preview says that is refused for it. */
function goneProblem(tenant: string, stack: string, { what, lost, next }: Gone): string {
  const recover = `npx kraft recover ${tenant} plan -s ${stack}`;
  const fix = {
    recover: `Next: ${recover}`,
    suspend: `First state: suspended and pulumi up, then ${recover}`,
    wait: `Wait until that is over, then ${recover}`,
  }[next];
  return `${what}; ${retainedText(tenant, lost)}. ${fix}`;
}

function guestProblems(guest: Guest, stack: string): Finding[] {
  const { name, declared, cluster, awaitedFrom, movedTo, gone, anew } = guest;
  const isActive = declared?.state === "active";
  if (movedTo !== null && isActive) {
    return [
      `moved to ${movedTo.stack}, but is active in the stack file: state: suspended, see docs/moving.md`,
      ...(cluster === undefined ? [] : clusterProblems(declared, cluster)),
    ];
  }
  if (gone !== undefined && (cluster === undefined || !isEnding(cluster))) {
    return [critical(goneProblem(name, stack, gone))];
  }
  return cluster === undefined
    ? // Who is suspended and has no guest gets none: after a rebuild the volumes are enough.
      [awaitedFrom === null && isActive && "is in the stack file, but has no Cluster: run pulumi up"]
    : [
        ...clusterProblems(declared, cluster),
        critical(
          anew !== undefined &&
            `its guest runs over a datastore that was made anew on ${moment(new Date(anew.madeAt))}, and the one before is retained (${anew.earlier.volume}): npx kraft recover ${name} plan -s ${stack}`,
        ),
      ];
}

/** What is wrong with a guest that is there. */
function clusterProblems(declared: DeclaredTenant | undefined, { metadata, status }: Cluster): Finding[] {
  const isDeleted = metadata.deletionTimestamp !== undefined;
  const isStopped = metadata.annotations?.[suspendedAtAnnotation] !== undefined;
  const deletion = critical(isDeleted && "its Cluster IS BEING DELETED, and its volume claims go with it");
  switch (declared?.state) {
    case "archived":
    case "purged":
      return [
        `is ${declared.state} in the stack file, but its Cluster ${isDeleted ? "is still being deleted" : "still exists: run pulumi up"}`,
      ];
    case "suspended":
      return [deletion, !isStopped && "is suspended in the stack file, but its guest is not stopped: run pulumi up"];
    case "active":
    case undefined:
      return [
        declared === undefined && "has a Cluster, but is not in the stack file",
        deletion,
        declared !== undefined && isStopped && "is active in the stack file, but its guest is stopped: run pulumi up",
        critical(
          status?.phase !== "Ready" &&
            sentence(
              status?.phase === undefined
                ? "K3k has not seen its Cluster yet"
                : `its Cluster is ${status.phase}${status.phase === "Terminating" ? "" : ", not Ready"}`,
              condition(status, "Ready")?.message,
            ),
        ),
      ];
  }
}

/**
 * What of a guest does not run while K3k calls it Ready, which it does as soon as the server answers: without K3k's kubelet
 * a node takes no pod of the guest, and without CoreDNS no pod finds another.
 */
function podProblems({ name, declared, cluster }: Guest, observed: Observed): Finding[] {
  if (declared?.state !== "active" || cluster?.status?.phase !== "Ready" || isEnding(cluster)) {
    return [];
  }
  const { namespace, kubelet } = tenantNames(name);
  const own = ({ metadata }: { readonly metadata: { readonly namespace?: string } }) =>
    metadata.namespace === namespace;
  const { desiredNumberScheduled = 0, numberReady = 0 } =
    observed.daemonSets.find((set) => own(set) && set.metadata.name === kubelet)?.status ?? {};
  // A node that is down is a problem of its own.
  const nodes = observed.nodes.filter(({ status }) => condition(status, "Ready")?.status === "True").length;
  const wanted = Math.min(desiredNumberScheduled, nodes);
  const nameServers = observed.nameServers.filter(own);
  const answering = nameServers.filter(({ status }) => condition(status, "Ready")?.status === "True");
  // K3k 1.1.0 takes the label away that the Service of the guest's name server selects by.
  const isFound = answering.some(({ metadata }) => metadata.labels?.[clusterLabel] !== undefined);
  return [
    numberReady < wanted && `K3k's kubelet of its guest: ${numberReady} of ${wanted} ready`,
    critical(
      nameServers.length > 0 &&
        answering.length === 0 &&
        `the name server of its guest is not ready: kubectl -n ${namespace} get pods -l k8s-app=kube-dns`,
    ),
    critical(
      answering.length > 0 &&
        !isFound &&
        "no pod of its guest finds a name: K3k took the label from the guest's name server. Delete it in the guest, where it is made anew: kubectl -n kube-system delete pod -l k8s-app=kube-dns",
    ),
  ];
}

/** Pods of a guest that the host does not have, where it was looked into. */
function lostPodProblems(name: string, guests: LookedInto, now: Date): Finding[] {
  const pods = guests.get(name);
  return typeof pods === "string"
    ? [`its guest could not be looked into: ${pods}`]
    : pods === undefined
      ? []
      : lostPods(name, pods, now);
}

/** Where a tenant is moving from or has moved to: nothing that `pulumi up` would mend. */
function moveNotes({ name, awaitedFrom, movedTo }: Guest, stack: string, now: Date): string[] {
  const at = timestamp(movedTo?.at);
  return [
    ...(awaitedFrom === null ? [] : [`is moving here from ${awaitedFrom}: npx kraft move ${name} -s ${stack}`]),
    ...(movedTo === null ? [] : [`moved to ${movedTo.stack}${at === undefined ? "" : ` ${distance(at, now)}`}`]),
  ];
}

/** That the tenant soon has no kubeconfig, as far as Kraft handed it out. Who is not active needs none. */
function kubeconfigProblem({ name, declared, namespace, movedTo }: Guest, stack: string, now: Date): string | false {
  const text = endingText(handedOutOf(namespace), now);
  return (
    declared?.state === "active" &&
    movedTo === null &&
    text !== undefined &&
    `its kubeconfig ${text}: npx kraft kubeconfig ${name} -s ${stack} -o <file>, and hand it over`
  );
}

/**
 * A backup that nobody ever restored is a hope: a tenant's are to be proven once in `proofDays`, a new tenant's too. One whose
 * data has not arrived has none here.
 */
function drillProblems({ name, declared, namespace, awaitedFrom }: Guest, now: Date): Finding[] {
  if (declared?.state === "purged" || awaitedFrom !== null) {
    return [];
  }
  const { provenAt, failure } = recordOf(namespace);
  const proven = timestamp(provenAt);
  const since = proven ?? timestamp(namespace?.metadata.creationTimestamp);
  const isOld = since !== undefined && now.getTime() - since.getTime() > proofDays * 24 * 3_600_000;
  const last = proven === undefined ? "never proven restorable" : `last proven restorable ${distance(proven, now)}`;
  return [
    critical(
      failure !== undefined && `its last restore drill failed ${distance(new Date(failure.at), now)}: ${failure.why}`,
    ),
    isOld && `its backups were ${last}: npx kraft drill ${name}`,
  ];
}
