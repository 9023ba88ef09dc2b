// An embedded home with real pods, as tests and rehearsals use it: brought up by a process of its own, looked at as its
// administrator, as a tenant and as a visitor, and removed.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import * as k8s from "@kubernetes/client-node";
import { parse } from "yaml";
import { Api as ClusterApi } from "../../cluster/api.ts";
import { condition } from "../../cluster/objects.ts";
import { labelled, paths } from "../../cluster/paths.ts";
import { Api } from "../../local/api.ts";
import { engineFolder } from "../../local/engine.ts";
import { visitor } from "../../local/home/addresses.ts";
import { runInMachine } from "../../local/home/enter.ts";
import { readState } from "../../local/state.ts";
import { removeCluster, removeIfAbandoned } from "../cluster/abandoned.ts";
import { type Config, eventually } from "../cluster/embedded.ts";
import { type Ended, kraft } from "../fixtures/kraft/command.ts";

/** Where a new home may be, in a folder that is its alone. */
export function newHomeDirectory(stack = "local"): string {
  return join(mkdtempSync(join(tmpdir(), "kraft-live-")), stack);
}

/** What a command printed in a pod, and how it ended. */
export interface EndedInPod {
  readonly code: number;
  readonly text: string;
}

/** A home of a stack in a folder. It is removed by `remove`, or with this process, also when that is ended. */
export class EmbeddedHome {
  readonly directory: string;
  readonly stack: string;
  readonly #keep: () => void;
  readonly #guests = new Map<string, Guest>();
  #host: Api | undefined;
  #removed = false;

  /** @param directory whose parent folder is this home's alone, and goes with it. Default: a new one */
  constructor(directory?: string, stack = "local") {
    this.directory = directory ?? newHomeDirectory(stack);
    this.stack = stack;
    this.#keep = removeIfAbandoned(this.directory);
  }

  /** The visitor's file of the certificate authority's root certificates. */
  get roots(): string {
    return join(this.directory, "internet", "roots.pem");
  }

  /**
   * Runs what `npm run local` does; gives what it printed. Fails if it does not succeed.
   *
   * @param config Keys that win over those of the stack file.
   */
  async bringUp(config: Config = {}): Promise<string> {
    this.#disconnect();
    const script = join(import.meta.dirname, "up.ts");
    const child = spawn(process.execPath, [script, this.directory, JSON.stringify(config), this.stack], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const end = (): void => void child.kill();
    process.once("exit", end);
    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (text: string) => (output[name] += text));
    }
    const code = await new Promise((resolve) => child.once("close", resolve));
    process.off("exit", end);
    assert.equal(code, 0, `${output.stdout}\n${output.stderr}`);
    return output.stdout;
  }

  /** Removes the home and the folder around it, once. */
  async remove(): Promise<void> {
    if (!this.#removed) {
      this.#removed = true;
      this.#disconnect();
      await removeCluster(this.directory);
      this.#keep();
    }
  }

  /** Runs the operator's tool on the home's stack. */
  tool(...commandArguments: readonly string[]): Promise<Ended> {
    return kraft([...commandArguments, "--directory", engineFolder(this.directory)]);
  }

  /** The host's API server, as its administrator. */
  host(): Api {
    if (this.#host === undefined) {
      const file = parse(readFileSync(join(this.directory, "kubeconfig.yaml"), "utf8")) as {
        readonly clusters: readonly [{ readonly cluster: Readonly<Record<string, string>> }];
        readonly users: readonly [{ readonly user: { readonly token: string } }];
      };
      const { cluster } = file.clusters[0];
      this.#host = new Api({
        server: cluster["server"] ?? "",
        certificateAuthority: Buffer.from(cluster["certificate-authority-data"] ?? "", "base64").toString("utf8"),
        token: file.users[0].user.token,
      });
    }
    return this.#host;
  }

  /** A tenant's guest, as the tenant sees it. */
  guest(tenant: string): Guest {
    const known = this.#guests.get(tenant) ?? new Guest(this, tenant);
    this.#guests.set(tenant, known);
    return known;
  }

  /** The port of this machine that leads to the home's public address. */
  websecure(): number {
    return readState(this.directory)?.ports?.websecure ?? assert.fail("no home runs");
  }

  /** What a command prints at the visitor's, on the internet. Fails if the command does. */
  atVisitor(...command: readonly string[]): string {
    const { status, stdout, stderr } = runInMachine(this.directory, visitor.name, ...command);
    assert.equal(status, 0, `${command.join(" ")}: ${stdout}${stderr}`);
    return stdout;
  }

  /**
   * What an https address answers the visitor, who trusts the internet's certificate authority only; why not, if it does not.
   *
   * @param roots File of the root certificates that the visitor trusts. Default: all that the authority had
   */
  visited(url: string, roots = this.roots): string {
    const { status, stdout, stderr } = runInMachine(
      this.directory,
      visitor.name,
      ...["curl", "-sS", "--max-time", "5", "--cacert", roots, url],
    );
    return status === 0 ? stdout : `curl ended with ${status ?? "a signal"}: ${stderr}`;
  }

  #disconnect(): void {
    this.#host?.close();
    this.#host = undefined;
    this.#guests.clear();
  }
}

