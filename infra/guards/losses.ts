import type * as kubernetes from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { type LiveState, type LiveTenant, liveTenant } from "../../cluster/live-state.ts";
import { latest } from "../../cluster/objects.ts";
import { backupTargetUrl } from "../../components/plan/longhorn-values.ts";
import { tenantNames } from "../../components/plan/names.ts";
import { platformNamespaces } from "../../components/plan/network/platform-policies.ts";
import { countingDays } from "../../components/plan/utc-day.ts";
import { listIf, type Problem, show } from "../../errors/problem.ts";
import type { Model, Tenant } from "../model.ts";

/** How a tenant leaves without losing anything by mistake. */
const path =
  "state: suspended, then archived, then purged, each with a preview and an up of its own (docs/offboarding.md)";

/**
 * What a stack file would delete: guests, tenants' namespaces, the backup target, the bucket. Pulumi refuses that too,
 * but only after everything else was changed, and without saying what would be lost and how to do it safely.
 */
export function lossProblems(model: Model, live: LiveState, today: Date): Problem[] {
  return [
    ...missingTenants(model, live),
    ...model.tenants.flatMap((tenant) => {
      const found = liveTenant(live, tenant.name);
      return found === undefined ? [] : leavingProblems(tenant, found, live, today);
    }),
    ...targetProblems(model, live),
    ...phaseProblems(model, live),
  ];
}

function missingTenants({ tenants }: Model, live: LiveState): Problem[] {
  return live.tenants
    .filter((found) => !tenants.some(({ name }) => name === found.name))
    .map((found) => ({
      key: `kraft:tenants.${found.name}`,
      found: `nothing, but the cluster has ${holdings(found)}`,
      allowed: "every tenant that the cluster has, in whatever state",
      fix: `put the entry back; to let the tenant go: ${path}`,
    }));
}

/** What of a tenant would be deleted, in words. */
function holdings({ name, guest, claims }: LiveTenant): string {
  const volumes = claims.length === 1 ? "1 volume claim" : `${claims.length} volume claims`;
  return `the ${guest ? "guest cluster" : "namespace"} of ${name}, which would be deleted with ${volumes}`;
}

function leavingProblems(tenant: Tenant, found: LiveTenant, live: LiveState, today: Date): Problem[] {
  switch (tenant.state) {
    case "active":
    case "suspended":
      return [];
    case "archived":
      return found.guest ? archiveProblems(found, live) : [];
    case "purged":
      return purgeProblems(tenant, found, today);
  }
}

/** A guest is deleted only once nothing runs in it any more and a backup holds everything that was ever written. */
function archiveProblems(found: LiveTenant, { volumes }: LiveState): Problem[] {
  const { name, suspendedAt, pods, claims } = found;
  const key = `kraft:tenants.${name}.state`;
  const allowed =
    "archived only of a tenant that is suspended, runs no pod, and has a backup of every volume since its last pod ended";
  if (suspendedAt === undefined) {
    return [{ key, found: `"archived", but ${name} is not suspended`, allowed, fix: path }];
  }
  // Pods that K3k did not stop wrote until they ended, whenever that was.
  const without = claims.flatMap((claim) => {
    if (claim.volume === undefined) {
      return [];
    }
    const { lastBackupAt, lastUsedAt } = volumes.find((candidate) => candidate.name === claim.volume) ?? {};
    const since = latest([suspendedAt, lastUsedAt, claim.lastPodEndedAt]) ?? suspendedAt;
    return lastBackupAt === undefined || Date.parse(lastBackupAt) < Date.parse(since)
      ? [`${claim.name} (since ${since})`]
      : [];
  });
  return [
    ...listIf(pods.length > 0, {
      key,
      found: `"archived", but ${pods.length === 1 ? "a pod runs" : `${pods.length} pods run`} or may start: ${pods.join(", ")}`,
      allowed,
      fix: `kubectl delete pods --all --namespace ${tenantNames(name).namespace}`,
    }),
    ...listIf(without.length > 0, {
      key,
      found: `"archived", but no backup of ${without.join(", ")}`,
      allowed,
      fix: `npx kraft backup ${name}`,
    }),
  ];
}

