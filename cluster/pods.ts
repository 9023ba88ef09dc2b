import type { Pod } from "./objects.ts";
import { latest } from "./times.ts";

/** Whether a pod is at its end. One that waits for a node may start at any time, and one that is being deleted still runs. */
export function hasEnded({ status }: Pod): boolean {
  return status?.phase === "Succeeded" || status?.phase === "Failed";
}

/**
 * When the last pod with a claim had ended, of those that are still listed: to Longhorn a pod that ended and was not deleted
 * uses its volume on (getAssociatedPods in controller/kubernetes_pv_controller.go of longhorn-manager 1.12).
 *
 * @returns RFC 3339; undefined where there is no such pod
 */
export function lastEnd(pods: readonly Pod[], claim: string): string | undefined {
  const ended = pods.filter((pod) => hasEnded(pod) && claimsOf(pod).includes(claim));
  return latest(
    ended.flatMap(({ status }) => [
      ...(status?.containerStatuses ?? []).map(({ state }) => state?.terminated?.finishedAt),
      // The kubelet of a pod that was evicted says nothing of its containers.
      ...(status?.conditions ?? []).map(({ lastTransitionTime }) => lastTransitionTime),
    ]),
  );
}

/** A generic ephemeral volume has a claim named after its pod. */
function claimsOf({ metadata, spec }: Pod): string[] {
  return (spec?.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => [
    ...(persistentVolumeClaim?.claimName === undefined ? [] : [persistentVolumeClaim.claimName]),
    ...(ephemeral === undefined || name === undefined ? [] : [`${metadata.name}-${name}`]),
  ]);
}
