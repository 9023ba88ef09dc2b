import { annotateTenant } from "../../cluster/client.ts";
import { claimOf, claimText } from "../../cluster/longhorn.ts";
import type { Goal } from "../../cluster/restore-step.ts";
import {
  arrivedFromAnnotation,
  type Departure,
  departureText,
  movedAtAnnotation,
  movedToAnnotation,
} from "../../components/plan/lifecycle.ts";
import { backupTargetUrl } from "../../components/plan/longhorn-values.ts";
import { tenantNames } from "../../components/plan/names.ts";
import { Failure } from "../../errors/failure.ts";
import { type BackupStore, readCatalogue } from "../../infra/catalogue/catalogue.ts";
import { backUp } from "../backup/backup.ts";
import { interruptible } from "../cli/time-limit.ts";
import { type PlannedVolume, type RestoreInputs, restorePlan } from "../restore/plan.ts";
import { allThere, type Outcome, requireBackupTarget, restoreVolumes } from "../restore/volumes.ts";
import type { Move } from "./clusters.ts";
import { type MovePhase, obstacles } from "./obstacles.ts";

export interface MoveOrder {
  readonly move: Move;
  /** The backups of the stack that the tenant leaves. */
  readonly store: BackupStore;
  /** Of the stack that the tenant comes to. */
  readonly inputs: RestoreInputs & { readonly replicas: number };
  /** Milliseconds that the last backup may take. */
  readonly backupLimit: number;
  /** Called with what is going on. */
  readonly note: (text: string) => void;
}

export interface MoveReport {
  readonly phase: MovePhase;
  readonly tenant: string;
  readonly from: string;
  readonly to: string;
  readonly ok: boolean;
  readonly volumes: readonly Outcome[];
}

/**
 * Copies what the backups hold while the tenant keeps running. The copies follow every further backup, so that little is
 * left to copy at the cutover. Like every phase it throws a Failure with all obstacles before anything is touched.
 */
export async function copy(order: MoveOrder): Promise<MoveReport> {
  const { stack: source } = order.move.source;
  refuseObstacles("copy", order.move);
  await requireSource(order);
  const volumes = await volumesToMove(order);
  return report("copy", order.move, await restoreOnTarget(order, volumes, () => ({ is: "copied", source })));
}

/**
 * Moves the tenant: keeps the guest from starting again where it was, makes the last backup, restores exactly that, binds
 * every volume to its claim, and lets the guest start on the target. If it is interrupted, it continues when it is run again.
 */
export async function cutover(order: MoveOrder): Promise<MoveReport> {
  const { move, inputs, note } = order;
  const { source, target, tenant } = move;
  if (target.tenant?.arrivedFrom === source.stack && !target.tenant.guest) {
    // Complete but for the guest; the preview checks the bindings once more.
    return report("cutover", move, []);
  }
  refuseObstacles("cutover", move);
  await requireSource(order);
  // What cannot be restored has to be known while the tenant can still go back.
  await volumesToMove(order);
  const departure = source.tenant?.movedTo ?? { to: target.stack, at: new Date().toISOString() };
  await annotateTenant(source.host, tenant, { [movedToAnnotation]: departureText(departure) });
  note(`${tenant}: the guest does not start on ${source.stack} again from now on`);
  const last = await lastBackups(order, departure);
  const outcomes = await restoreOnTarget(order, await volumesToMove(order), ({ volume }) => ({
    is: "moved",
    source: source.stack,
    at: departure.at,
    last: last.get(volume),
    replicas: inputs.replicas,
  }));
  const done = report("cutover", move, outcomes);
  if (done.ok) {
    await annotateTenant(target.host, tenant, { [arrivedFromAnnotation]: source.stack });
  }
  return done;
}

/**
 * Takes back a cutover whose guest never started: the tenant may start again where they were. The copies stay, and a later
 * move never uses them.
 */
export async function back({ move }: Pick<MoveOrder, "move">): Promise<MoveReport> {
  const { source, target, tenant } = move;
  refuseObstacles("back", move);
  // First what would let the guest start there, then what keeps it from starting here.
  if (target.tenant !== undefined) {
    await annotateTenant(target.host, tenant, { [arrivedFromAnnotation]: null });
  }
  await annotateTenant(source.host, tenant, { [movedToAnnotation]: null });
  return report("back", move, []);
}

