import type { WritableHost } from "../../cluster/client.ts";
import { type LiveState, liveTenant } from "../../cluster/live-state.ts";
import { defaultTarget, guestClaimText } from "../../cluster/longhorn.ts";
import { lastHeldFirst } from "../../cluster/lost-claims.ts";
import { restoringLabel } from "../../cluster/manifests.ts";
import {
  type Backup,
  hasEnded,
  type PersistentVolume,
  type Pod,
  usesClaim,
  type Volume,
} from "../../cluster/objects.ts";
import { paths } from "../../cluster/paths.ts";
import { restoreVolume } from "../../cluster/restore.ts";
import { restorableOf, type RetainedVolume, retainedVolumes } from "../../cluster/retained.ts";
import { vacateClaim } from "../../cluster/vacate-claim.ts";
import { guestName, tenantNames } from "../../components/plan/names.ts";
import { Failure, UsageError } from "../../errors/failure.ts";
import { show } from "../../errors/problem.ts";
import { accessModeOf, attachmentOf, isEncrypted } from "../../infra/catalogue/metadata.ts";
import type { Listed } from "../cli/host.ts";
import { moment } from "../cli/moment.ts";
import type { PlannedVolume } from "../restore/plan.ts";
import { type Outcome, requireBackupTarget, restoreVolumes, storageClasses } from "../restore/volumes.ts";
import { claimPatience, recoverManager, remedy } from "./tenant.ts";

/** Everything in the cluster that the volumes of one claim are chosen from. */
export const claimCollections = {
  volumes: paths.volumes.all,
  persistentVolumes: paths.persistentVolumes.all,
  claims: paths.claims.all,
  backups: paths.backups.all,
  pods: paths.pods.all,
};

export type Seen = Listed<typeof claimCollections>;

/** What the operator asks for one claim. Neither `at` nor `volume`: the retained volume that it had last. */
export interface ClaimWish {
  readonly tenant: string;
  /** Its name on the host, `<namespace>/<name>` in the guest, or `datastore`. */
  readonly claim: string;
  /** A moment, or a backup's name. */
  readonly at?: string;
  /** A retained volume. */
  readonly volume?: string;
}

/** A backup of a claim's volume. */
export interface ClaimBackup {
  readonly name: string;
  readonly volume: string;
  /** RFC 3339. */
  readonly created: string;
  readonly url: string;
}

/** What a claim is given. */
export interface ClaimPlan {
  readonly tenant: string;
  /** Name on the host. */
  readonly claim: string;
  /** The volume that it has now, which is kept under its own name; null where there is no claim. */
  readonly current: string | null;
  /** The volume that it gets. */
  readonly volume: string;
  /** The backup that this one is made from; null for a retained volume. */
  readonly backup: ClaimBackup | null;
  /** All backups of the claim, the newest first. */
  readonly backups: readonly ClaimBackup[];
  /** Retained volumes of the claim. */
  readonly retained: readonly { readonly volume: string; readonly claimEndedAt: string | null }[];
  /** Whether the claim has it already. */
  readonly isThere: boolean;
  /** What has to be done first; null where nothing stands in the way. */
  readonly refused: string | null;
}

/** What `applyClaim` needs beside the plan. */
export interface ClaimOrder {
  /** `s3://bucket@region/prefix/`. */
  readonly target: string;
  readonly replicas: number;
  readonly note: (text: string) => void;
}

