import { type LiveState, liveTenant } from "../../cluster/live-state.ts";
import { guestClaimText } from "../../cluster/longhorn.ts";
import { datastoreMadeAnew, type LostClaim, lostClaimsOf } from "../../cluster/lost-claims.ts";
import type { RetainedVolume } from "../../cluster/retained.ts";
import { tenantNames } from "../../components/plan/names.ts";
import type { Catalogue, CatalogueVolume } from "../../infra/catalogue/catalogue.ts";
import { goneOf } from "../../infra/guards/gone.ts";
import { awaitsData } from "../../infra/guards/stages.ts";
import type { Tenant } from "../../infra/model.ts";
import { moment } from "../cli/moment.ts";
import type { Remark } from "../cli/output.ts";
import { type PlannedVolume, type RestoreInputs, restorePlan } from "../restore/plan.ts";

/** A retained volume that gets its claim back. Times are RFC 3339. */
export interface BoundVolume {
  readonly claim: string;
  readonly volume: string;
  readonly isDatastore: boolean;
  /** When its claim was last there; null where Longhorn does not know. */
  readonly claimEndedAt: string | null;
  readonly lastUsedAt: string | null;
  readonly lastBackupAt: string | null;
  /** Why this one, where more than one is retained. */
  readonly because: string | null;
  /** The empty volume that the claim has meanwhile; null where there is no claim. It is kept. */
  readonly replaces: string | null;
}

/** A volume that is not touched, and why. */
export interface UntouchedVolume {
  readonly claim: string;
  readonly volume: string;
  readonly reason: string;
}

/** How a tenant comes back. */
export interface RecoverPlan {
  readonly tenant: string;
  readonly namespace: string;
  /** Whether the namespace is gone, and made first. */
  readonly makesNamespace: boolean;
  /** Why nothing can be done yet, and what comes first; null where it can. */
  readonly refused: string | null;
  /** The datastore first. They are bound as they are: nothing is downloaded. */
  readonly bound: readonly BoundVolume[];
  /** What no volume in the cluster holds any more: it comes from its newest backup. */
  readonly restored: readonly PlannedVolume[];
  readonly downloadBytes: number;
  /** Hours for that on this line; null where it is not described. */
  readonly hours: number | null;
  /** Claims that have their volumes. */
  readonly there: readonly string[];
  readonly left: readonly UntouchedVolume[];
  readonly problems: readonly Remark[];
  readonly warnings: readonly Remark[];
}

/** What a plan is made of, besides the backups. */
export interface RecoverInputs extends RestoreInputs {
  readonly stack: string;
  readonly tenant: string;
}

/** The tenant of the stack file. */
export function declaredTenant({ tenants, tenant }: RecoverInputs): RestoreInputs["tenants"][number] {
  const found = tenants.find(({ name }) => name === tenant);
  if (found === undefined) {
    throw new Error(`the stack file has no tenant ${tenant}`);
  }
  return found;
}

/** The live state without the volumes that the stack file leaves out. */
export function considered(live: LiveState, { leaveOut }: Pick<RestoreInputs, "leaveOut">): LiveState {
  return { ...live, retained: live.retained.filter(({ volume }) => !leaveOut.includes(volume)) };
}

/** What only the backups of a tenant hold: whatever no claim has and no retained volume holds for it. */
export function onlyInBackups(
  live: LiveState,
  { tenant, leaveOut }: Pick<RecoverInputs, "leaveOut" | "tenant">,
  volumes: Catalogue["volumes"],
): CatalogueVolume[] {
  const { namespace } = tenantNames(tenant);
  const { lost, left } = lostClaimsOf(tenant, liveTenant(live, tenant), live);
  const held = new Set([...lost.map(({ claim }) => claim), ...claimsWithVolumes(live, tenant)]);
  const given = new Set(left.map(({ volume }) => volume));
  return volumes.filter(
    ({ volume, namespace: of, claim }) =>
      of === namespace && !held.has(claim) && !given.has(volume) && !leaveOut.includes(volume),
  );
}

/** Claims of a tenant whose volume exists, whole and not known to be empty. */
function claimsWithVolumes(live: LiveState, tenant: string): string[] {
  return (liveTenant(live, tenant)?.claims ?? [])
    .filter(({ volume }) =>
      live.volumes.some(({ name, whole, isUnused }) => name === volume && whole && isUnused !== true),
    )
    .map(({ name }) => name);
}

/**
 * How a tenant comes back: every claim that its guest needs gets the volume that it had last, without a download, and only what
 * no volume in the cluster holds comes from its newest backup.
 */
