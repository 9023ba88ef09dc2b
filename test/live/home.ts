// The one home that all tests of this folder share: brought up before the first of them, and removed after the last, also
// when the process is ended.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { after, before } from "node:test";
import * as k8s from "@kubernetes/client-node";
import { parse } from "yaml";
import { Api as ClusterApi } from "../../cluster/api.ts";
import { condition } from "../../cluster/objects.ts";
import { labelled, paths } from "../../cluster/paths.ts";
import { tenantNames } from "../../components/plan/names.ts";
import { Api } from "../../local/api.ts";
import { engineFolder } from "../../local/engine.ts";
import { visitor } from "../../local/home/addresses.ts";
import { runInMachine } from "../../local/home/enter.ts";
import { obstacle, surroundings } from "../../local/home/possible.ts";
import { readState } from "../../local/state.ts";
import { removeCluster, removeIfAbandoned } from "../cluster/abandoned.ts";
import { eventually } from "../cluster/embedded.ts";
import { type Ended, kraft } from "../fixtures/kraft/command.ts";

export const tenant = "acme";
export const { namespace } = tenantNames(tenant);

/** Everything of the home is in this folder. */
export const directory = join(mkdtempSync(join(tmpdir(), "kraft-live-")), "local");

/** The visitor's file of the certificate authority's root certificates. */
export const roots = join(directory, "internet", "roots.pem");

/** What the run that brought the home up printed. */
export let firstUp: string;
let hostApi: Api | undefined;
let guestConfig: k8s.KubeConfig | undefined;
let guestApi: ClusterApi | undefined;
const keep = removeIfAbandoned(directory);

before(async () => {
  const reason = obstacle(surroundings());
  assert.equal(reason, undefined, `this machine cannot run the live tests: ${reason ?? ""}`);
  firstUp = await bringUp();
});

after(remove);

let removed = false;

/** Removes the home, once. */
export async function remove(): Promise<void> {
  if (!removed) {
    removed = true;
    disconnect();
    await removeCluster(directory);
    keep();
  }
}

function disconnect(): void {
  hostApi?.close();
  hostApi = undefined;
  guestApi = undefined;
  guestConfig = undefined;
}

/** Runs what `npm run local` does; gives what it printed. Fails the test if it does not succeed. */
export async function bringUp(): Promise<string> {
  disconnect();
  const child = spawn(process.execPath, [join(import.meta.dirname, "up.ts"), directory], {
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

/** Runs the operator's tool on the home's stack. */
export function tool(...commandArguments: readonly string[]): Promise<Ended> {
  return kraft([...commandArguments, "--directory", engineFolder(directory)]);
}

/** The port of this machine that leads to the home's public address. */
export function websecure(): number {
  return readState(directory)?.ports?.websecure ?? assert.fail("no home runs");
}

/** The host's API server, as its administrator. */
export function host(): Api {
  if (hostApi === undefined) {
    const file = parse(readFileSync(join(directory, "kubeconfig.yaml"), "utf8")) as {
      readonly clusters: readonly [{ readonly cluster: Readonly<Record<string, string>> }];
      readonly users: readonly [{ readonly user: { readonly token: string } }];
    };
    const { cluster } = file.clusters[0];
    hostApi = new Api({
      server: cluster["server"] ?? "",
      certificateAuthority: Buffer.from(cluster["certificate-authority-data"] ?? "", "base64").toString("utf8"),
      token: file.users[0].user.token,
    });
  }
  return hostApi;
}

/** A kubeconfig that the tool handed out, over the loopback address: only the home's own internet knows the name in it. */
export function overLoopback(text: string): k8s.KubeConfig {
  const config = new k8s.KubeConfig();
  config.loadFromString(text);
  const cluster = config.getCurrentCluster() ?? assert.fail(text);
  const { hostname } = new URL(cluster.server);
  config.clusters = [{ ...cluster, server: `https://127.0.0.1:${websecure()}`, tlsServerName: hostname }];
  return config;
}

/** The tenant's kubeconfig. */
export async function guestKubeconfig(): Promise<k8s.KubeConfig> {
  if (guestConfig === undefined) {
    const { stdout, stderr, code } = await tool("kubeconfig", tenant);
    assert.equal(code, 0, stderr);
    guestConfig = overLoopback(stdout);
  }
  return guestConfig;
}

/** The guest's API server, as the tenant, through the router and Traefik. */
export async function guest(): Promise<ClusterApi> {
  if (guestApi === undefined) {
    const config = await guestKubeconfig();
    const server = config.getCurrentCluster()?.server ?? "";
    const options = {};
    await config.applyToHTTPSOptions(options);
    guestApi = new ClusterApi({ server, options, where: `the guest ${tenant}` });
  }
  return guestApi;
}

/** What a command prints in a pod of the guest, and how it ended, by the guest's API. */
export async function inPod(pod: string, ...command: readonly string[]): Promise<{ code: number; text: string }> {
  const exec = new k8s.Exec(await guestKubeconfig());
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

/** What a command prints at the visitor's, on the internet. Fails the test if the command does. */
export function atVisitor(...command: readonly string[]): string {
  const { status, stdout, stderr } = runInMachine(directory, visitor.name, ...command);
  assert.equal(status, 0, `${command.join(" ")}: ${stdout}${stderr}`);
  return stdout;
}

/** What an https address answers the visitor, who trusts the internet's certificate authority only; why not, if it does not. */
export function visited(url: string): string {
  const { status, stdout, stderr } = runInMachine(
    directory,
    visitor.name,
    ...["curl", "-sS", "--max-time", "5", "--cacert", roots, url],
  );
  return status === 0 ? stdout : `curl ended with ${status ?? "a signal"}: ${stderr}`;
}

/** The name of the one pod of the guest with a label `app`, once it is Ready and, if that is asked, on a node. */
export function readyPod(app: string, node?: string, seconds = 90): Promise<string> {
  return eventually(
    `a pod of ${app} that is ready${node === undefined ? "" : ` on ${node}`}`,
    async () => {
      const pods = await (await guest()).list(labelled(paths.pods.in("default"), `app=${app}`));
      const ready = pods.filter(({ status }) => condition(status, "Ready")?.status === "True");
      const [pod] = ready.filter(({ spec }) => node === undefined || spec?.nodeName === node);
      return pods.length === 1 ? pod?.metadata.name : undefined;
    },
    seconds,
  );
}