/** Plans what one claim gets. Throws a UsageError that names what there is, where the claim, volume or backup is unknown. */
export function claimPlan(wish: ClaimWish, live: LiveState, seen: Seen, stack: string): ClaimPlan {
  const { tenant } = wish;
  const { namespace, datastoreClaim } = tenantNames(tenant);
  const found = liveTenant(live, tenant);
  const all = retainedVolumes(seen.volumes, seen.persistentVolumes, seen.claims).filter(
    (volume) => volume.namespace === namespace,
  );
  const claim = claimNamed(wish, [
    ...(found?.claims.map(({ name }) => name) ?? []),
    ...all.map((volume) => volume.claim),
  ]);
  const current = found?.claims.find(({ name }) => name === claim)?.volume;
  const retained = all.filter((volume) => volume.claim === claim).sort(lastHeldFirst);
  const backups = backupsOf(namespace, claim, current, seen.backups);
  const backup = wish.at === undefined ? undefined : backupAt(wish.at, backups);
  const volume =
    backup === undefined ? retainedVolume(wish, retained).volume : restoredName(backup, live, current, seen.volumes);
  const isThere = current === volume && isComplete(seen.volumes, volume);
  return {
    tenant,
    claim,
    current: current ?? null,
    volume,
    backup: backup ?? null,
    backups,
    retained: retained.map(({ volume: name, claimEndedAt }) => ({ volume: name, claimEndedAt: claimEndedAt ?? null })),
    isThere,
    refused: isThere ? null : (refusal() ?? null),
  };

  function refusal(): string | undefined {
    const again = `npx kraft recover ${tenant} apply --claim ${wish.claim} -s ${stack}`;
    if (found === undefined) {
      return `namespace ${namespace} is gone: npx kraft recover ${tenant} plan -s ${stack}`;
    }
    if (found.ends !== undefined) {
      return `its ${found.ends === "guest" ? "guest cluster" : "namespace"} is being deleted: wait until that is over, then npx kraft recover ${tenant} plan -s ${stack}`;
    }
    const isMissing = !found.claims.some(({ name }) => name === claim);
    if (found.guest && found.suspendedAt === undefined && (!isMissing || claim === datastoreClaim)) {
      return `the guest runs, and would write meanwhile: state: suspended, pulumi up -s ${stack}, kubectl delete pods --all --namespace ${namespace}; then ${again}`;
    }
    const users = podsOf(seen.pods, namespace, claim);
    return users.length === 0
      ? undefined
      : `${users.length === 1 ? "a pod uses" : "pods use"} it: ${users.join(", ")}; kubectl delete pods --all --namespace ${namespace}, then ${again}`;
  }
}

/** Pods that have a node and mount the claim: one without a node has written nothing. */
function podsOf(pods: readonly Pod[], namespace: string, claim: string): string[] {
  return pods
    .filter(
      (pod) =>
        pod.metadata.namespace === namespace &&
        pod.spec?.nodeName !== undefined &&
        !hasEnded(pod) &&
        usesClaim(pod, claim),
    )
    .map(({ metadata }) => metadata.name);
}

/** The host's name of the claim that is meant. */
function claimNamed({ tenant, claim }: ClaimWish, known: readonly string[]): string {
  const names = [...new Set(known)].sort();
  const found = names.find((name) => name === claim || guestClaimText(tenant, name) === claim);
  if (found === undefined) {
    throw new UsageError(
      `${tenant} has no claim ${show(claim)}, and no volume of one is retained\n  allowed: ${names.map((name) => guestClaimText(tenant, name)).join(", ") || "none"}`,
    );
  }
  return found;
}

function retainedVolume({ tenant, volume, claim }: ClaimWish, retained: readonly RetainedVolume[]): RetainedVolume {
  const found = volume === undefined ? retained[0] : retained.find((candidate) => candidate.volume === volume);
  if (found === undefined) {
    const names = retained.map((candidate) => candidate.volume).join(", ");
    throw new UsageError(
      volume === undefined
        ? `no volume of ${claim} of ${tenant} is retained; use --at to restore it from a backup`
        : `${volume} is no retained volume of ${claim} of ${tenant}\n  allowed: ${names || "none"}`,
    );
  }
  return found;
}

