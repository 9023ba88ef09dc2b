import { tenantNames } from "../components/plan/names.ts";
import { Failure } from "../errors/failure.ts";
import type { Api } from "./api.ts";
import type { Host } from "./client.ts";
import { condition, type Pod } from "./objects.ts";
import { paths } from "./paths.ts";
import { type Patience, waitFor } from "./wait.ts";

/** By which K3k tells the pod of a guest's server from those of its kubelets. */
export const guestServerLabel = "role=server";

/** What this reads and, of a pod that never started, deletes. */
type Servers = Pick<Host, "get"> & Pick<Api, "delete" | "merge">;

/**
 * Waits until a guest's server runs a version of K3s and is ready, which is when its API answers.
 *
 * A pod of another version that never started is deleted: its StatefulSet waits for it for ever
 * (https://github.com/kubernetes/kubernetes/issues/67250).
 *
 * @param version Image tag of K3s, for example `v1.35.6-k3s1`.
 * @throws Failure with what the server's pod says, when the time is over, or as soon as the registry says that it has no such image.
 */
export async function untilServerRuns(
  host: Servers,
  tenant: string,
  version: string,
  patience: Patience,
): Promise<void> {
  const { namespace, server } = tenantNames(tenant);
  const path = paths.pods.named(namespace, `${server}-0`);
  let pod: Pod | undefined;
  const state = (): string => `pod ${namespace}/${server}-0: ${stateOf(pod)}`;
  const found = await waitFor(
    `the guest of ${tenant} on ${version}`,
    async () => {
      pod = await host.get(path);
      if (pod !== undefined && !hasImageOf(pod, version) && neverStarted(pod)) {
        await endPod(host, path, pod);
        return undefined;
      }
      return runsReady(pod, version) ? "ready" : isImageMissing(pod) ? "no image" : undefined;
    },
    patience,
    state,
  );
  if (found === "no image") {
    throw new Failure(`the guest of ${tenant} on ${version}: there is no such image; ${state()}`);
  }
}

/**
 * Deletes a pod, and then takes K3k's finalizer from it, as K3k itself does with a guest's only server. K3k 1.1.0 may never do it: it
 * gets no events of pods (`newClusterPredicate` in pkg/controller/cluster/filter.go), and a pod that never started changes
 * nothing of its StatefulSet when it ends.
 */
async function endPod(host: Servers, path: string, pod: Pod): Promise<void> {
  const { uid } = pod.metadata;
  await (isEnding(pod) ? host.merge(path, { metadata: { uid, finalizers: null } }) : host.delete(path, uid));
}

/** Whether a server's pod has the image of a version and is ready. One that ends is ready for a while still. */
export function runsReady(pod: Pod | undefined, version: string): boolean {
  return (
    pod !== undefined && hasImageOf(pod, version) && !isEnding(pod) && condition(pod.status, "Ready")?.status === "True"
  );
}

function isEnding({ metadata }: Pod): boolean {
  return metadata.deletionTimestamp !== undefined;
}

function hasImageOf({ spec }: Pod, version: string): boolean {
  return spec?.containers?.[0]?.image?.endsWith(`:${version}`) === true;
}

/**
 * Whether none of the containers of a server's pod was ever started: it waits for its image, or was deleted while it did. Of a
 * container that never was, a kubelet reports then that it terminated, without its ID (TerminatePod in
 * pkg/kubelet/status/status_manager.go of Kubernetes 1.35).
 */
function neverStarted(pod: Pod): boolean {
  const [server] = pod.status?.containerStatuses ?? [];
  const waitsForImage = /^(ErrImagePull|ImagePullBackOff|InvalidImageName)$/.test(server?.state?.waiting?.reason ?? "");
  const ended = isEnding(pod) && server?.state?.terminated !== undefined && (server.containerID ?? "") === "";
  return (waitsForImage || ended) && (server?.restartCount ?? 0) === 0 && server?.lastState?.terminated === undefined;
}

/**
 * Whether a registry answered that it does not have the image, which another attempt does not change. It is false where a container
 * of the pod was started.
 */
export function isImageMissing(pod: Pod | undefined): boolean {
  const message = pod?.status?.containerStatuses?.[0]?.state?.waiting?.message ?? "";
  return pod !== undefined && neverStarted(pod) && /: not found\b/.test(message);
}

/**
 * The image of the last revision of a guest's server that became ready, where its StatefulSet is on the way to another one;
 * undefined where it is not.
 */
export async function formerImage(host: Pick<Host, "get">, tenant: string): Promise<string | undefined> {
  const { namespace, server } = tenantNames(tenant);
  const { currentRevision = "", updateRevision = "" } =
    (await host.get(paths.statefulSets.named(namespace, server)))?.status ?? {};
  if (currentRevision === "" || currentRevision === updateRevision) {
    return undefined;
  }
  const former = await host.get(paths.controllerRevisions.named(namespace, currentRevision));
  return former?.data?.spec?.template?.spec?.containers?.[0]?.image;
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
