import { join } from "node:path";
import { type Client, credentials, loadPackageDefinition, type ServiceError } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { moduleFolder } from "../../../local/toolchain/go.ts";

type Call = (request: object, answer: (error: ServiceError | null, response: object) => void) => void;
type Calls = Client & Readonly<Record<string, Call | undefined>>;
type Service = new (address: string, channel: ReturnType<typeof credentials.createInsecure>) => Calls;

/** A gRPC service on a unix socket, called as the kubelet calls it. */
export class Plugin {
  readonly #client: Calls;

  private constructor(client: Calls) {
    this.#client = client;
  }

  /** The CSI node service. Its description is that of the very module that the plugin is made of. */
  static node(socket: string): Plugin {
    const file = join(moduleFolder("volumes", "github.com/container-storage-interface/spec"), "csi.proto");
    return Plugin.#of(socket, file, ["csi", "v1", "Node"]);
  }

  /** What the kubelet finds in its folder of plugins. */
  static registration(socket: string): Plugin {
    const file = join(moduleFolder("volumes", "k8s.io/kubelet"), "pkg/apis/pluginregistration/v1/api.proto");
    return Plugin.#of(socket, file, ["pluginregistration", "Registration"]);
  }

  static #of(socket: string, file: string, path: readonly string[]): Plugin {
    const definition = loadSync(file, { keepCase: true, longs: Number, enums: String, includeDirs: ["/"] });
    let found: unknown = loadPackageDefinition(definition);
    for (const name of path) {
      found = (found as Record<string, unknown>)[name];
    }
    return new Plugin(new (found as Service)(`unix:${socket}`, credentials.createInsecure()));
  }

  call<Answer = object>(method: string, request: object): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const call = this.#client[method]?.bind(this.#client);
      if (call === undefined) {
        reject(new Error(`no method ${method}`));
        return;
      }
      call(request, (error, response) => {
        if (error === null) {
          resolve(response as Answer);
        } else {
          reject(error);
        }
      });
    });
  }

  close(): void {
    this.#client.close();
  }
}
