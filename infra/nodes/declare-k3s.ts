import { refuse } from "../../errors/problem.ts";
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { K3sNodes } from "../../components/k3s-nodes.ts";
import type { K3sClusterPlan } from "../../components/plan/machines/node-script.ts";
import type { Stack } from "../../stacks/index.ts";
import { machineProblems } from "../config/rules/k3s-machines.ts";
import { nodeProblems } from "../config/rules/node-addresses.ts";
import { parse, type RawConfig } from "../config/parse.ts";
import { machinesOf, machinesPlan, type MachineConfig, type Machines } from "./k3s.ts";

function script(name: string): string {
  return readFileSync(new URL(`../../components/nodes/k3s/${name}.sh`, import.meta.url), "utf8");
}

/** The texts of a node's scripts. */
export function nodeScripts(): { readonly node: readonly string[]; readonly token: string } {
  const parts = ["common", "prepare", "health", "install", "join", "node"];
  return { node: parts.map(script), token: script("token") };
}

/** Declares the machines of a stack. */
export function declareMachines(plan: K3sClusterPlan, machines: Machines): K3sNodes {
  const { secrets, nodes, user } = machines;
  return new K3sNodes("machines", {
    plan,
    scripts: nodeScripts(),
    ssh: {
      user,
      privateKey: pulumi.secret(secrets.machineKey),
      hostKeys: Object.fromEntries(nodes.map(({ name, hostKey }) => [name, hostKey])),
    },
    token: pulumi.secret(secrets.k3sToken),
  });
}

/** The UID in a stack file whose cluster does not exist yet. */
const placeholderUid = /^0{8}-/;

/**
 * Whether a stack's machines come first: Kraft is to set them up, and which cluster they form is not known yet. Without a
 * kubeconfig nothing else can be declared.
 */
export function machinesComeFirst(stack: Stack | undefined, raw: RawConfig): stack is Stack {
  const { machines, cluster } = raw.values;
  const { uid } = (cluster ?? {}) as { readonly uid?: unknown };
  return (
    stack?.distribution === "k3s" &&
    typeof machines === "object" &&
    machines !== null &&
    Object.keys(machines).length > 0 &&
    (typeof uid !== "string" || placeholderUid.test(uid))
  );
}

/** What `pulumi stack output` shows while only the machines are declared. */
export interface MachinesOutputs {
  readonly next: string;
}

/**
 * Declares the machines and nothing else.
 *
 * @throws ConfigError naming every problem of the keys that this needs.
 */
export async function firstMachines(stack: Stack, raw: RawConfig): Promise<MachinesOutputs> {
  const { config, problems } = parse(raw);
  // A cluster that is not there yet is what brings us here; what only the platform needs is for the next preview.
  const { cluster: _cluster, ...known } = config;
  const names = stack.nodes.map(({ name }) => name);
  const needed = problems.filter(({ key }) => /^kraft:(nodes|machines|machineKey|k3sToken)\b/.test(key));
  const cross = known.nodes === undefined ? [] : nodeProblems(known.nodes, names);
  refuse(stack.name, [...needed, ...cross, ...machineProblems(stack, known)]);
  const machines = machinesOf(stack, known as MachineConfig);
  if (machines === undefined) {
    throw new Error("machinesComeFirst has not been asked");
  }
  declareMachines(machinesPlan(stack, machines), machines);
  const next =
    `npm run kraft -- host-kubeconfig ${stack.name}: it fetches the kubeconfig and says what to set kraft:cluster.uid ` +
    "to. The platform is declared after that.";
  await pulumi.log.info(
    `Only the machines are declared: kraft:cluster.uid names no cluster yet.\nAfter \`up\`: ${next}`,
  );
  return { next };
}
