import { Failure } from "../../errors/failure.ts";
import { backupTargetUrl } from "../../components/plan/longhorn-values.ts";
import { movedAtAnnotation, type Departure } from "../../components/plan/move.ts";
import { tenantNames } from "../../components/plan/names.ts";
import { readCatalogue, type BackupStore } from "../../infra/catalogue/catalogue.ts";
import { backUp } from "../backup/backup.ts";
import { claimOf, claimText } from "../../cluster/longhorn.ts";
import type { Goal } from "../../cluster/restore-step.ts";
import { restorePlan, type PlannedVolume, type RestoreInputs } from "../restore/plan.ts";
import { requireBackupTarget } from "../restore/preconditions.ts";
import { allThere, restoreVolumes, type Outcome } from "../restore/volumes.ts";
import { interruption } from "../../cluster/wait.ts";
import { obstacles, type MovePhase } from "./obstacles.ts";
import type { Parties } from "./parties.ts";
import { forgetArrival, forgetDeparture, recordArrival, recordDeparture } from "./record.ts";

/** What a phase works with. */
export interface MoveOrder {
  readonly parties: Parties;
  /** The backups of the stack that the tenant leaves. */
  readonly store: BackupStore;
  /** Of the stack that the tenant comes to. */
  readonly inputs: RestoreInputs & { readonly replicas: number };
  /** Milliseconds that the last backup may take. */
  readonly backupLimit: number;
  /** Hears what is going on. */
  readonly note: (text: string) => void;
}

/** What a phase came to. */
export interface MoveReport {
  readonly phase: MovePhase;
  readonly tenant: string;
  readonly from: string;
  readonly to: string;
  readonly ok: boolean;
  readonly volumes: readonly Outcome[];
}

/**
 * Copies what the backups hold while the tenant goes on where they are. The copies follow every further backup, so that the
 * cutover has little left to carry.
 *
 * @throws Failure before anything is touched, naming everything that is in the way.
 */
export async function copy(order: MoveOrder): Promise<MoveReport> {
  refuse("copy", order);
  await sourceIsRead(order);
  const volumes = await volumesToMove(order);
  const source = order.parties.source.stack;
  return report("copy", order, await restoreToTarget(order, volumes, () => ({ is: "copied", source })));
}

/**
 * Brings the tenant over: keeps the guest from starting again where it was, makes the last backup, restores exactly that,
 * binds every volume to its claim, and lets the guest start where it comes to. Interrupted, it goes on when it is run again.
 *
 * @throws Failure before anything is touched, naming everything that is in the way.
 */
export async function cutover(order: MoveOrder): Promise<MoveReport> {
  const { parties, inputs, note } = order;
  const { source, target, tenant } = parties;
  if (target.tenant?.arrivedFrom === source.stack && !target.tenant.guest) {
    // Complete but for the guest; the bindings are looked at once more by the preview.
    return report("cutover", order, []);
  }
  refuse("cutover", order);
  await sourceIsRead(order);
  // What cannot come at all is better known while the tenant may still go back.
  await volumesToMove(order);
  const departure: Departure = source.tenant?.movedTo ?? { to: target.stack, at: new Date().toISOString() };
  await recordDeparture(source.host, tenant, departure);
  note(`${tenant}: the guest does not start on ${source.stack} again from now on`);
  const last = await lastBackups(order, departure);
  const volumes = await volumesToMove(order);
  const outcomes = await restoreToTarget(order, volumes, ({ volume }) => ({
    is: "moved",
    source: source.stack,
    at: departure.at,
    last: last.get(volume),
    replicas: inputs.replicas,
  }));
  const done = report("cutover", order, outcomes);
  if (done.ok) {
    await recordArrival(target.host, tenant, source.stack);
  }
  return done;
}

/**
 * Takes a cutover back whose guest never started: the tenant may start again where they were. The copies stay, and are
 * never taken for those of a later move.
 *
 * @throws Failure where the guest stands on the other side already.
 */
export async function back(order: Pick<MoveOrder, "parties">): Promise<MoveReport> {
  refuse("back", order);
  const { source, target, tenant } = order.parties;
  // First what would let the guest start there, then what keeps it from starting here.
  if (target.tenant !== undefined) {
    await forgetArrival(target.host, tenant);
  }
  await forgetDeparture(source.host, tenant);
  return report("back", order, []);
}

function refuse(phase: MovePhase, { parties }: Pick<MoveOrder, "parties">): void {
  const found = obstacles(phase, parties);
  if (found.length > 0) {
    throw new Failure(
      `${phase} of ${parties.tenant} from ${parties.source.stack} to ${parties.target.stack} cannot be yet. Nothing was changed.\n` +
        found.map((obstacle) => `  ${obstacle}`).join("\n"),
    );
  }
}

