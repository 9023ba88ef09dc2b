import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { rootCommand } from "../../../local/root.ts";
import { toolPath, type Tools } from "../../../local/toolchain/ready.ts";
import { Plugin } from "./csi.ts";

/** One machine: a slave of the home's mounts, with a kubelet's folder and the node plugin that belongs there. */
export interface Machine {
  readonly name: string;
  /** A process in its mount namespace. */
  readonly pid: number;
  readonly kubelet: string;
  readonly plugin: Plugin;
}

/** Mounts of their own, which go with their processes: a home of several machines whose volumes are real. */
export class Home {
  readonly folder: string;
  readonly mounts: string;
  readonly volumes: string;
  readonly socket: string;
  readonly #program: string;
  readonly #children: ChildProcess[] = [];
  readonly #plugins: Plugin[] = [];
  #holder = 0;
  #disks: ChildProcess | undefined;

  constructor(folder: string, tools: Tools) {
    this.folder = folder;
    this.mounts = join(folder, "mounts");
    this.volumes = join(folder, "volumes");
    this.socket = join(folder, "disks.sock");
    this.#program = toolPath(tools, "volume-stand-in");
  }

  /** The namespace, and in it the program of the disks. */
  async start(): Promise<void> {
    mkdirSync(this.mounts, { recursive: true });
    this.#holder = await this.#hold("unshare", ["--mount", "--propagation", "private"]);
    // So that a machine's namespace can be a slave of it.
    this.run(`mount --make-rshared /`);
    await this.startDisks();
  }

  async startDisks(): Promise<void> {
    const args = [`--directory=${this.volumes}`, `--mounts=${this.mounts}`, `--socket=${this.socket}`];
    this.#disks = this.#spawn("nsenter", [`--mount=/proc/${this.#holder}/ns/mnt`, this.#program, "disks", ...args]);
    await this.#answers(this.socket);
  }

  /** SIGKILL to the program of the disks; its namespace stays. */
  async killDisks(): Promise<void> {
    const ended = new Promise((resolve) => this.#disks?.once("exit", resolve));
    this.#disks?.kill("SIGKILL");
    await ended;
  }

  async machine(name: string): Promise<Machine> {
    const kubelet = join(this.folder, name, "kubelet");
    mkdirSync(join(kubelet, "plugins_registry"), { recursive: true });
    const pid = await this.#hold("nsenter", [
      ...[`--mount=/proc/${this.#holder}/ns/mnt`, "unshare", "--mount", "--propagation", "slave"],
    ]);
    const socket = join(kubelet, "plugins/driver.longhorn.io/csi.sock");
    const args = [`--kubelet-dir=${kubelet}`, `--node-id=${name}`, `--mounts=${this.mounts}`];
    this.#spawn("nsenter", [
      ...[`--mount=/proc/${pid}/ns/mnt`, this.#program, "node", ...args, `--disks-socket=${this.socket}`],
    ]);
    await this.#answers(join(kubelet, "plugins_registry/driver.longhorn.io-reg.sock"));
    const plugin = Plugin.node(socket);
    this.#plugins.push(plugin);
    return { name, pid, kubelet, plugin };
  }

  /** What a shell command prints, in the home or in a machine of it. Fails if it does. */
  run(script: string, machine?: Machine): string {
    const pid = machine?.pid ?? this.#holder;
    const shell = ["nsenter", `--mount=/proc/${pid}/ns/mnt`, "sh", "-ec", script];
    const [executable = "", ...rest] = rootCommand(...shell);
    const { status, stdout, stderr } = spawnSync(executable, rest, { encoding: "utf8", timeout: 60_000 });
    if (status !== 0) {
      throw new Error(`${script}: ${stderr || `ended with ${status ?? "a signal"}`}`);
    }
    return stdout;
  }

  /** SIGKILL to everything: a power cut. */
  async stop(): Promise<void> {
    for (const plugin of this.#plugins.splice(0)) {
      plugin.close();
    }
    const running = this.#children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
    const ended = running.map((child) => new Promise((resolve) => child.once("exit", resolve)));
    for (const child of running) {
      child.kill("SIGKILL");
    }
    await Promise.all(ended);
    this.#children.length = 0;
  }

  /** Lines of losetup and of this machine's own mounts that name the home's folder. */
  left(): readonly string[] {
    const loops = spawnSync("losetup", ["--all"], { encoding: "utf8" }).stdout;
    return `${loops}${readFileSync("/proc/mounts", "utf8")}`.split("\n").filter((line) => line.includes(this.folder));
  }

  /** Starts a process that keeps a namespace, and gives its number. */
  async #hold(command: string, args: readonly string[]): Promise<number> {
    const [executable = "", ...rest] = rootCommand(command, ...args, "sh", "-c", "echo $$; exec sleep 3600");
    const child = this.#spawn(executable, rest, true);
    return new Promise((resolve, reject) => {
      child.stdout?.once("data", (text: Buffer) => {
        resolve(Number(text.toString()));
      });
      child.once("exit", () => {
        reject(new Error(`${command} ended`));
      });
    });
  }

  #spawn(command: string, args: readonly string[], reads = false): ChildProcess {
    const [executable = "", ...rest] = reads ? [command, ...args] : rootCommand(command, ...args);
    const child = spawn(executable, rest, { stdio: ["ignore", reads ? "pipe" : "ignore", "inherit"] });
    this.#children.push(child);
    return child;
  }

  async #answers(socket: string): Promise<void> {
    for (
      let attempt = 0;
      spawnSync("curl", ["-s", "--unix-socket", socket, "-m", "1", "http://x/"]).status === 7;
      attempt += 1
    ) {
      if (attempt > 100) {
        throw new Error(`nobody answers on ${socket}`);
      }
      await sleep(50);
    }
  }
}
