import { claimOf, claimText, nonEmpty, volumesFor } from "../../cluster/longhorn.ts";
import { movedAtAnnotation } from "../../components/plan/lifecycle.ts";
import { tenantNames } from "../../components/plan/names.ts";
import type { Move } from "./clusters.ts";

/** The phases of a move that change something, in their order, and the one that takes it back. */
export type MovePhase = "copy" | "cutover" | "done" | "back";

/** Why a phase cannot start, each with what to do about it; empty where it can. */
export function obstacles(phase: MovePhase, move: Move): string[] {
  const { source, target } = move;
  if (source.host.uid === target.host.uid) {
    return [
      `${source.stack} and ${target.stack} are the same cluster (${source.host.uid}): correct kraft:cluster in one of their files`,
    ];
  }
  switch (phase) {
    case "copy":
      return [...common(move), ...alreadyCutOver(move), ...unboundClaims(move)];
    case "cutover":
      return [...common(move), ...unboundClaims(move), ...stillRunning(move)];
    case "back":
      return noWayBack(move);
    case "done":
      return [];
  }
}

function common({ tenant, source, target }: Move): string[] {
  const { namespace } = tenantNames(tenant);
  const found: string[] = [];
  if (source.tenant === undefined) {
    found.push(`${source.stack} has no namespace ${namespace}: there is nothing to move from there`);
  } else if (!source.tenant.guest) {
    found.push(
      `${source.stack} has no guest ${tenant}: of an archived tenant only backups are left; bring it back there first, see docs/offboarding.md`,
    );
  }
  const { movedTo } = source.tenant ?? {};
  if (movedTo !== undefined && movedTo.to !== target.stack) {
    found.push(`${tenant} is moving from ${source.stack} to ${movedTo.to}, not to ${target.stack}`);
  }
  if (target.tenant === undefined) {
    found.push(`${target.stack} has no namespace ${namespace} yet: pulumi up -s ${target.stack}`);
  } else if (target.tenant.guest) {
    found.push(
      target.tenant.arrivedFrom === source.stack
        ? `${tenant} runs on ${target.stack} already: npx kraft move ${tenant} done -s ${target.stack}`
        : `${target.stack} has a guest ${tenant} of its own: two tenants cannot have one name`,
    );
  } else if (source.token !== target.token) {
    found.push(
      `the guest's token on ${target.stack} is not that on ${source.stack}, and would not open its data: set kraft:sourceTokenSeed to the value of kraft:guestTokenSeed of ${source.stack}; the Secret that was created with another has to be deleted by hand, see docs/moving.md`,
    );
  }
  return found;
}

function alreadyCutOver({ tenant, source, target }: Move): string[] {
  const { movedTo } = source.tenant ?? {};
  return movedTo?.to !== target.stack
    ? []
    : [
        `the cutover began at ${movedTo.at}: continue with npx kraft move ${tenant} cutover -s ${target.stack}, or cancel it with back`,
      ];
}

/** What has no volume cannot move. */
function unboundClaims({ tenant, source }: Move): string[] {
  const waiting = source.tenant?.claims.filter(({ volume }) => volume === undefined).map(({ name }) => name) ?? [];
  return waiting.length === 0
    ? []
    : [
        `claims of ${tenant} on ${source.stack} wait for a volume, and would not move: ${waiting.join(", ")}; delete them in the guest, or see why: npx kraft status -s ${source.stack}`,
      ];
}

/** Nothing may write any more once the last backup is made. */
function stillRunning({ tenant, source }: Move): string[] {
  const found: string[] = [];
  if (source.tenant?.guest === true && source.tenant.suspendedAt === undefined) {
    found.push(
      `${tenant} is not suspended on ${source.stack}: state: suspended in Pulumi.${source.stack}.yaml, then pulumi up -s ${source.stack}`,
    );
  }
  const pods = [...new Set([...source.writers, ...(source.tenant?.pods ?? [])])];
  if (pods.length > 0) {
    found.push(
      `pods of ${tenant} run on ${source.stack} and may write: ${pods.join(", ")}; kubectl delete pods --all --namespace ${tenantNames(tenant).namespace}`,
    );
  }
  return found;
}

function noWayBack(move: Move): string[] {
  const { tenant, source, target } = move;
  const otherWay = "move it in the other direction, see docs/moving.md";
  if (target.tenant?.guest === true) {
    return [`the guest ${tenant} is on ${target.stack}, and what it wrote there is nowhere else: ${otherWay}`];
  }
  if (source.tenant?.movedTo?.to !== target.stack && target.tenant?.arrivedFrom === undefined) {
    return [`no cutover of ${tenant} from ${source.stack} to ${target.stack} has begun: there is nothing to take back`];
  }
  if (source.tenant === undefined) {
    return [
      `${source.stack} has no namespace ${tenantNames(tenant).namespace} any more: there is nothing to go back to`,
    ];
  }
  const used = usedOnTarget(move);
  return used.length === 0
    ? []
    : [
        `the guest ${tenant} ran on ${target.stack} already, and what it wrote there is not on ${source.stack} (${used.join(", ")}): bring it back on ${target.stack}, see docs/offboarding.md, or ${otherWay}`,
      ];
}

/**
 * Volumes that a pod wrote to in the cluster that the tenant comes to. Without a PersistentVolume a volume knows of the pods
 * that its backup tells of; with every new one Longhorn starts over (syncKubernetesStatus in
 * controller/kubernetes_pv_controller.go of longhorn-manager 1.12). Use before the move does not count.
 */
function usedOnTarget({ tenant, source, target }: Move): string[] {
  return volumesFor(target.allVolumes, tenant).flatMap((volume) => {
    const { pvName, lastPodRefAt } = volume.status?.kubernetesStatus ?? {};
    const usedAt = nonEmpty(pvName) === undefined ? undefined : nonEmpty(lastPodRefAt);
    const movedAt = volume.metadata.annotations?.[movedAtAnnotation] ?? source.tenant?.movedTo?.at ?? "";
    return usedAt !== undefined && (movedAt === "" || Date.parse(usedAt) > Date.parse(movedAt))
      ? [`${claimText(tenant, claimOf(volume))} until ${usedAt}`]
      : [];
  });
}
