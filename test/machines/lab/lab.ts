import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "../../../local/api.ts";

const standIns = join(import.meta.dirname, "..", "stand-ins");

/** Address of the operator's machine in the laboratory's network. */
const operator = "10.77.0.1";

export function run(command: string, ...rest: readonly string[]): string {
  const result = spawnSync(command, rest, { encoding: "utf8" });
  if (result.status !== 0) {
    throw new Error(`${command} ${rest.join(" ")}: ${result.error?.message ?? ""}${result.stdout}${result.stderr}`);
  }
  return result.stdout;
}

/** A machine with a real sshd over a throw-away Debian. */
export class LabNode {
  readonly name: string;
  readonly address: string;
  readonly root: string;
  readonly #recordings: string;
  readonly #number: number;
  #process: ChildProcess | undefined;

  /** @param size of its disk, as tmpfs takes it */
  constructor(folder: string, debian: string, recordings: string, number: number, size: string) {
    this.name = `optiplex-${number}`;
    this.address = `10.77.0.${10 + number}`;
    this.#recordings = recordings;
    this.#number = number;
    const disk = join(folder, this.name);
    this.root = join(disk, "root");
    mkdirSync(disk, { recursive: true });
    run("mount", "-t", "tmpfs", "-o", `size=${size}`, "tmpfs", disk);
    for (const part of ["root", "changes", "work"]) {
      mkdirSync(join(disk, part));
    }
    const options = `lowerdir=${debian},upperdir=${join(disk, "changes")},workdir=${join(disk, "work")}`;
    run("mount", "-t", "overlay", "-o", options, "overlay", this.root);
  }

  /** A user as docs/machines-homelab.md has them, a host key, and the stand-ins. */
  install(publicKey: string): void {
    writeFileSync(join(this.root, "etc", "hostname"), `${this.name}\n`);
    writeFileSync(join(this.root, "etc", "hosts"), `127.0.0.1 localhost ${this.name}\n`);
    this.inside("useradd --create-home --shell /bin/bash kraft && usermod -p '*' kraft");
    this.inside("echo 'kraft ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/kraft");
    this.inside("install -d -o kraft -m 700 /home/kraft/.ssh");
    writeFileSync(join(this.root, "home", "kraft", ".ssh", "authorized_keys"), publicKey);
    this.newHostKey();
    mkdirSync(join(this.root, "var", "lib", "longhorn"));
    const library = join(this.root, "usr", "local", "lib", "stand-ins");
    mkdirSync(library);
    cpSync(join(standIns, "record.sh"), join(library, "record.sh"));
    cpSync(join(standIns, "kubeconfig.yaml"), join(library, "kubeconfig.yaml"));
    for (const name of ["apt-get", "ethtool", "modprobe", "sysctl", "systemctl", "udevadm"]) {
      cpSync(join(standIns, name), join(this.root, "usr", "local", "sbin", name));
    }
  }

  newHostKey(): void {
    this.inside("rm -f /etc/ssh/ssh_host_*; ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key");
  }

  get hostKey(): string {
    const [type, key] = this.read("/etc/ssh/ssh_host_ed25519_key.pub").split(" ");
    return `${type} ${key}`;
  }

  /** Runs a line in the node's file system, whether the node is on or off. */
  inside(line: string): string {
    return run("chroot", this.root, "/bin/bash", "-ec", line);
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), "utf8");
  }

  exists(path: string): boolean {
    return existsSync(join(this.root, path));
  }

  get isOn(): boolean {
    return this.#process?.exitCode === null && this.#process.signalCode === null;
  }

  async powerOn(): Promise<void> {
    const card = `node${this.#number}`;
    run(
      "ip",
      "link",
      "add",
      card,
      "type",
      "veth",
      "peer",
      "name",
      "eth0",
      "address",
      `02:00:00:00:00:0${this.#number}`,
    );
    run("ip", "link", "set", card, "master", "lan", "up");
    const isolated = ["--net", "--pid", "--mount", "--uts", "--fork", "--kill-child"];
    const script = [join(standIns, "node.sh"), this.root, this.name, this.address, this.#recordings];
    const child = spawn("unshare", [...isolated, ...script], { stdio: ["ignore", "ignore", "pipe"] });
    this.#process = child;
    let said = "";
    child.stderr.on("data", (text: Buffer) => (said += text.toString("utf8")));
    // The namespaces are those of unshare's child.
    let pid = "";
    await eventually(() => {
      pid = spawnSync("pgrep", ["-P", String(child.pid)], { encoding: "utf8" }).stdout.trim();
      return Promise.resolve(pid !== "");
    }, 5);
    run("ip", "link", "set", "eth0", "netns", pid);
    const on = await eventually(() => Promise.resolve(said.includes("Server listening on")), 20);
    if (!on) {
      throw new Error(`${this.name} does not start: ${said}`);
    }
  }

  /** As when the plug is pulled. */
  async powerOff(): Promise<void> {
    const child = this.#process;
    if (child !== undefined && this.isOn) {
      const ended = new Promise((done) => child.once("exit", done));
      child.kill("SIGKILL");
      await ended;
    }
    this.#process = undefined;
    spawnSync("ip", ["link", "delete", `node${this.#number}`]);
  }
}

