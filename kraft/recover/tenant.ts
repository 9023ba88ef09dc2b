import { annotateTenant, type WritableHost } from "../../cluster/client.ts";
import { type LiveState, liveTenant } from "../../cluster/live-state.ts";
import { defaultTarget, guestClaimText } from "../../cluster/longhorn.ts";
import { paths } from "../../cluster/paths.ts";
import { restoreVolume } from "../../cluster/restore.ts";
import { restorableOf } from "../../cluster/retained.ts";
import { vacateClaim } from "../../cluster/vacate-claim.ts";
import { arrivedFromAnnotation } from "../../components/plan/lifecycle.ts";
import { domainsAnnotation, fieldManager, policyLabel, tenantLabel, tenantNames } from "../../components/plan/names.ts";
import { Failure } from "../../errors/failure.ts";
import { type Outcome, requireBackupTarget, restoreVolumes, storageClasses } from "../restore/volumes.ts";
import type { BoundVolume, RecoverPlan } from "./plan.ts";

/** Owner of what this verb writes, in the API server. */
export const recoverManager = "kraft-recover";

/** Milliseconds for a claim's end, and for Kubernetes to bind one: seconds, where nothing holds it. */
export const claimPatience = 3 * 60_000;

/** What to do where the cluster lacks a storage class, or Longhorn its backup target. */
export const remedy = "Bring the platform up first: pulumi up";

export interface RecoverOrder {
  readonly plan: RecoverPlan;
  readonly live: LiveState;
  /** `s3://bucket@region/prefix/`. */
  readonly target: string;
  readonly domains: readonly string[];
  /** The stack that the tenant moved here from. */
  readonly from: string | undefined;
  /** Copies of each volume that is restored. */
  readonly replicas: number;
  readonly note: (text: string) => void;
}

/**
 * Brings a tenant back, without its guest: the namespace, each claim with its volume, what is lost from the backups. What fails
 * for one volume keeps no other from coming back. Deletes no volume and no backup. Interrupted, it continues in the next run.
 */
export async function recoverTenant(host: WritableHost, order: RecoverOrder): Promise<Outcome[]> {
  const { plan, live, from, note } = order;
  const { tenant, bound, restored } = plan;
  const namespace = await host.get(paths.namespaces.named(plan.namespace));
  if (namespace === undefined) {
    note(`${tenant}: namespace ${plan.namespace} is gone: making it again`);
    await makeNamespace(host, tenant, order.domains);
  }
  const retained = bound.flatMap(({ volume }) => live.retained.filter((found) => found.volume === volume));
  const classes = await storageClasses(host, [...retained, ...restored], remedy);
  const outcomes: Outcome[] = [];
  for (const volume of bound) {
    const found = retained.find((candidate) => candidate.volume === volume.volume);
    if (found !== undefined) {
      const wanted = restorableOf(tenant, found, classes.get(found.storageClass) ?? {});
      const ended = await bind(host, wanted, volume);
      outcomes.push({ volume: volume.volume, tenant, namespace: plan.namespace, claim: volume.claim, ...ended });
      note(
        `${tenant}: ${guestClaimText(tenant, volume.claim)} (${volume.volume}): ${ended.message ?? "bound, as it is"}`,
      );
    }
  }
  if (restored.length > 0) {
    await requireBackupTarget(host, defaultTarget, order.target, remedy);
    const goal = () => ({ is: "restored", replicas: order.replicas }) as const;
    outcomes.push(...(await restoreVolumes(host, restored, { fieldManager: recoverManager, goal, remedy, note })));
  }
  const isWhole = outcomes.every(({ message }) => message === null) && plan.problems.length === 0;
  if (from !== undefined && isWhole && liveTenant(live, tenant)?.arrivedFrom === undefined) {
    // A guest of this tenant ran here: its data had arrived before.
    await annotateTenant(host, tenant, { [arrivedFromAnnotation]: from });
  }
  return outcomes;
}

async function bind(
  host: WritableHost,
  wanted: ReturnType<typeof restorableOf>,
  { replaces }: BoundVolume,
): Promise<Pick<Outcome, "message" | "result">> {
  try {
    const patience = { until: Date.now() + claimPatience };
    if (replaces !== null) {
      await vacateClaim(host, wanted, { fieldManager: recoverManager, patience });
    }
    return await restoreVolume(host, wanted, { is: "bound" }, { fieldManager: recoverManager, patience });
  } catch (error) {
    if (!(error instanceof Failure)) {
      throw error;
    }
    return { result: "failed", message: error.message };
  }
}

/** The tenant's namespace with what every rule of the tenant boundary goes by. The next `up` adopts it and adds the rest. */
function makeNamespace(host: WritableHost, tenant: string, domains: readonly string[]): Promise<unknown> {
  const { namespace, policy } = tenantNames(tenant);
  return host.apply(
    paths.namespaces.named(namespace),
    {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: {
        name: namespace,
        labels: { [tenantLabel]: tenant, [policyLabel]: policy },
        annotations: { [domainsAnnotation]: domains.join(",") },
      },
    },
    // As the next `up` declares it: with another manager, each would hold the other's fields.
    fieldManager,
  );
}
