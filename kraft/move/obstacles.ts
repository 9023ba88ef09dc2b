import { movedAtAnnotation } from "../../components/plan/move.ts";
import { tenantNames } from "../../components/plan/names.ts";
import { claimOf, claimText, isOfDrill } from "../../cluster/longhorn.ts";
import type { Parties } from "./parties.ts";

/** The phases of a move that change something, in their order, and the way back. */
export type MovePhase = "copy" | "cutover" | "done" | "back";

/** Why a phase cannot be now, each with what to do about it. None where it can. */
export function obstacles(phase: MovePhase, parties: Parties): string[] {
  const { source, target } = parties;
  if (source.host.uid === target.host.uid) {
    return [
      `${source.stack} and ${target.stack} are the same cluster (${source.host.uid}): correct kraft:cluster in one of their files`,
    ];
  }
  switch (phase) {
    case "copy":
      return [...common(parties), ...notBegun(parties), ...uncopied(parties)];
    case "cutover":
      return [...common(parties), ...uncopied(parties), ...stillRunning(parties)];
    case "back":
      return wayBack(parties);
    case "done":
      return [];
  }
}

function common({ tenant, source, target }: Parties): string[] {
  const { namespace } = tenantNames(tenant);
  const found: string[] = [];
  if (source.tenant === undefined) {
    found.push(`${source.stack} has no namespace ${namespace}: there is nothing to move from there`);
  } else if (!source.tenant.guest) {
    found.push(
      `${source.stack} has no guest ${tenant}: of a tenant who is archived only backups are left; bring it back there first, see docs/offboarding.md`,
    );
  }
  const { movedTo } = source.tenant ?? {};
  if (movedTo !== undefined && movedTo.to !== target.stack) {
    found.push(`${tenant} is on the way from ${source.stack} to ${movedTo.to}, and not to ${target.stack}`);
  }
  if (target.tenant === undefined) {
    found.push(`${target.stack} has no namespace ${namespace} yet: pulumi up -s ${target.stack}`);
  } else if (target.tenant.guest) {
    found.push(
      target.tenant.arrivedFrom === source.stack
        ? `${tenant} runs on ${target.stack} already: npm run kraft -- move ${tenant} done --stack ${target.stack}`
        : `${target.stack} has a guest ${tenant} of its own: two tenants cannot have one name`,
    );
  } else if (source.token !== target.token) {
    found.push(
      `the guest's token on ${target.stack} is not that on ${source.stack}, and would not open its data: make kraft:sourceTokenSeed what kraft:guestTokenSeed of ${source.stack} is; the Secret that was made with another is deleted by hand, see docs/moving.md`,
    );
  }
  return found;
}

function notBegun({ tenant, source, target }: Parties): string[] {
  const { movedTo } = source.tenant ?? {};
  return movedTo?.to !== target.stack
    ? []
    : [
        `the cutover began at ${movedTo.at}: go on with npm run kraft -- move ${tenant} cutover --stack ${target.stack}, or give it up with back`,
      ];
}

/** What could not come at all. */
function uncopied({ tenant, source }: Parties): string[] {
  const waiting = source.tenant?.claims.filter(({ volume }) => volume === undefined).map(({ name }) => name) ?? [];
  return waiting.length === 0
    ? []
    : [
        `claims of ${tenant} on ${source.stack} wait for a volume, and would not move: ${waiting.join(", ")}; delete them in the guest, or see why: npm run kraft -- status ${source.stack}`,
      ];
}

/** Nothing may write any more once the last backup is made. */
function stillRunning({ tenant, source }: Parties): string[] {
  const found: string[] = [];
  const { namespace } = tenantNames(tenant);
  if (source.tenant?.guest === true && source.tenant.suspendedAt === undefined) {
    found.push(
      `${tenant} is not suspended on ${source.stack}: state: suspended in Pulumi.${source.stack}.yaml, then pulumi up -s ${source.stack}`,
    );
  }
  const pods = [...new Set([...source.writers, ...(source.tenant?.pods ?? [])])];
  if (pods.length > 0) {
    found.push(
      `pods of ${tenant} run on ${source.stack} and may write: ${pods.join(", ")}; kubectl delete pods --all --namespace ${namespace}`,
    );
  }
  return found;
}

function wayBack(parties: Parties): string[] {
  const { tenant, source, target } = parties;
  const itself = "it goes back as it came, see docs/moving.md";
  if (target.tenant?.guest === true) {
    return [`the guest ${tenant} stands on ${target.stack}, and what it wrote there is nowhere else: ${itself}`];
  }
  if (source.tenant?.movedTo?.to !== target.stack && target.tenant?.arrivedFrom === undefined) {
    return [`no cutover of ${tenant} from ${source.stack} to ${target.stack} has begun: there is nothing to take back`];
  }
  if (source.tenant === undefined) {
    return [
      `${source.stack} has no namespace ${tenantNames(tenant).namespace} any more: there is nothing to go back to`,
    ];
  }
  const used = usedThere(parties);
  return used.length === 0
    ? []
    : [
        `the guest ${tenant} ran on ${target.stack} already, and what it wrote there is not on ${source.stack} (${used.join(", ")}): bring it back on ${target.stack}, see docs/offboarding.md, or ${itself}`,
      ];
}

/**
 * Volumes that a pod wrote to where the tenant comes to. Without a PersistentVolume a volume knows of the pods that its
 * backup tells of; with every new one Longhorn begins anew (syncKubernetesStatus in
 * controller/kubernetes_pv_controller.go of longhorn-manager 1.12). What was used before the move is an earlier life's.
 */
function usedThere({ tenant, source, target }: Parties): string[] {
  const { namespace } = tenantNames(tenant);
  return target.known
    .filter((volume) => {
      const { namespace: of, pvName = "", lastPodRefAt = "" } = volume.status?.kubernetesStatus ?? {};
      const since = volume.metadata.annotations?.[movedAtAnnotation] ?? source.tenant?.movedTo?.at ?? "";
      return (
        of === namespace &&
        !isOfDrill(volume) &&
        pvName !== "" &&
        lastPodRefAt !== "" &&
        (since === "" || Date.parse(lastPodRefAt) > Date.parse(since))
      );
    })
    .map(
      (volume) => `${claimText(tenant, claimOf(volume))} until ${volume.status?.kubernetesStatus?.lastPodRefAt ?? ""}`,
    );
}