/** Three machines, the network between them and the operator, and a server with releases of the stand-in for k3s. */
export class Lab {
  readonly folder = mkdtempSync(join(tmpdir(), "kraft-machines-"));
  readonly nodes: readonly LabNode[];
  readonly privateKey: string;
  readonly releases = `http://${operator}:8080`;
  /** What the server does to a release on its way. */
  tamper: ((program: string) => string) | undefined;
  readonly #recordings = join(this.folder, "recordings");
  readonly #changed = new Set<string>();
  readonly #server: Server;

  constructor(debian: string) {
    mkdirSync(this.#recordings);
    run("ip", "link", "set", "lo", "up");
    run("ip", "link", "add", "lan", "type", "bridge");
    run("ip", "address", "add", `${operator}/24`, "dev", "lan");
    run("ip", "link", "set", "lan", "up");
    const key = join(this.folder, "key");
    this.nodes = [1, 2, 3].map((number) => new LabNode(this.folder, debian, this.#recordings, number, "64m"));
    this.#first.inside("ssh-keygen -q -t ed25519 -N '' -f /tmp/key");
    cpSync(join(this.#first.root, "tmp", "key"), key);
    this.privateKey = readFileSync(key, "utf8");
    for (const node of this.nodes) {
      node.install(this.#first.read("/tmp/key.pub"));
    }
    this.#first.inside("rm /tmp/key /tmp/key.pub");
    this.#server = createServer((request, response) => {
      const [, version = "", file = ""] = decodeURIComponent(request.url ?? "").split("/");
      const program = readFileSync(join(standIns, "k3s"), "utf8").replace("version=VERSION", `version=${version}`);
      const digest = createHash("sha256").update(program).digest("hex");
      this.#record(`release ${version} ${file}`);
      response.end(file === "k3s" ? (this.tamper?.(program) ?? program) : `${digest}  k3s\n`);
    });
  }

  get #first(): LabNode {
    const [first] = this.nodes;
    if (first === undefined) {
      throw new Error("the laboratory has no node");
    }
    return first;
  }

  async start(): Promise<void> {
    await new Promise<void>((done) => this.#server.listen(8080, operator, done));
    for (const node of this.nodes) {
      await node.powerOn();
    }
  }

  /** Everything that the stand-ins were called with since the last time, in order, as `<node> <command>`. */
  takeCalls(): string[] {
    const file = join(this.#recordings, "calls");
    const text = existsSync(file) ? readFileSync(file, "utf8") : "";
    rmSync(file, { force: true });
    return text.split("\n").filter((line) => line !== "");
  }

  /** Changes what the stand-ins do. */
  set(name: string, content: string | undefined): void {
    if (content === undefined) {
      rmSync(join(this.#recordings, name));
      this.#changed.delete(name);
    } else {
      writeFileSync(join(this.#recordings, name), content);
      this.#changed.add(name);
    }
  }

  /** What a test that failed left: machines that are off, stand-ins that misbehave, calls that nobody looked at. */
  async tidy(): Promise<void> {
    for (const name of [...this.#changed]) {
      this.set(name, undefined);
    }
    this.tamper = undefined;
    for (const node of this.nodes) {
      if (!node.isOn) {
        await node.powerOff();
        await node.powerOn();
      }
    }
    this.takeCalls();
  }

  recorded(text: string): boolean {
    const file = join(this.#recordings, "calls");
    return existsSync(file) && readFileSync(file, "utf8").includes(text);
  }

  #record(line: string): void {
    writeFileSync(join(this.#recordings, "calls"), `operator ${line}\n`, { flag: "a" });
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    for (const node of this.nodes) {
      await node.powerOff();
      run("umount", node.root);
      run("umount", join(node.root, ".."));
    }
    rmSync(this.folder, { recursive: true });
  }
}
