import { once } from "node:events";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { codeOf, Failure } from "../errors/failure.ts";
import type { ImageSource } from "./images/source.ts";
import type { ProcessRecord } from "./processes.ts";

/** A cluster's ports, and which process may listen on each: with real machines the home passes them on. */
export const portOwners = {
  etcdClient: ["etcd"],
  etcdPeer: ["etcd"],
  apiServer: ["kube-apiserver", "home"],
  controllerManager: ["kube-controller-manager"],
  scheduler: ["kube-scheduler"],
  s3: ["s3"],
  web: ["home"],
  websecure: ["home"],
} as const;
export type Ports = Readonly<Record<keyof typeof portOwners, number>>;

/**
 * Where ports are chosen from: below those that the kernel gives to outgoing connections, any of which could take a port
 * between its choice and its use.
 */
const range = { first: 16_384, count: 16_384 } as const;

/** Whether nobody listens on a port of the loopback address. */
export async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

/** So many different free ports, none of which is `taken`. */
export async function freePorts(count: number, taken: readonly number[] = []): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = range.first + Math.floor(Math.random() * range.count);
    if (!taken.includes(port) && (await isFree(port))) {
      ports.add(port);
    }
  }
  return [...ports];
}

/** What the nodes of an embedded cluster are. */
export type Machines = "real" | "simulated";

/** What one run leaves for the next to find, in `state.json`. */
export interface State {
  readonly stack: string;
  /** Absent in folders that an older Kraft made: simulated. */
  readonly machines?: Machines;
  /** Where the images of real machines are from. Absent in folders that an older Kraft made: built. */
  readonly images?: ImageSource;
  readonly ports?: Ports;
  readonly processes: Readonly<Record<string, ProcessRecord>>;
}

export function writeFileWhole(path: string, text: string, mode = 0o600): void {
  mkdirSync(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}`;
  try {
    // Flushed: after a power cut there is the old file or the new one, and not an empty one.
    writeFileSync(draft, text, { mode, flush: true });
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

function stateFile(directory: string): string {
  return join(directory, "state.json");
}

/** Undefined where no cluster was ever started in this folder. */
export function readState(directory: string): State | undefined {
  const path = stateFile(directory);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") {
      return undefined;
    }
    throw error;
  }
  try {
    return JSON.parse(text) as State;
  } catch {
    throw new Failure(
      `${path} is damaged, so Kraft no longer knows which processes it started.\n` +
        `End those whose command line names ${directory} by hand, remove that folder, and run the command again.`,
    );
  }
}

/**
 * The state file and the processes in it. Every change is written before the next step, and every look reads the file:
 * two holders of one store, such as a run and the repair that replaced its processes, must not undo each other's entries.
 */
export class StateStore {
  readonly directory: string;
  readonly #stack: string;

  constructor(directory: string, stack: string, machines: Machines = "simulated", images?: ImageSource) {
    this.directory = directory;
    this.#stack = stack;
    this.#change({ machines, ...(images !== undefined && { images }) });
  }

  /** Where the images of the machines are from. */
  get images(): ImageSource {
    return this.#read().images ?? { kind: "built" };
  }

  get ports(): Ports | undefined {
    return this.#read().ports;
  }

  get processes(): Readonly<Record<string, ProcessRecord>> {
    return this.#read().processes;
  }

  setPorts(ports: Ports): void {
    this.#change({ ports });
  }

  setProcess(name: string, record: ProcessRecord): void {
    this.#change({ processes: { ...this.processes, [name]: record } });
  }

  #read(): State {
    return readState(this.directory) ?? { stack: this.#stack, processes: {} };
  }

  #change(change: Partial<State>): void {
    writeFileWhole(stateFile(this.directory), `${JSON.stringify({ ...this.#read(), ...change }, undefined, 2)}\n`);
  }
}
