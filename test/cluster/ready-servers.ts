import { setTimeout as sleep } from "node:timers/promises";
import { guestServerLabel } from "../../cluster/guest-server.ts";
import { labelled, paths } from "../../cluster/paths.ts";
import type { Api } from "../../local/api.ts";

/**
 * In place of the kubelets, where no pod runs: says of each guest's server that it is ready, a second after its pod was made, which
 * an `up` waits for that gives guests another version; and of one with a version that no registry has, what a kubelet says then.
 *
 * @param unpublished The version that no registry has.
 * @returns what ends it
 */
export function callServersReady(api: Api, unpublished?: string): () => Promise<void> {
  const end = new AbortController();
  const calling = (async () => {
    while (!end.signal.aborted) {
      for (const { metadata, spec } of await api.list(labelled(paths.pods.all, guestServerLabel))) {
        const age = Date.now() - Date.parse(metadata.creationTimestamp ?? "");
        if (metadata.deletionTimestamp === undefined && age > 1000) {
          const image = spec?.containers?.[0]?.image ?? "";
          const status = image.endsWith(`:${unpublished ?? ""}`) ? notFetched(image) : ready;
          const path = `${paths.pods.named(metadata.namespace ?? "", metadata.name)}/status`;
          // One that was deleted meanwhile is no failure.
          await api.send("PATCH", path, { body: { status }, type: "application/merge-patch+json" });
        }
      }
      await sleep(200);
    }
  })();
  return async () => {
    end.abort();
    await calling;
  };
}

const ready = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] } as const;

function notFetched(image: string): object {
  const message = `failed to pull and unpack image "${image}": ${image}: not found`;
  const state = { waiting: { reason: "ErrImagePull", message } };
  const status = { name: "server", image, imageID: "", ready: false, started: false, restartCount: 0, state };
  return { phase: "Pending", conditions: [{ type: "Ready", status: "False" }], containerStatuses: [status] };
}