function restoreToTarget(
  { parties, note }: MoveOrder,
  volumes: readonly PlannedVolume[],
  goal: (volume: PlannedVolume) => Goal,
): Promise<Outcome[]> {
  const remedy = "Bring the platform up first: pulumi up";
  return restoreVolumes(parties.target.host, volumes, { fieldManager: "kraft-move", goal, remedy, note });
}

function sourceIsRead({ parties: { source, target }, store }: MoveOrder): Promise<void> {
  return requireBackupTarget(
    target.host,
    source.stack,
    backupTargetUrl(store),
    `Declare it with kraft:source in Pulumi.${target.stack}.yaml, then: pulumi up -s ${target.stack}`,
  );
}

/**
 * The last backup of every volume, made after everything had stopped. What came to life in an earlier run has had its last.
 *
 * @returns names of backups by volume
 */
async function lastBackups(
  { parties, backupLimit, note }: MoveOrder,
  { at }: Departure,
): Promise<ReadonlyMap<string, string>> {
  const { source, target, tenant } = parties;
  const alive = new Set(
    target.known
      .filter(({ metadata }) => metadata.annotations?.[movedAtAnnotation] === at)
      .map(({ metadata }) => metadata.name),
  );
  const due = source.volumes.map(({ metadata }) => metadata.name).filter((name) => !alive.has(name));
  if (due.length === 0) {
    return new Map();
  }
  const interrupted = interruption();
  try {
    const { ok, volumes } = await backUp(source.host, {
      stack: source.stack,
      tenant,
      volumes: due,
      patience: { until: Date.now() + backupLimit, signal: interrupted.signal },
      progress: (text) => {
        note(`${tenant}: the last backup: ${text}`);
      },
    });
    if (!ok) {
      throw new Failure(
        `the last backup on ${source.stack} failed; run this again once that is mended\n` +
          volumes.flatMap((volume) => (volume.ok ? [] : [`  ${volume.claim}: ${volume.why}`])).join("\n"),
      );
    }
    return new Map(volumes.flatMap((volume) => (volume.ok ? [[volume.volume, volume.backup] as const] : [])));
  } finally {
    interrupted.stop();
  }
}

/**
 * The volumes that the tenant's claims are bound to where they run, as the backups there hold them. What else lies in the
 * bucket belonged to claims that are gone.
 *
 * @throws Failure where one of them could not come.
 */
async function volumesToMove({ parties, store, inputs }: MoveOrder): Promise<PlannedVolume[]> {
  const { source, target, tenant } = parties;
  const moving = new Set(source.volumes.map(({ metadata }) => metadata.name));
  const catalogue = await readCatalogue(store);
  const { namespace } = tenantNames(tenant);
  const concerned = {
    ...catalogue,
    volumes: catalogue.volumes.filter(({ volume }) => moving.has(volume)),
    damaged: catalogue.damaged.filter(({ volume }) => moving.has(volume)),
    notes: catalogue.notes.filter(({ volume }) => moving.has(volume)),
    unattached: catalogue.unattached.filter(({ volume }) => moving.has(volume)),
  };
  const plan = restorePlan(concerned, {
    ...inputs,
    leaveOut: inputs.leaveOut.filter((name) => moving.has(name)),
    tenant,
  });
  const left = new Map(plan.left.map(({ volume, reason }) => [volume, reason]));
  const lacking = source.volumes
    .filter(({ metadata }) => !plan.order.some(({ volume }) => volume === metadata.name))
    .filter(({ metadata }) => !inputs.leaveOut.includes(metadata.name))
    .map((volume) => {
      const { name } = volume.metadata;
      const reason =
        left.get(name) ??
        `no backup of it is in ${catalogue.target}: npm run kraft -- backup ${tenant} --stack ${source.stack}`;
      return `${claimText(tenant, claimOf(volume))} (${name}): ${reason}`;
    });
  const wrong = [...plan.problems.map(({ subject, message }) => `${subject}: ${message}`), ...lacking];
  if (wrong.length > 0) {
    throw new Failure(
      `not everything of ${tenant} (namespace ${namespace}) can come from ${source.stack} to ${target.stack}\n` +
        wrong.map((line) => `  ${line}`).join("\n"),
    );
  }
  return [...plan.order];
}

function report(phase: MovePhase, { parties }: Pick<MoveOrder, "parties">, volumes: readonly Outcome[]): MoveReport {
  const { tenant, source, target } = parties;
  return { phase, tenant, from: source.stack, to: target.stack, ok: allThere(volumes), volumes };
}
