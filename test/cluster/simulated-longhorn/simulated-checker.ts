import { setTimeout as sleep } from "node:timers/promises";
import { ApiError } from "../../../cluster/api.ts";
import type { KubernetesObject } from "../../../cluster/objects.ts";
import { drillNamespace } from "../../../components/plan/drill.ts";
import type { Api } from "../../../local/api.ts";

/** What a checker's pod is made to say. */
export interface Reading {
  readonly exitCode: number;
  /** Merged into the result; undefined for none at all. */
  readonly result?: Readonly<Record<string, unknown>>;
}

interface Pod extends KubernetesObject {
  readonly spec: {
    readonly containers: readonly { readonly env?: readonly { readonly name: string; readonly value?: string }[] }[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly containerStatuses?: readonly { readonly state?: { readonly terminated?: object } }[];
  };
}

/**
 * In place of a kubelet: writes into the status of a drill's pod what its container would have left, had there been one.
 * No file is read here; that the checker reads is a unit test's matter.
 */
export class SimulatedChecker {
  /** What a pod says; undefined for nothing, as a pod of kwok's does by itself. */
  reading: ((claim: string, datastore: boolean) => Reading | undefined) | undefined;
  readonly #api: Api;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(api: Api) {
    this.#api = api;
  }

  start(): void {
    this.#stopped = false;
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    this.#running = undefined;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      for (const pod of await this.#api.list<Pod>(`/api/v1/namespaces/${drillNamespace}/pods`)) {
        await this.#end(pod);
      }
      await sleep(100);
    }
  }

  async #end({ metadata, spec, status }: Pod): Promise<void> {
    const variables = new Map(spec.containers[0]?.env?.map(({ name, value }) => [name, value ?? ""]));
    const reading = this.reading?.(metadata.name, variables.get("DATASTORE") === "yes");
    const ended = status?.containerStatuses?.[0]?.state?.terminated !== undefined;
    if (status?.phase !== "Running" || ended || reading === undefined) {
      return;
    }
    const message =
      reading.result === undefined
        ? ""
        : JSON.stringify({
            run: variables.get("RUN"),
            files: 120,
            unread: 0,
            unlisted: 0,
            bytes: 31_457_280,
            datastore: variables.get("DATASTORE") === "yes" ? "etcd" : "none",
            ...reading.result,
          });
    const { name, namespace, uid } = metadata;
    const terminated = { exitCode: reading.exitCode, message, reason: reading.exitCode === 0 ? "Completed" : "Error" };
    try {
      await this.#api.apply(
        `/api/v1/namespaces/${namespace ?? ""}/pods/${name}/status`,
        {
          apiVersion: "v1",
          kind: "Pod",
          metadata: { name, namespace, uid },
          status: {
            phase: reading.exitCode === 0 ? "Succeeded" : "Failed",
            containerStatuses: [
              {
                name: "checker",
                image: "simulated",
                imageID: "",
                ready: false,
                restartCount: 0,
                state: { terminated },
              },
            ],
          },
        },
        "simulated-kubelet",
      );
    } catch (error) {
      // The drill was killed and cleaned up meanwhile.
      if (!(error instanceof ApiError && (error.status === 404 || error.status === 409))) {
        throw error;
      }
    }
  }
}