/** A tenant's guest cluster, reached with the kubeconfig that the operator hands out, through the router and Traefik. */
export class Guest {
  readonly tenant: string;
  readonly #home: EmbeddedHome;
  #config: k8s.KubeConfig | undefined;
  #api: ClusterApi | undefined;

  constructor(home: EmbeddedHome, tenant: string) {
    this.#home = home;
    this.tenant = tenant;
  }

  /** A kubeconfig that the tool handed out, over the loopback address: only the home's own internet knows the name in it. */
  overLoopback(text: string): k8s.KubeConfig {
    const config = new k8s.KubeConfig();
    config.loadFromString(text);
    const cluster = config.getCurrentCluster() ?? assert.fail(text);
    const { hostname } = new URL(cluster.server);
    config.clusters = [{ ...cluster, server: `https://127.0.0.1:${this.#home.websecure()}`, tlsServerName: hostname }];
    return config;
  }

  /** The tenant's kubeconfig. */
  async kubeconfig(): Promise<k8s.KubeConfig> {
    if (this.#config === undefined) {
      const { stdout, stderr, code } = await this.#home.tool("kubeconfig", this.tenant);
      assert.equal(code, 0, stderr);
      this.#config = this.overLoopback(stdout);
    }
    return this.#config;
  }

  /** The guest's API server, as the tenant. */
  async api(): Promise<ClusterApi> {
    if (this.#api === undefined) {
      const config = await this.kubeconfig();
      const server = config.getCurrentCluster()?.server ?? "";
      const options = {};
      await config.applyToHTTPSOptions(options);
      this.#api = new ClusterApi({ server, options, where: `the guest ${this.tenant}` });
    }
    return this.#api;
  }

  /** What a command prints in a pod of the namespace `default`, and how it ended, by the guest's API. */
  async inPod(pod: string, ...command: readonly string[]): Promise<EndedInPod> {
    const exec = new k8s.Exec(await this.kubeconfig());
    const out = new PassThrough();
    let text = "";
    out.on("data", (part: Buffer) => (text += part.toString("utf8")));
    const code = await new Promise<number>((resolve, reject) => {
      const done = (status: k8s.V1Status): void => {
        const cause = status.details?.causes?.find(({ reason }) => reason === "ExitCode");
        if (status.status === "Success" || cause?.message !== undefined) {
          resolve(Number(cause?.message ?? 0));
        } else {
          reject(new Error(status.message));
        }
      };
      exec.exec("default", pod, "", [...command], out, out, null, false, done).catch(reject);
    });
    return { code, text };
  }

  /** The name of the one pod with a label `app`, once it is Ready and, if that is asked, on a node. */
  readyPod(app: string, node?: string, seconds = 90): Promise<string> {
    return eventually(
      `a pod of ${app} that is ready${node === undefined ? "" : ` on ${node}`}`,
      async () => {
        const pods = await (await this.api()).list(labelled(paths.pods.in("default"), `app=${app}`));
        const ready = pods.filter(({ status }) => condition(status, "Ready")?.status === "True");
        const [pod] = ready.filter(({ spec }) => node === undefined || spec?.nodeName === node);
        return pods.length === 1 ? pod?.metadata.name : undefined;
      },
      seconds,
    );
  }
}