/** The complete backups that were made of whatever volume had the claim at that time, the newest first. */
function backupsOf(
  namespace: string,
  claim: string,
  current: string | undefined,
  backups: readonly Backup[],
): ClaimBackup[] {
  return backups
    .filter(({ metadata, status }) => {
      const of = attachmentOf(status?.labels ?? {});
      // One that a system backup ordered does not say whose it is. After its claim's end a volume was nobody's.
      const isOf =
        of === undefined
          ? current !== undefined && status?.volumeName === current
          : of.namespace === namespace && of.claim === claim && of.released === undefined;
      return isOf && status?.state === "Completed" && metadata.deletionTimestamp === undefined;
    })
    .map(({ metadata, status }) => ({
      name: metadata.name,
      volume: status?.volumeName ?? "",
      created: status?.snapshotCreatedAt ?? "",
      url: status?.url ?? "",
    }))
    .sort((a, b) => Date.parse(b.created) - Date.parse(a.created) || (a.name < b.name ? -1 : 1));
}

/** The backup of that name, or the newest not after that moment. */
function backupAt(at: string, backups: readonly ClaimBackup[]): ClaimBackup {
  const named = backups.find(({ name }) => name === at);
  if (named !== undefined) {
    return named;
  }
  const end = endOf(at);
  const found = backups.find(({ created }) => end !== undefined && Date.parse(created) <= end.getTime());
  if (found === undefined) {
    const known = backups.map(({ name, created }) => `${name} of ${moment(new Date(created))}`).join("\n    ");
    throw new UsageError(
      `${end === undefined ? `--at ${show(at)} is neither a moment nor a backup of the claim` : `no backup of the claim is from before ${moment(end)}`}\n` +
        `  allowed: <YYYY-MM-DD>, <YYYY-MM-DDTHH:MM> in UTC, or one of these:\n    ${known || "none: Longhorn knows no backup of it"}`,
    );
  }
  return found;
}

/** The last moment that is meant, in UTC: of a day its end, of a minute the last of its seconds. */
function endOf(at: string): Date | undefined {
  const [, day = "", time] = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}))?Z?$/.exec(at) ?? [];
  const end = new Date(time === undefined ? `${day}T23:59:59.999Z` : `${day}T${time}:59.999Z`);
  // JavaScript takes the 31st of June for the 1st of July.
  return Number.isNaN(end.getTime()) || end.toISOString().slice(0, 10) !== day ? undefined : end;
}

/** Whether a volume is restored and bound: from then on it holds what was written since, too. */
function isComplete(volumes: readonly Volume[], name: string): boolean {
  const volume = volumes.find(({ metadata }) => metadata.name === name);
  return volume !== undefined && volume.metadata.labels?.[restoringLabel] === undefined;
}

/** Name that Longhorn gives the volume of a claim: the claim's UID. */
const claimVolume = /^pvc-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/;

/**
 * Name of the volume that a backup is restored into: the volume's own and the backup's minute, so that an interrupted run finds
 * it again. One of that name that was finished before and used since is somebody's: then the next has a number.
 */
function restoredName(
  { volume, created, url }: ClaimBackup,
  live: LiveState,
  current: string | undefined,
  volumes: readonly Volume[],
): string {
  const stamp = created.replace(/\D/g, "").slice(0, 12);
  // The last part of a UUID may be twelve digits as well.
  const own = claimVolume.exec(volume)?.[0] ?? volume.replace(/-\d{12}(-\d+)?$/, "");
  const base = `${own}-${stamp}`;
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? base : `${base}-${number}`;
    const found = volumes.find(({ metadata }) => metadata.name === name);
    const isUntouched =
      name === current &&
      live.volumes.some((candidate) => candidate.name === name && candidate.lastUsedAt === undefined);
    const isUnfinished = found?.spec?.fromBackup === url && !isComplete(volumes, name);
    if (found === undefined || isUnfinished || (isUntouched && found.spec?.fromBackup === url)) {
      return name;
    }
  }
}

/**
 * Gives the claim its volume: first that is there, whole, then the claim changes from one to the other. The one before is kept,
 * and interrupted it continues from what there is.
 */