function purgeProblems({ name, purge }: Tenant, found: LiveTenant, today: Date): Problem[] {
  if (found.guest) {
    return [
      {
        key: `kraft:tenants.${name}.state`,
        found: `"purged", but the cluster has ${holdings(found)}`,
        allowed: "purged only of a tenant that is archived",
        fix: path,
      },
    ];
  }
  const days = countingDays(today);
  return listIf(purge === undefined || !days.includes(purge), {
    key: `kraft:tenants.${name}.purge`,
    found: `${show(purge)}, but the cluster has ${holdings(found)}`,
    allowed: "today's date, as your confirmation; good for two days",
    fix: `purge: "${days[0]}"; the backups in the bucket stay`,
  });
}

function targetProblems({ backup }: Model, live: LiveState): Problem[] {
  const target = backupTargetUrl(backup);
  return [
    ...listIf(live.target !== undefined && live.target !== target && backup.replaces !== live.target, {
      key: "kraft:backup",
      found: `${target}, but backups are in ${live.target}: Longhorn would forget them, and no restore would find them`,
      allowed: live.target ?? "",
      fix: `put it back; if a new target is meant: kraft:backup.replaces: ${live.target}`,
    }),
    ...listIf(live.managedBucket && !backup.managed, {
      key: "kraft:backup.managed",
      found: "false, but Kraft made the bucket: it would be deleted with its user, the key and all backups",
      allowed: "true, as long as the bucket is in the program",
      fix: "put it back; to take the bucket over by hand, see docs/backups.md",
    }),
  ];
}

function phaseProblems({ phase }: Model, { tenants }: LiveState): Problem[] {
  const guests = tenants.filter(({ guest }) => guest).map(({ name }) => name);
  return listIf(phase === "restore" && guests.length > 0, {
    key: "kraft:phase",
    found: `"restore", but guest clusters exist and would be deleted with their volume claims: ${guests.join(", ")}`,
    allowed: "restore only on a cluster without guests",
    fix: "kraft:phase: run; a single volume comes back by docs/runbooks/restore-a-volume.md",
  });
}

/**
 * The CustomResourceDefinitions of charts, and the namespaces, that the program declares and that hold data, as
 * `<kind>/<name>`, once its charts are rendered.
 */
export async function declaredObjects(
  charts: readonly kubernetes.helm.v4.Chart[],
  namespaces: readonly kubernetes.core.v1.Namespace[],
): Promise<ReadonlySet<string>> {
  const children = await Promise.all(
    charts.map(({ resources }) => valueOf(resources as pulumi.Output<pulumi.Resource[]>)),
  );
  // Under Pulumi's mocks nothing renders a chart.
  const urns = await Promise.all(children.flatMap((resources) => (resources ?? []).map(({ urn }) => valueOf(urn))));
  const names = await Promise.all(namespaces.map(({ metadata }) => valueOf(metadata.name)));
  return new Set([
    ...urns
      .flatMap((urn) => /:CustomResourceDefinition::[^:]*:(.*)$/.exec(urn ?? "")?.[1] ?? [])
      .map((name) => `CustomResourceDefinition/${name}`),
    ...names.map((name) => `Namespace/${name}`),
  ]);
}

/** Resolves when the value is known; undefined under Pulumi's mocks for what they leave out. */
function valueOf<Value>(output: pulumi.Output<Value>): Promise<Value | undefined> {
  return new Promise((resolve) => output.apply(resolve));
}

/**
 * What holds data in the cluster and is no longer declared, after a change of the program, of a version or of a chart. Pulumi
 * refuses to delete it; this says what would be lost, before it does.
 */
export function undeclaredProblems(live: LiveState, declared: ReadonlySet<string>): Problem[] {
  const ofLonghorn = (name: string): boolean => name.endsWith(".longhorn.io");
  const gone = live.dataDefinitions.filter((name) => !declared.has(`CustomResourceDefinition/${name}`));
  const namespace = platformNamespaces.longhorn;
  return [
    ...listIf(gone.length > 0, {
      key: "CustomResourceDefinition",
      found: `no longer declared, with all objects of these kinds: ${gone.join(", ")}`,
      allowed: "every kind that volumes and guests are made of, as long as the cluster has it",
      fix: `put the version or the chart back${gone.some(ofLonghorn) ? ": deleting Longhorn's kinds deletes the volumes, and with its Backup objects the backups in the bucket" : ""}`,
    }),
    ...listIf(live.dataDefinitions.some(ofLonghorn) && !declared.has(`Namespace/${namespace}`), {
      key: "Namespace",
      found: `${show(namespace)} no longer declared: deleting it deletes every tenant's volumes, and with its Backup objects the backups in the bucket`,
      allowed: `${show(namespace)}, as long as Longhorn is in the cluster`,
      fix: "put it back into the program",
    }),
  ];
}
