import { condition, type Pod } from "../../cluster/objects.ts";

/**
 * Whether a pod of a Deployment or DaemonSet has still to come back after its machine started. Right after a power cut its
 * status is the one from before it: such a pod has containers that are older than the machine.
 *
 * @param started When the machines started, in milliseconds since 1970.
 */
export function comesBack({ metadata, status }: Pod, started: number): boolean {
  const kinds = (metadata.ownerReferences ?? []).map(({ kind }) => kind);
  if (metadata.deletionTimestamp !== undefined || !(kinds.includes("ReplicaSet") || kinds.includes("DaemonSet"))) {
    return false;
  }
  const containers = status?.containerStatuses ?? [];
  // The API's times have whole seconds.
  const isOlder = containers.some(
    ({ state }) => Date.parse(state?.running?.startedAt ?? "") < Math.floor(started / 1000) * 1000,
  );
  return isOlder || condition(status, "Ready")?.status !== "True";
}
