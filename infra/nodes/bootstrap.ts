import * as pulumi from "@pulumi/pulumi";
import { refuse } from "../../errors/problem.ts";
import type { Stack } from "../../stacks/index.ts";
import { describedStack } from "../config/described-stack.ts";
import { machinesOf, nodesOf } from "../config/model-of.ts";
import { parse, type RawConfig } from "../config/parse.ts";
import { record } from "../config/pulumi-files.ts";
import { nodeAddressProblems } from "../config/rules/addresses.ts";
import { machineProblems } from "../config/rules/machines.ts";
import type { Config } from "../config/schema.ts";
import { declareNodes } from "./declare.ts";

/** Keys that the machines need, by what runs on them. */
const neededKeys = {
  k3s: /^kraft:(nodes|machines|machineKey|k3sToken)\b/,
  talos: /^kraft:(cluster\.(kubeconfig|context)|nodes|machines|talosSecrets|diskPassphrase)\b/,
};

/** Declares the machines and nothing else; `pulumi stack output` shows what is next. Throws a ConfigError naming every problem of the keys that they need. */
export async function bootstrap(known: Stack, raw: RawConfig) {
  const stack = describedStack(known, raw);
  const { config: parsed, problems } = parse(raw);
  // What only the platform needs can wait for the next preview. So can the UID of a cluster that does not exist yet.
  const config: Partial<Config> = { ...parsed, cluster: undefined };
  const keys = neededKeys[stack.distribution === "talos" ? "talos" : "k3s"];
  refuse(stack.name, [
    ...problems.filter(({ key }) => keys.test(key)),
    ...nodeAddressProblems(stack, config),
    ...machineProblems(stack, config, problems),
  ]);
  const { nodes = {} } = config;
  const machines = machinesOf(stack, { ...config, nodes });
  if (machines === undefined) {
    throw new Error("needsBootstrap was not asked");
  }
  const { kubeconfig, context } = record(raw.values["cluster"]) as Pick<Config["cluster"], "kubeconfig" | "context">;
  declareNodes(stack, nodesOf(stack, nodes), machines, { kubeconfig, context });
  const [what, next] =
    machines.distribution === "k3s"
      ? [
          "machines are",
          `npx kraft host-kubeconfig -s ${stack.name}: it fetches the kubeconfig and says what to set kraft:cluster.uid to.`,
        ]
      : [
          "machine is",
          `kubectl --kubeconfig ${kubeconfig} --context ${context} get namespace kube-system -o jsonpath='{.metadata.uid}', ` +
            "then: pulumi config set --path kraft:cluster.uid <that UID>.",
        ];
  const after = `${next} The platform is declared after that.`;
  await pulumi.log.info(`Only the ${what} declared: kraft:cluster.uid names no cluster yet.\nAfter \`up\`: ${after}`);
  return { next: after };
}