function refuseObstacles(phase: MovePhase, move: Move): void {
  refuse(
    `${phase} of ${move.tenant} from ${move.source.stack} to ${move.target.stack} cannot start yet. Nothing was changed.`,
    obstacles(phase, move),
  );
}

function refuse(what: string, reasons: readonly string[]): void {
  if (reasons.length > 0) {
    throw new Failure([what, ...reasons.map((reason) => `  ${reason}`)].join("\n"));
  }
}

/** Makes sure that Longhorn on the target reads the backups of the source. */
function requireSource({ move: { source, target }, store }: MoveOrder): Promise<void> {
  return requireBackupTarget(
    target.host,
    source.stack,
    backupTargetUrl(store),
    `Declare it with kraft:source in Pulumi.${target.stack}.yaml, then: pulumi up -s ${target.stack}`,
  );
}

function restoreOnTarget(
  { move, note }: MoveOrder,
  volumes: readonly PlannedVolume[],
  goal: (volume: PlannedVolume) => Goal,
): Promise<Outcome[]> {
  const remedy = "Bring the platform up first: pulumi up";
  return restoreVolumes(move.target.host, volumes, { fieldManager: "kraft-move", goal, remedy, note });
}

/**
 * Names by volume of the last backups, made after everything had stopped. A volume that an earlier run activated has had its
 * last.
 */
async function lastBackups(
  { move, backupLimit, note }: MoveOrder,
  { at }: Departure,
): Promise<ReadonlyMap<string, string>> {
  const { source, target, tenant } = move;
  const activated = target.allVolumes
    .filter(({ metadata }) => metadata.annotations?.[movedAtAnnotation] === at)
    .map(({ metadata }) => metadata.name);
  const due = source.volumes.map(({ metadata }) => metadata.name).filter((name) => !activated.includes(name));
  if (due.length === 0) {
    return new Map();
  }
  const { volumes } = await interruptible((signal) =>
    backUp(source.host, {
      stack: source.stack,
      tenant,
      volumes: due,
      patience: { until: Date.now() + backupLimit, signal },
      progress: (text) => {
        note(`${tenant}: the last backup: ${text}`);
      },
    }),
  );
  refuse(
    `the last backup on ${source.stack} failed; run this again once that is fixed`,
    volumes.flatMap((volume) => (volume.ok ? [] : [`${volume.claim}: ${volume.why}`])),
  );
  return new Map(volumes.flatMap((volume) => (volume.ok ? [[volume.volume, volume.backup] as const] : [])));
}

/**
 * The volumes that the tenant's claims are bound to on the source, as the backups there hold them; a Failure where one could
 * not be restored. Whatever else is in the bucket belonged to claims that are gone.
 */
async function volumesToMove({ move, store, inputs }: MoveOrder): Promise<readonly PlannedVolume[]> {
  const { source, target, tenant } = move;
  const moving = new Set(source.volumes.map(({ metadata }) => metadata.name));
  const ofMove = <Entry extends { readonly volume: string }>(entries: readonly Entry[]): Entry[] =>
    entries.filter(({ volume }) => moving.has(volume));
  const catalogue = await readCatalogue(store);
  const plan = restorePlan(
    {
      target: catalogue.target,
      volumes: ofMove(catalogue.volumes),
      damaged: ofMove(catalogue.damaged),
      notes: ofMove(catalogue.notes),
      unattached: ofMove(catalogue.unattached),
    },
    { ...inputs, leaveOut: inputs.leaveOut.filter((name) => moving.has(name)), tenant },
  );
  const lacking = source.volumes.flatMap((volume) => {
    const { name } = volume.metadata;
    if (inputs.leaveOut.includes(name) || plan.order.some((planned) => planned.volume === name)) {
      return [];
    }
    const reason =
      plan.left.find((left) => left.volume === name)?.reason ??
      `no backup of it is in ${catalogue.target}: npx kraft backup ${tenant} -s ${source.stack}`;
    return [`${claimText(tenant, claimOf(volume))} (${name}): ${reason}`];
  });
  refuse(
    `not everything of ${tenant} (namespace ${tenantNames(tenant).namespace}) can move from ${source.stack} to ${target.stack}`,
    [...plan.problems.map(({ subject, message }) => `${subject}: ${message}`), ...lacking],
  );
  return plan.order;
}

function report(phase: MovePhase, { tenant, source, target }: Move, volumes: readonly Outcome[]): MoveReport {
  return { phase, tenant, from: source.stack, to: target.stack, ok: allThere(volumes), volumes };
}