export async function applyClaim(
  host: WritableHost,
  plan: ClaimPlan,
  seen: Seen,
  { target, replicas, note }: ClaimOrder,
): Promise<Outcome> {
  const { tenant, claim, backup } = plan;
  const { namespace } = tenantNames(tenant);
  const outcome = (ended: Pick<Outcome, "message" | "result">): Outcome => {
    return { volume: plan.volume, tenant, namespace, claim, ...ended };
  };
  if (plan.isThere) {
    return outcome({ result: "there", message: null });
  }
  const patience = { until: Date.now() + claimPatience };
  if (backup === null) {
    const found = retainedVolumes(seen.volumes, seen.persistentVolumes, seen.claims).find(
      ({ volume }) => volume === plan.volume,
    );
    if (found === undefined) {
      throw new Error(`${plan.volume} is not retained`);
    }
    const classes = await storageClasses(host, [found], remedy);
    const wanted = restorableOf(tenant, found, classes.get(found.storageClass) ?? {});
    await vacateClaim(host, wanted, { fieldManager: recoverManager, patience });
    return outcome(await restoreVolume(host, wanted, { is: "bound" }, { fieldManager: recoverManager, patience }));
  }
  await requireBackupTarget(host, defaultTarget, target, remedy);
  const planned = plannedVolume(plan, backup, seen);
  const restore = (is: "filled" | "restored") =>
    restoreVolumes(host, [planned], { fieldManager: recoverManager, goal: () => ({ is, replicas }), remedy, note });
  const [filled] = await restore("filled");
  if (filled?.message !== null) {
    return filled ?? outcome({ result: "failed", message: "nothing was restored" });
  }
  const classes = await storageClasses(host, [planned], remedy);
  const wanted = { ...planned, parameters: classes.get(planned.storageClass) ?? {} };
  note(
    `${tenant}: ${guestClaimText(tenant, claim)}: the claim changes from ${plan.current ?? "no volume"} to ${plan.volume}`,
  );
  await vacateClaim(host, wanted, { fieldManager: recoverManager, patience: { until: Date.now() + claimPatience } });
  const [ended] = await restore("restored");
  return ended ?? outcome({ result: "failed", message: "nothing was restored" });
}

/** The volume that a backup is restored into: like the one that it is of, or the one that the claim has. */
function plannedVolume({ tenant, claim, volume }: ClaimPlan, backup: ClaimBackup, seen: Seen): PlannedVolume {
  const { namespace, datastoreClaim } = tenantNames(tenant);
  const known = seen.backups.find(({ metadata }) => metadata.name === backup.name)?.status;
  const labels = known?.labels ?? {};
  const like = likeOf(seen, backup.volume, namespace, claim);
  if (like === undefined) {
    throw new Failure(
      `of ${guestClaimText(tenant, claim)} no PersistentVolume is left that says what class it had: npx kraft recover ${tenant} plan`,
    );
  }
  const made = seen.volumes.find(({ metadata }) => metadata.name === backup.volume);
  if (isEncrypted(labels) || made?.spec?.encrypted === true) {
    throw new Failure(`${backup.volume} is encrypted, and Kraft has no key of it: restore it by hand, in Longhorn`);
  }
  const bytes = Number(known?.size ?? 0);
  return {
    ...{ volume, namespace, claim, tenant },
    guest: guestName(tenantNames(tenant).cluster, claim) ?? null,
    isDatastore: claim === datastoreClaim,
    sizeBytes: Number(known?.volumeSize ?? 0),
    storageClass: like.spec?.storageClassName ?? "",
    accessMode: accessModeOf(labels),
    isBlock: like.spec?.volumeMode === "Block",
    encrypted: false,
    dataEngine: "v1",
    backup: { name: backup.name, created: backup.created, url: backup.url, bytes, downloadBytes: null },
    backups: 0,
    downloadBytes: bytes,
  };
}

/** A PersistentVolume of the claim, rather that of the volume which the backup is of. */
function likeOf(
  { persistentVolumes }: Seen,
  volume: string,
  namespace: string,
  claim: string,
): PersistentVolume | undefined {
  const ofClaim = persistentVolumes.filter(
    ({ spec }) => spec?.claimRef?.namespace === namespace && spec.claimRef.name === claim,
  );
  return ofClaim.find(({ metadata }) => metadata.name === volume) ?? ofClaim[0];
}
