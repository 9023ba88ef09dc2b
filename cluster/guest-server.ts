import { tenantNames } from "../components/plan/names.ts";
import type { Host } from "./client.ts";
import { condition, type Pod } from "./objects.ts";
import { paths } from "./paths.ts";
import { type Patience, waitFor } from "./wait.ts";

/**
 * Waits until a guest's server runs a version of K3s and is ready, which is when its API answers.
 *
 * @param version Image tag of K3s, for example `v1.35.6-k3s1`.
 * @throws Failure with what the server's pod says, when the time is over.
 */
export async function untilServerRuns(
  host: Pick<Host, "get">,
  tenant: string,
  version: string,
  patience: Patience,
): Promise<void> {
  const { namespace, server } = tenantNames(tenant);
  const name = `${server}-0`;
  let pod: Pod | undefined;
  await waitFor(
    `the guest of ${tenant} on ${version}`,
    async () => {
      pod = await host.get(paths.pods.named(namespace, name));
      return runsReady(pod, version) ? true : undefined;
    },
    patience,
    () => `pod ${namespace}/${name}: ${stateOf(pod)}`,
  );
}

/** Whether a server's pod has the image of a version and is ready. One that ends is ready for a while still. */
export function runsReady(pod: Pod | undefined, version: string): boolean {
  const image = pod?.spec?.containers?.[0]?.image ?? "";
  const isEnding = pod?.metadata.deletionTimestamp !== undefined;
  return image.endsWith(`:${version}`) && !isEnding && condition(pod?.status, "Ready")?.status === "True";
}

function stateOf(pod: Pod | undefined): string {
  if (pod === undefined) {
    return "is not there";
  }
  const waiting = pod.status?.containerStatuses?.[0]?.state?.waiting;
  const obstacle = [waiting?.reason, waiting?.message].filter((text) => text !== undefined).join(": ");
  const unready = condition(pod.status, "PodScheduled")?.message ?? condition(pod.status, "Ready")?.message;
  return `${pod.spec?.containers?.[0]?.image ?? "no image"}, ${obstacle || (unready ?? pod.status?.phase ?? "new")}`;
}