export function recoverPlan(live: LiveState, catalogue: Catalogue, inputs: RecoverInputs): RecoverPlan {
  const { tenant } = inputs;
  const { namespace, datastoreClaim } = tenantNames(tenant);
  const found = liveTenant(live, tenant);
  const { lost, left } = lostClaimsOf(tenant, found, live);
  const there = claimsWithVolumes(live, tenant);
  const faulted = lost.filter(({ volume }) => volume.isFaulted);
  const bindable = lost.filter(({ volume }) => !volume.isFaulted);
  const only = onlyInBackups(live, inputs, catalogue.volumes);
  const names = new Set(only.map(({ volume }) => volume));
  const isOf = (message: {
    readonly volume: string;
    readonly namespace: string | null;
    readonly claim: string | null;
  }) => message.namespace === namespace && ![...there, ...lost.map(({ claim }) => claim)].includes(message.claim ?? "");
  const hasDatastore = [...there, ...lost.map(({ claim }) => claim)].includes(datastoreClaim);
  const restore = restorePlan(
    {
      target: catalogue.target,
      volumes: only,
      damaged: catalogue.damaged.filter((message) => names.has(message.volume) || isOf(message)),
      unattached: [],
      notes: [],
    },
    { ...inputs, leaveOut: [], hasDatastore },
  );
  const refused = refusal(live, inputs, lost);
  return {
    tenant,
    namespace,
    makesNamespace: found === undefined,
    refused: refused ?? null,
    bound: bindable.map((claim) => boundVolume(tenant, claim)),
    restored: restore.refused.length > 0 ? [] : restore.order,
    downloadBytes: restore.downloadBytes,
    hours: restore.hours,
    there,
    left: left.map((volume) => ({
      claim: volume.claim,
      volume: volume.volume,
      reason: reasonToLeave(volume, inputs, [...there, ...lost.map(({ claim }) => claim)]),
    })),
    problems: [
      ...restore.problems,
      ...(lost.length > 0 && !hasDatastore && restore.order.length === 0
        ? [
            {
              subject: "datastore",
              message:
                "is neither in the cluster nor in the backups: the guest would start empty and know none of its volumes",
            },
          ]
        : []),
      ...faulted.map(({ claim, volume }) => ({
        subject: guestClaimText(tenant, claim),
        message: `every copy of its volume ${volume.volume} is lost: if no node or disk that had one comes back, npx kraft reclaim --volume ${volume.volume}, then run this again for its newest backup`,
      })),
    ],
    warnings: restore.warnings.filter(() => restore.order.length > 0),
  };
}

function boundVolume(tenant: string, { claim, volume, others, replaces }: LostClaim): BoundVolume {
  const [next] = others;
  const because = volume.isFreed
    ? "an earlier run chose it"
    : next === undefined
      ? null
      : `its claim was there last: ${until(volume)}, that of ${next.volume} ${until(next)}`;
  return {
    claim,
    volume: volume.volume,
    isDatastore: claim === tenantNames(tenant).datastoreClaim,
    claimEndedAt: volume.claimEndedAt ?? null,
    lastUsedAt: volume.lastUsedAt ?? null,
    lastBackupAt: volume.lastBackupAt ?? null,
    because: next?.isUnused === true && !volume.isFreed ? `nothing was ever written to ${next.volume}` : because,
    replaces: replaces ?? null,
  };
}

function until({ claimEndedAt }: RetainedVolume): string {
  return claimEndedAt === undefined ? "at an unknown time" : `until ${moment(new Date(claimEndedAt))}`;
}

function reasonToLeave(volume: RetainedVolume, { tenant, stack }: RecoverInputs, held: readonly string[]): string {
  return held.includes(volume.claim)
    ? `the claim had it ${until(volume)}, and has a later one`
    : `its claim was deleted while the guest ran, ${until(volume)}: to give it back, npx kraft recover ${tenant} apply --claim ${volume.claim} -s ${stack}`;
}

/** What has to be done before a tenant can come back; undefined where nothing stands in the way. */
function refusal(live: LiveState, inputs: RecoverInputs, lost: readonly LostClaim[]): string | undefined {
  const { tenant, stack } = inputs;
  const { namespace } = tenantNames(tenant);
  const declared = declaredTenant(inputs);
  const found = liveTenant(live, tenant);
  const again = `npx kraft recover ${tenant} plan -s ${stack}`;
  const away = departure(declared, found, live);
  if (away !== undefined) {
    return away;
  }
  const gone = goneOf(declared, found, live);
  if (gone?.next === "wait") {
    return `${gone.what}: wait until that is over, then ${again}`;
  }
  if (gone?.next === "suspend") {
    return `${gone.what}. First let its guest end: state: suspended, pulumi up -s ${stack}, kubectl delete pods --all --namespace ${namespace}; then ${again}`;
  }
  if (found?.guest !== true || lost.length > 0) {
    return undefined;
  }
  const anew = datastoreMadeAnew(tenant, found, live);
  return anew === undefined
    ? undefined
    : `its guest runs over a datastore that was made anew on ${moment(new Date(anew.madeAt))} (${anew.made}); the one before, ${anew.earlier.volume}, is retained (${until(anew.earlier)}). ` +
        `To go back to that: state: suspended, pulumi up -s ${stack}, kubectl delete pods --all --namespace ${namespace}, then npx kraft recover ${tenant} apply --claim datastore --volume ${anew.earlier.volume} -s ${stack}. ` +
        `If the new one is meant: kraft:leaveOut with ${anew.earlier.volume}`;
}

/** Why a tenant's volumes have no business in this cluster now. */
export function departure(
  declared: Pick<Tenant, "from" | "name" | "state">,
  found: ReturnType<typeof liveTenant>,
  live: LiveState,
): string | undefined {
  const { name, state, from } = declared;
  if (state === "archived" || state === "purged") {
    return `it is ${state} in the stack file: its volumes are meant to stay without claims. To bring it back: state: active, or suspended`;
  }
  if (found?.movedTo !== undefined) {
    return `it moved to ${found.movedTo.to}: see docs/moving.md`;
  }
  const { namespace, datastoreClaim } = tenantNames(name);
  const ranHere = live.retained.some(
    ({ namespace: of, claim, lastUsedAt, isInUse }) =>
      of === namespace && claim === datastoreClaim && (isInUse || lastUsedAt !== undefined),
  );
  return awaitsData(declared, found) && !ranHere
    ? `its data has not arrived from ${from ?? ""}: npx kraft move ${name}`
    : undefined;
}
