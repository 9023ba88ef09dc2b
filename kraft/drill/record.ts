import { annotateTenant, type WritableHost } from "../../cluster/client.ts";
import type { KubernetesObject } from "../../cluster/objects.ts";
import { failedDrillAnnotation, provenAnnotation, provenVolumesAnnotation } from "../../components/plan/drill.ts";
import { tenantNames } from "../../components/plan/names.ts";
import type { Checked } from "./checker.ts";

/** Days after which a proof is worth a new one. */
export const proofDays = 90;

/** What is known of a tenant's drills. Times are RFC 3339. */
export interface DrillRecord {
  /** When its backups were last restored and read to the end. */
  readonly provenAt: string | undefined;
  /** The last drill after that one, which failed. */
  readonly failure: { readonly at: string; readonly why: string } | undefined;
}

/** One volume that was restored and read. */
export interface ProvenVolume extends Checked {
  readonly claim: string;
  readonly backup: string;
  readonly snapshotCreatedAt: string;
}

/** Reads it from a tenant's namespace. */
export function recordOf(namespace: KubernetesObject | undefined): DrillRecord {
  const annotations = namespace?.metadata.annotations ?? {};
  const provenAt = annotations[provenAnnotation];
  const failed = /^(\S+) (.*)$/s.exec(annotations[failedDrillAnnotation] ?? "");
  return {
    provenAt: Number.isNaN(Date.parse(provenAt ?? "")) ? undefined : provenAt,
    failure: failed === null ? undefined : { at: failed[1] ?? "", why: failed[2] ?? "" },
  };
}

/**
 * The tenant to drill next: the one whose last proof, or failed attempt at one, is longest ago; one that has neither comes
 * first. A tenant whose drills fail does not keep the others waiting.
 */
export function nextTenant(tenants: readonly string[], namespaces: readonly KubernetesObject[]): string | undefined {
  const last = (tenant: string): number => {
    const { provenAt, failure } = recordOf(
      namespaces.find(({ metadata }) => metadata.name === tenantNames(tenant).namespace),
    );
    return Math.max(0, ...[provenAt, failure?.at].map((time) => Date.parse(time ?? "")).filter((time) => time > 0));
  };
  return [...tenants].sort((a, b) => last(a) - last(b) || (a < b ? -1 : 1))[0];
}

/** Records that a tenant's backups were restored and read. An earlier failure is forgotten. */
export function recordProof(
  host: WritableHost,
  tenant: string,
  at: Date,
  volumes: readonly ProvenVolume[],
  unchecked: readonly { readonly claim: string }[],
): Promise<void> {
  return annotateTenant(host, tenant, {
    [provenAnnotation]: timeText(at),
    [provenVolumesAnnotation]: JSON.stringify({ read: volumes, unchecked: unchecked.map(({ claim }) => claim) }),
    [failedDrillAnnotation]: null,
  });
}

/** Records that a drill failed; an earlier proof stays. */
export function recordFailure(host: WritableHost, tenant: string, at: Date, why: string): Promise<void> {
  return annotateTenant(host, tenant, { [failedDrillAnnotation]: `${timeText(at)} ${why.split("\n")[0] ?? ""}` });
}

/** RFC 3339, to the second. */
function timeText(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
