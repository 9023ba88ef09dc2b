import { refuse } from "../../errors/problem.ts";
import * as pulumi from "@pulumi/pulumi";
import { hostTraits } from "../../components/plan/machines/machine.ts";
import { TalosNodes } from "../../components/talos-nodes.ts";
import type { Stack } from "../../stacks/index.ts";
import { nodeProblems } from "../config/rules/node-addresses.ts";
import { talosProblems } from "../config/rules/talos-machines.ts";
import { parse, type RawConfig } from "../config/parse.ts";
import { talosMachinesOf, type TalosConfig, type TalosMachines } from "./talos.ts";

/**
 * Declares the machine of a stack.
 *
 * @param kubeconfig Where the stack file says that it is, and which context.
 * @throws Error where the stack is not one machine whose make-up and Talos are described: nothing of an operator's.
 */
export function declareTalos(
  stack: Stack,
  machines: TalosMachines,
  kubeconfig: { readonly file: string; readonly context: string },
): TalosNodes {
  const [node, ...others] = stack.nodes;
  const { talosVersion, talosBornWith } = stack;
  if (node?.machine === undefined || others.length > 0 || talosVersion === undefined || talosBornWith === undefined) {
    throw new Error(`stacks/${stack.name}.ts has to describe one machine, with the version of its Talos`);
  }
  return new TalosNodes("machines", {
    cluster: `kraft-${stack.name}`,
    kubeconfig,
    node: {
      name: node.name,
      machine: node.machine,
      longhornGiB: node.longhornGiB,
      address: machines.address,
      drives: machines.drives,
    },
    traits: hostTraits(stack.distribution, stack.nodes.length),
    talosVersion,
    bornWith: talosBornWith,
    kubernetesVersion: stack.kubernetesVersion,
    network: { podCidr: stack.network.podCidr, serviceCidr: stack.network.serviceCidr },
    init: machines.init,
    snapshots: `${kubeconfig.file.replace(/\.ya?ml$/, "")}-etcd`,
    ...(machines.again === undefined ? {} : { again: machines.again }),
    secrets: pulumi.secret(machines.secrets.talosSecrets),
    recoveryPassphrase: pulumi.secret(machines.secrets.diskPassphrase),
  });
}

/** What `pulumi stack output` shows while only the machine is declared. */
export interface TalosOutputs {
  readonly next: string;
}

/**
 * Whether a stack's machine comes first: Kraft is to set it up, and which cluster it becomes is not known yet. Without a
 * kubeconfig nothing else can be declared.
 */
export function talosComesFirst(stack: Stack | undefined, raw: RawConfig): stack is Stack {
  const { machines, cluster } = raw.values;
  const { uid } = (cluster ?? {}) as { readonly uid?: unknown };
  return (
    stack?.distribution === "talos" &&
    typeof machines === "object" &&
    machines !== null &&
    Object.keys(machines).length > 0 &&
    (typeof uid !== "string" || /^0{8}-/.test(uid))
  );
}

/**
 * Declares the machine and nothing else.
 *
 * @throws ConfigError naming every problem of the keys that this needs.
 */
export async function firstTalos(stack: Stack, raw: RawConfig): Promise<TalosOutputs> {
  const { config, problems } = parse(raw);
  // What only the platform needs is for the next preview, and so is the UID of a cluster that is not there yet.
  const { cluster: _cluster, ...known } = config;
  const needed = problems.filter(({ key }) =>
    /^kraft:(cluster\.(kubeconfig|context)|nodes|machines|talosSecrets|diskPassphrase)\b/.test(key),
  );
  const names = stack.nodes.map(({ name }) => name);
  const cross = known.nodes === undefined ? [] : nodeProblems(known.nodes, names);
  refuse(stack.name, [...needed, ...cross, ...talosProblems(stack, known, problems)]);
  const machines = talosMachinesOf(stack, known as TalosConfig);
  const { kubeconfig, context } = raw.values["cluster"] as { readonly kubeconfig: string; readonly context: string };
  if (machines === undefined) {
    throw new Error("talosComesFirst has not been asked");
  }
  declareTalos(stack, machines, { file: kubeconfig, context });
  const next =
    `kubectl --kubeconfig ${kubeconfig} --context ${context} get namespace kube-system -o jsonpath='{.metadata.uid}', ` +
    "then: pulumi config set --path kraft:cluster.uid <that UID>. The platform is declared after that.";
  await pulumi.log.info(`Only the machine is declared: kraft:cluster.uid names no cluster yet.\nAfter \`up\`: ${next}`);
  return { next };
}
