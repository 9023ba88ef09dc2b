import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Stack } from "../../stacks/index.ts";
import { kubeconfigText, logFile, newToken, provideCredentials, secretFile } from "../control-plane.ts";
import { copyStore } from "../images/store.ts";
import type { ProcessPlan } from "../processes.ts";
import { asRoot, isRoot, rootCommand } from "../root.ts";
import { writeFileWhole } from "../state.ts";
import { toolPath } from "../toolchain/ready.ts";
import { controlPlaneNode } from "./addresses.ts";
import { certificate, provideCertificates } from "./certificates.ts";
import { removeCgroupsCommand } from "./cgroups.ts";
import { planFile } from "./enter.ts";
import { type HomeInputs, type HomeMaterial, homePlan, machinePorts, volumePaths } from "./layout.ts";
import type { HomePlan } from "./plan.ts";

/** A kubeconfig of a user with a token, made once. Returns its path, and the line for the API server's file of tokens. */
function user(
  directory: string,
  server: string,
  { name, groups }: { readonly name: string; readonly groups: string },
): { readonly kubeconfig: string; readonly line: string } {
  const key = name.replaceAll(":", "-");
  const token = secretFile(join(directory, "credentials", key), newToken);
  const kubeconfig = join(directory, "credentials", `${key}.kubeconfig`);
  const certificateAuthority = readFileSync(`${certificate(directory, "authority")}.crt`, "utf8");
  writeFileWhole(kubeconfig, kubeconfigText("home", { server, certificateAuthority, token }));
  return { kubeconfig, line: `${token},${name},${name},"${groups}"` };
}

/** A home that can be started, and how its API server is reached. */
export interface Home {
  /** The process that holds everything: see local/tools/home. */
  readonly process: ProcessPlan;
  readonly certificateAuthority: string;
  readonly token: string;
}

/**
 * Takes away what a home that has ended left on this machine: its cgroups and, where it was killed while a volume was frozen
 * for a snapshot, that volume's mount and loop device, which the kernel would keep for ever.
 */
export function cleanHome(directory: string): void {
  const file = planFile(directory);
  if (!existsSync(file)) {
    return;
  }
  const { cgroup, processes } = JSON.parse(readFileSync(file, "utf8")) as HomePlan;
  const [keeper = ""] = processes.find(({ name }) => name === "disks")?.command ?? [];
  const { images, mounts } = volumePaths(directory);
  // A cache that was emptied meanwhile has no such program, and no home ran with it either.
  if (existsSync(keeper)) {
    asRoot([keeper, "release", `--directory=${images}`, `--mounts=${mounts}`], "The volumes must be released");
  }
  asRoot(removeCgroupsCommand(cgroup), "The machines' cgroups must be removed");
}

export function homeName(directory: string): string {
  return `kraft-${createHash("sha256").update(directory).digest("hex").slice(0, 8)}`;
}

/** Gives every node that is new the images of the platform. */
export function provideNodeImages(
  directory: string,
  stack: Stack,
  { store, fingerprint }: HomeMaterial["images"],
): void {
  for (const { name } of stack.nodes) {
    const target = join(directory, "machines", name, "var-lib", "containerd");
    if (!existsSync(target)) {
      copyStore(store, fingerprint, target);
    }
  }
}

/** Writes what the machines of a home need, and its plan. Nothing is started. */
export function prepareHome(inputs: HomeInputs): Home {
  const { stack, directory, tools } = inputs;
  mkdirSync(directory, { recursive: true });
  const { address } = controlPlaneNode(stack);
  provideCertificates(inputs, address);
  const credentials = provideCredentials(directory);
  const server = `https://${address}:${machinePorts.apiServer}`;
  const admin = user(directory, server, { name: "kraft-machines", groups: "system:masters" });
  const proxy = user(directory, server, { name: "system:kube-proxy", groups: "system:node-proxier" });
  const kubelets = stack.nodes.map(({ name: node }) => ({
    node,
    ...user(directory, server, { name: `system:node:${node}`, groups: "system:nodes" }),
  }));
  const tokenFile = join(directory, "credentials", "machines.csv");
  const lines = [admin, proxy, ...kubelets].map(({ line }) => line);
  writeFileWhole(tokenFile, `${readFileSync(credentials.tokenFile, "utf8").trim()}\n${lines.join("\n")}\n`);
  const plan = homePlan({
    ...inputs,
    cgroup: homeName(directory),
    owner: `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`,
    credentials: { ...credentials, tokenFile },
    kubeconfigs: {
      admin: admin.kubeconfig,
      proxy: proxy.kubeconfig,
      kubelets: new Map(kubelets.map(({ node, kubeconfig }) => [node, kubeconfig])),
    },
  });
  const file = planFile(directory);
  const text = JSON.stringify(plan, undefined, 2);
  writeFileWhole(file, text);
  // SIGKILL to a sudo would not reach what it runs.
  const untilSudoEnds = isRoot() ? [] : ["setpriv", "--pdeathsig", "KILL"];
  const [executable = "", ...rest] = rootCommand(...untilSudoEnds, toolPath(tools, "home"), "run", file);
  return {
    process: {
      name: "home",
      executable,
      arguments: rest,
      logFile: logFile(directory, "home"),
      // No program reads it: another plan is another process.
      environment: { KRAFT_PLAN: createHash("sha256").update(text).digest("hex").slice(0, 16) },
    },
    certificateAuthority: readFileSync(`${certificate(directory, "authority")}.crt`, "utf8"),
    token: credentials.token,
  };
}
