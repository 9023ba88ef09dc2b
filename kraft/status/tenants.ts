import { suspendedAtAnnotation } from "../../components/plan/lifecycle.ts";
import { arrivedFromAnnotation, departureOf, movedToAnnotation } from "../../components/plan/move.ts";
import { tenantNames } from "../../components/plan/names.ts";
import { proofDays, recordOf } from "../drill/record.ts";
import { distance, timestamp } from "../cli/moment.ts";
import { condition, sentence, sorted, type Found, type Remark } from "./found.ts";
import type { ClusterObject, NamespaceObject, Observed } from "./objects.ts";
import type { DeclaredTenant, Expected, TenantStatus, Use } from "./report.ts";

/** One tenant in the cluster, and what the stack file says of them. */
interface Guest {
  readonly name: string;
  /** Undefined for one who does not stand in the stack file. */
  readonly declared: DeclaredTenant | undefined;
  readonly cluster: ClusterObject | undefined;
  readonly awaitedFrom: string | null;
  readonly movedTo: TenantStatus["movedTo"];
}

/** A tenant, with what is wrong and what is only to be known. */
export interface FoundTenant extends Found<TenantStatus> {
  readonly notes: readonly Remark[];
}

/** Every tenant of the stack file, and every guest that is in the cluster without standing there. By name. */
export function tenantsFound(
  observed: Observed,
  { stack, tenants }: Pick<Expected, "stack" | "tenants">,
  now: Date,
): FoundTenant[] {
  const found = observed.clusters.filter(({ metadata }) => metadata.namespace === tenantNames(metadata.name).namespace);
  const strange = found
    .map(({ metadata }) => metadata.name)
    .filter((name) => !tenants.some((declared) => declared.name === name));
  return sorted(
    [...tenants.map(({ name }) => name), ...strange].map((name) => {
      const declared = tenants.find((tenant) => tenant.name === name);
      const cluster = found.find(({ metadata }) => metadata.name === name);
      const guest = { name, declared, cluster, ...moveOf(declared, cluster, namespaceOf(name, observed)) };
      return {
        part: tenantStatus(guest, observed),
        problems: [...guestProblems(guest), ...drillProblems(guest, observed, now)],
        notes: moveNotes(guest, stack.name, now),
      };
    }),
  );
}

function tenantStatus({ name, declared, cluster, awaitedFrom, movedTo }: Guest, observed: Observed): TenantStatus {
  const { namespace, policy } = tenantNames(name);
  const use = (quota: string, resource: string): Use | null => {
    const object = observed.quotas.find(({ metadata }) => metadata.namespace === namespace && metadata.name === quota);
    const hard = object?.status?.hard?.[resource];
    return hard === undefined ? null : { used: object?.status?.used?.[resource] ?? "0", hard };
  };
  // K3k names a policy's quota so; it counts the tenant's own pods only.
  const pods = `k3k-${policy}`;
  return {
    name,
    declared: declared !== undefined,
    state: declared?.state ?? null,
    awaitedFrom,
    movedTo,
    phase: cluster?.status?.phase ?? null,
    quota: {
      cpu: use(pods, "requests.cpu"),
      memory: use(pods, "requests.memory"),
      storage: use("kraft-objects", "requests.storage"),
      pods: use(pods, "pods"),
    },
    lastProvenRestorableAt: recordOf(namespaceOf(name, observed)).provenAt ?? null,
  };
}

/** Where a tenant is on the way to or from, as a preview judges it too (`awaitsData` in infra/guards/stages.ts). */
function moveOf(
  declared: DeclaredTenant | undefined,
  cluster: ClusterObject | undefined,
  namespace: NamespaceObject | undefined,
): Pick<Guest, "awaitedFrom" | "movedTo"> {
  const annotations = namespace?.metadata.annotations ?? {};
  const departure = departureOf(annotations[movedToAnnotation]);
  const from = declared?.state === "active" ? declared.from : undefined;
  const awaits = from !== undefined && cluster === undefined && annotations[arrivedFromAnnotation] !== from;
  return {
    awaitedFrom: awaits ? from : null,
    movedTo: departure === undefined ? null : { stack: departure.to, at: departure.at },
  };
}

