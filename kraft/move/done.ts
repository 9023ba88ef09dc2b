import { defaultTarget, nonEmpty } from "../../cluster/longhorn.ts";
import type { DnsName } from "../check/dns.ts";
import type { Move } from "./clusters.ts";

/** Something that has to be true before the tenant is deleted from the cluster that they left. */
export interface Check {
  readonly what: string;
  /** Null where it could not be found out. */
  readonly ok: boolean | null;
  readonly found: string;
  /** What to do where it is not so; null where it is. */
  readonly fix: string | null;
}

/**
 * Whether nothing depends on the cluster that the tenant left any more.
 *
 * @param names What DNS says of the tenant's names, compared with the stack that they came to.
 */
export function doneChecks({ tenant, source, target }: Move, names: readonly DnsName[]): Check[] {
  const arrived = target.tenant?.arrivedFrom === source.stack;
  const backedUp = target.volumes.filter(
    ({ spec, status }) =>
      (spec?.backupTargetName ?? defaultTarget) === defaultTarget && nonEmpty(status?.lastBackup) !== undefined,
  );
  const hasGuest = source.tenant?.guest === true;
  const stopped = !hasGuest || source.tenant.suspendedAt !== undefined;
  const checks: readonly Check[] = [
    {
      what: `its data is on ${target.stack}`,
      ok: arrived,
      found: arrived ? "all of it" : "not all of it",
      fix: `npx kraft move ${tenant} cutover -s ${target.stack}`,
    },
    {
      what: `its guest runs on ${target.stack}`,
      ok: target.guestPhase === "Ready",
      found: target.guestPhase ?? "no guest, or K3k has not seen it yet",
      fix: `pulumi up -s ${target.stack}, then npx kraft status -s ${target.stack}`,
    },
    {
      what: `${target.stack} has backups of its own of every volume`,
      ok: target.volumes.length > 0 && backedUp.length === target.volumes.length,
      found: `${backedUp.length} of ${target.volumes.length}`,
      fix: `npx kraft backup ${tenant} -s ${target.stack}`,
    },
    ...names.map(({ name, ok, found, expected, record }) => ({
      what: `${name} leads to ${target.stack}`,
      ok,
      found,
      fix: record === null ? `expected ${expected}` : `create ${record}`,
    })),
    {
      what: `it is stopped on ${source.stack}`,
      ok: stopped,
      found: stopped ? (hasGuest ? "suspended" : "no guest") : "active",
      fix: `state: suspended for ${tenant} in Pulumi.${source.stack}.yaml, then pulumi up -s ${source.stack}`,
    },
  ];
  return checks.map((check) => ({ ...check, fix: check.ok === true ? null : check.fix }));
}
