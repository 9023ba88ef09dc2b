import { request } from "node:http";
import { Failure } from "../../errors/failure.ts";

/** Milliseconds that a call may take: a snapshot copies everything that a volume holds. */
const timeout = 10 * 60_000;

/** A volume as the program `volume-stand-in disks` says it is. */
export interface DiskState {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Bytes that its image takes. */
  readonly held: number;
  /** Bytes of its file system; 0 where there is none yet. */
  readonly fileSystem: number;
  /** Whether nodes can mount it. */
  readonly mounted: boolean;
  /** The backup that it was restored from; empty for none. */
  readonly restored: string;
  /** Folder of its snapshots. */
  readonly folder: string;
}

/** The program answered, and did not do what it was asked. */
export class DisksError extends Failure {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The calls to `volume-stand-in disks`, which listens on a unix socket (its server.go). */
export class DisksClient {
  readonly #socket: string;

  constructor(socket: string) {
    this.#socket = socket;
  }

  list(): Promise<readonly DiskState[]> {
    return this.#ask("GET", "/volumes");
  }

  /** @returns undefined where there is no such volume */
  async get(volume: string): Promise<DiskState | undefined> {
    try {
      return await this.#ask<DiskState>("GET", `/volumes/${volume}`);
    } catch (error) {
      if (error instanceof DisksError && error.status === 404) {
        return undefined;
      }
      throw error;
    }
  }

  /** Makes a volume of so many bytes, or enlarges it. */
  ensure(volume: string, size: number): Promise<DiskState> {
    return this.#ask("PUT", `/volumes/${volume}`, { size });
  }

  async delete(volume: string): Promise<void> {
    await this.#ask("DELETE", `/volumes/${volume}`);
  }

  attach(volume: string): Promise<DiskState> {
    return this.#ask("PUT", `/volumes/${volume}/mount`);
  }

  detach(volume: string): Promise<DiskState> {
    return this.#ask("DELETE", `/volumes/${volume}/mount`);
  }

  snapshot(volume: string, snapshot: string): Promise<{ readonly createdAt: string; readonly size: number }> {
    return this.#ask("PUT", `/volumes/${volume}/snapshots/${snapshot}`);
  }

  async deleteSnapshot(volume: string, snapshot: string): Promise<void> {
    await this.#ask("DELETE", `/volumes/${volume}/snapshots/${snapshot}`);
  }

  /** @returns the path of a new file to restore into */
  async incoming(volume: string): Promise<string> {
    return (await this.#ask<{ readonly path: string }>("POST", `/volumes/${volume}/incoming`)).path;
  }

  /** Makes a file with what a backup has the volume. */
  commit(volume: string, path: string, backup: string): Promise<DiskState> {
    return this.#ask("PUT", `/volumes/${volume}/incoming`, { path, backup });
  }

  #ask<Answer>(method: string, path: string, body?: object): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const call = request({ socketPath: this.#socket, method, path, timeout }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => (text += part));
        response.on("error", reject);
        response.on("end", () => {
          const { statusCode = 0 } = response;
          try {
            const answer: unknown = JSON.parse(text);
            if (statusCode === 200) {
              resolve(answer as Answer);
            } else {
              const { error = text } = answer as { readonly error?: string };
              reject(new DisksError(statusCode, `${method} ${path}: ${error}`));
            }
          } catch {
            reject(new DisksError(statusCode, `${method} ${path}: ${statusCode} ${text}`));
          }
        });
      });
      call.on("timeout", () => call.destroy(new Error(`no answer within ${timeout / 1000} s`)));
      call.on("error", (error) => {
        reject(new Failure(`The program of the disks does not answer on ${this.#socket}: ${error.message}`));
      });
      call.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}