function guestProblems(guest: Guest): Remark[] {
  const { name, declared, cluster, awaitedFrom, movedTo } = guest;
  const said = (message: string): Remark => ({ subject: `tenant ${name}`, message });
  if (movedTo !== null && declared?.state === "active") {
    return [
      said(`moved to ${movedTo.stack}, but is active in the stack file: state: suspended, see docs/moving.md`),
      ...(cluster === undefined ? [] : standingProblems(guest, cluster)),
    ];
  }
  if (cluster !== undefined) {
    return standingProblems(guest, cluster);
  }
  // Who is suspended and has no guest gets none: after a rebuild the volumes are enough.
  return awaitedFrom === null && declared?.state === "active"
    ? [said("stands in the stack file, but has no Cluster: run pulumi up")]
    : [];
}

/** What is wrong with a guest that is there. */
function standingProblems({ name, declared }: Guest, { metadata, status }: ClusterObject): Remark[] {
  const said = (message: string): Remark => ({ subject: `tenant ${name}`, message });
  const deleted = metadata.deletionTimestamp !== undefined;
  const why = condition(status?.conditions, "Ready")?.message;
  const deletion = deleted ? [said("its Cluster IS BEING DELETED, and its volume claims go with it")] : [];
  switch (declared?.state) {
    case "archived":
    case "purged":
      return [
        said(
          `is ${declared.state} in the stack file, but its Cluster ${deleted ? "is still being deleted" : "still stands: run pulumi up"}`,
        ),
      ];
    case "suspended":
      return [
        ...deletion,
        ...(metadata.annotations?.[suspendedAtAnnotation] === undefined
          ? [said("is suspended in the stack file, but its guest is not stopped: run pulumi up")]
          : []),
      ];
    case "active":
    case undefined:
      return [
        ...(declared === undefined ? [said("has a Cluster, but does not stand in the stack file")] : []),
        ...deletion,
        ...(declared === undefined || metadata.annotations?.[suspendedAtAnnotation] === undefined
          ? []
          : [
              said(
                "is active in the stack file, but its guest is stopped: run pulumi up; " +
                  "if that changes nothing, see docs/runbooks/up-cut-short.md",
              ),
            ]),
        ...(status?.phase === "Ready"
          ? []
          : [
              said(
                sentence(
                  status?.phase === undefined ? "K3k has not seen its Cluster yet" : `its Cluster is ${status.phase}`,
                  why,
                ),
              ),
            ]),
      ];
  }
}

/** Who is on the way, and who went: nothing that `pulumi up` would mend. */
function moveNotes({ name, awaitedFrom, movedTo }: Guest, stack: string, now: Date): Remark[] {
  const subject = `tenant ${name}`;
  const at = timestamp(movedTo?.at);
  return [
    ...(awaitedFrom === null
      ? []
      : [{ subject, message: `is on its way from ${awaitedFrom}: npx kraft move ${name} -s ${stack}` }]),
    ...(movedTo === null
      ? []
      : [{ subject, message: `moved to ${movedTo.stack}${at === undefined ? "" : ` ${distance(at, now)}`}` }]),
  ];
}

function namespaceOf(tenant: string, { namespaces }: Observed): NamespaceObject | undefined {
  return namespaces.find(({ metadata }) => metadata.name === tenantNames(tenant).namespace);
}

/**
 * A backup that nobody ever restored is a hope: a tenant's are to be proven once in `proofDays`, a new tenant's too. Who is
 * still to come has none here.
 */
function drillProblems({ name, declared, awaitedFrom }: Guest, observed: Observed, now: Date): Remark[] {
  if (declared?.state === "purged" || awaitedFrom !== null) {
    return [];
  }
  const namespace = namespaceOf(name, observed);
  const subject = `tenant ${name}`;
  const { provenAt, failure } = recordOf(namespace);
  const proven = timestamp(provenAt);
  const since = proven ?? timestamp(namespace?.metadata.creationTimestamp);
  const how = `npx kraft drill ${name}`;
  const isOld = since !== undefined && now.getTime() - since.getTime() > proofDays * 24 * 3_600_000;
  return [
    ...(failure === undefined
      ? []
      : [
          {
            subject,
            message: `its last restore drill failed ${distance(new Date(failure.at), now)}: ${failure.why}`,
          },
        ]),
    ...(isOld
      ? [
          {
            subject,
            message: `its backups were ${proven === undefined ? "never proven restorable" : `last proven restorable ${distance(proven, now)}`}: ${how}`,
          },
        ]
      : []),
  ];
}
