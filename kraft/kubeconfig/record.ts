import { annotateTenant, type WritableHost } from "../../cluster/client.ts";
import type { KubernetesObject } from "../../cluster/objects.ts";
import { paths } from "../../cluster/paths.ts";
import { kubeconfigAnnotation, tenantNames } from "../../components/plan/names.ts";
import { warnDays } from "../../infra/checks/expiry.ts";
import { distance, moment } from "../cli/moment.ts";

/** The kubeconfig of a tenant that was handed out last. Times are RFC 3339. */
export interface HandedOut {
  readonly at: string;
  readonly endsAt: string;
  /** Whether it can be revoked: it holds a token, not a certificate. */
  readonly revocable: boolean;
}

const millisecondsPerDay = 86_400_000;

/** A reminder comes when this share of a kubeconfig's time is left, and never earlier than `warnDays` before its end. */
const remindedShare = 1 / 3;

/** Reads it from a tenant's namespace; undefined where none was handed out. */
export function handedOutOf(namespace: KubernetesObject | undefined): HandedOut | undefined {
  const [at = "", endsAt = "", credential] = (namespace?.metadata.annotations?.[kubeconfigAnnotation] ?? "").split(" ");
  return [at, endsAt].some((time) => Number.isNaN(Date.parse(time)))
    ? undefined
    : { at, endsAt, revocable: credential === "token" };
}

/** Records that a kubeconfig was handed out, so that `kraft status` reminds of its end. */
export function recordHandedOut(
  host: WritableHost,
  tenant: string,
  { at, ends, revocable }: { readonly at: Date; readonly ends: Date; readonly revocable: boolean },
): Promise<void> {
  const credential = revocable ? "token" : "certificate";
  return annotateTenant(host, tenant, { [kubeconfigAnnotation]: `${timeText(at)} ${timeText(ends)} ${credential}` });
}

/** Records that those were revoked that can be. */
export async function forgetRevoked(host: WritableHost, tenant: string): Promise<void> {
  const namespace = await host.get(paths.namespaces.named(tenantNames(tenant).namespace));
  if (handedOutOf(namespace)?.revocable === true) {
    await annotateTenant(host, tenant, { [kubeconfigAnnotation]: null });
  }
}

/** That a kubeconfig ended or ends soon, as the rest of a sentence about it; undefined while there is time. */
export function endingText(handedOut: HandedOut | undefined, now: Date): string | undefined {
  if (handedOut === undefined) {
    return undefined;
  }
  const ends = new Date(handedOut.endsAt);
  const lifetime = ends.getTime() - Date.parse(handedOut.at);
  const left = ends.getTime() - now.getTime();
  const when = `on ${moment(ends)} (${distance(ends, now)})`;
  if (left <= 0) {
    return `ended ${when}`;
  }
  return left <= Math.min(warnDays * millisecondsPerDay, lifetime * remindedShare) ? `ends ${when}` : undefined;
}

/** RFC 3339, to the second. */
function timeText(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
