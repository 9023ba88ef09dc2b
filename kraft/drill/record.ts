import { Failure } from "../../errors/failure.ts";
import { failedDrillAnnotation, provenAnnotation, provenVolumesAnnotation } from "../../components/plan/drill.ts";
import { tenantNames } from "../../components/plan/names.ts";
import type { WritableHost } from "../../cluster/client.ts";
import type { Checked } from "./checker.ts";

/** Whose the annotations are. Whatever else is on the namespace, Pulumi's and K3k's, is not touched. */
const fieldManager = "kraft-drill";

/** Days after which a proof is worth a new one. */
export const proofDays = 90;

/** A tenant's namespace, as far as it tells of drills. */
export interface TenantNamespace {
  readonly metadata: {
    readonly name: string;
    readonly creationTimestamp?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

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
export function recordOf(namespace: TenantNamespace | undefined): DrillRecord {
  const annotations = namespace?.metadata.annotations ?? {};
  const failed = /^(\S+) (.*)$/s.exec(annotations[failedDrillAnnotation] ?? "");
  return {
    provenAt: validTime(annotations[provenAnnotation]),
    failure: failed === null ? undefined : { at: failed[1] ?? "", why: failed[2] ?? "" },
  };
}

function validTime(text: string | undefined): string | undefined {
  return text === undefined || Number.isNaN(Date.parse(text)) ? undefined : text;
}

/**
 * The tenant to drill next: the one whose last proof, or failed attempt at one, is longest ago; whoever has neither comes
 * first. A tenant whose drills fail does not keep the others waiting.
 */
export function nextTenant(tenants: readonly string[], namespaces: readonly TenantNamespace[]): string | undefined {
  const last = (tenant: string): number => {
    const { provenAt, failure } = recordOf(
      namespaces.find(({ metadata }) => metadata.name === tenantNames(tenant).namespace),
    );
    return Math.max(0, ...[provenAt, failure?.at].map((time) => Date.parse(time ?? "")).filter((time) => time > 0));
  };
  return [...tenants].sort((a, b) => last(a) - last(b) || (a < b ? -1 : 1))[0];
}

/** Writes that a tenant's backups were restored and read. A failure before that is forgotten. */
export async function recordProof(
  host: WritableHost,
  tenant: string,
  at: Date,
  volumes: readonly ProvenVolume[],
  unchecked: readonly { readonly claim: string }[],
): Promise<void> {
  await annotate(host, tenant, {
    [provenAnnotation]: timeText(at),
    [provenVolumesAnnotation]: JSON.stringify({ read: volumes, unchecked: unchecked.map(({ claim }) => claim) }),
  });
}

/** Writes that a drill failed; an earlier proof stays what it is. */
export async function recordFailure(host: WritableHost, tenant: string, at: Date, why: string): Promise<void> {
  const path = `/api/v1/namespaces/${tenantNames(tenant).namespace}`;
  const annotations = (await host.get<TenantNamespace>(path))?.metadata.annotations ?? {};
  const kept = [provenAnnotation, provenVolumesAnnotation].flatMap((key) =>
    annotations[key] === undefined ? [] : [[key, annotations[key]] as const],
  );
  await annotate(host, tenant, {
    ...Object.fromEntries(kept),
    [failedDrillAnnotation]: `${timeText(at)} ${why.split("\n")[0] ?? ""}`,
  });
}

async function annotate(
  host: WritableHost,
  tenant: string,
  annotations: Readonly<Record<string, string>>,
): Promise<void> {
  const { namespace } = tenantNames(tenant);
  const path = `/api/v1/namespaces/${namespace}`;
  // An apply would make the namespace anew if it had gone meanwhile: without its boundary.
  const found = await host.get<{ readonly metadata: { readonly uid?: string } }>(path);
  if (found === undefined) {
    throw new Failure(`the namespace ${namespace} is gone: nothing is recorded`);
  }
  await host.apply(
    path,
    { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace, uid: found.metadata.uid, annotations } },
    fieldManager,
  );
}

/** RFC 3339, to the second. */
function timeText(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
