import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { kubeconfigPath } from "../../cluster/kubeconfig.ts";
import { Failure } from "../../errors/failure.ts";
import { ConfigError, show } from "../../errors/problem.ts";
import { defaultUser } from "../../infra/config/keys/host.ts";
import { nodesOf } from "../../infra/config/model-of.ts";
import { machineProblems } from "../../infra/config/rules/machines.ts";
import { configSchema } from "../../infra/config/schema.ts";
import { keysOf, type StackFile } from "../../infra/config/stack-file.ts";
import { stackFileOf } from "../cli/choice.ts";
import type { Run } from "../cli/verb.ts";
import { checkTarget, writeCredential } from "../kubeconfig/file.ts";
import { rewriteKubeconfig, validityText } from "../kubeconfig/rewrite.ts";
import { askNodes } from "./host-kubeconfig.ts";

export const run: Run<{ readonly key?: string; readonly force?: true }> = async (given, output) => {
  const { key, force = false } = given;
  const file = stackFileOf(given);
  const stack = file.stack.name;
  const target = targetOf(file);
  checkTarget(target.path, force);
  const { node, uid, kubeconfig } = await output.during(
    `asking ${target.nodes.map(({ name }) => name).join(", ")}`,
    askNodes(target.nodes, target.user, key),
  );
  const setUid = `pulumi config set --path kraft:cluster.uid ${uid} -s ${stack}`;
  if (target.uid !== undefined && target.uid !== uid) {
    throw new Failure(
      `${node.name} belongs to the cluster ${uid}, and ${file.name} names ${target.uid}; nothing was written\n` +
        `  only if the cluster was rebuilt: ${setUid}`,
    );
  }
  const server = `https://${target.api ?? node.address}:6443`;
  const { text, expires } = rewriteKubeconfig(kubeconfig, target.context, server, "k3s");
  mkdirSync(dirname(target.path), { recursive: true, mode: 0o700 });
  writeCredential(target.path, text, force);
  output.note(`Written to ${target.path}, context ${target.context}, from ${node.name}.`);
  output.note(`It ${validityText(expires, new Date())}.`);
  if (target.uid === undefined) {
    output.note(`Next: ${setUid}`);
  }
  return {
    json: { stack, node: node.name, server, uid, expires: expires?.toISOString() ?? null, file: target.path },
    text: [],
  };
};

/**
 * What a stack file says about its machines and its kubeconfig, whatever else is wrong with it or still missing. A ConfigError
 * names what is wrong with these keys; a Failure says that Kraft does not run the machines.
 */
function targetOf(file: StackFile) {
  const { machines, nodes } = keysOf(file, ["machines", "nodes"]);
  if (machines === undefined) {
    throw new Failure(
      `${file.name} has no kraft:machines: its machines are set up by hand, and so is the kubeconfig\n` +
        "  see docs/first-steps.md",
    );
  }
  if (file.stack.distribution === "talos") {
    throw new Failure(
      `${file.name} is on Talos, where pulumi up itself leaves the kubeconfig where kraft:cluster.kubeconfig says\n` +
        "  to have it written anew: change kraft:machines.again, then pulumi up",
    );
  }
  const missing = machineProblems(file.stack, { machines, nodes }, []).filter(
    ({ key }) => !/(machineKey|k3sToken)$/.test(key),
  );
  if (missing.length > 0) {
    throw new ConfigError(file.name, missing);
  }
  const written = (file.raw.values["cluster"] ?? {}) as Readonly<Record<string, unknown>>;
  const { shape } = configSchema.shape.cluster;
  const text = (key: "kubeconfig" | "context"): string => {
    const result = shape[key].safeParse(written[key]);
    if (!result.success) {
      const [allowed = "", fix = ""] = result.error.issues[0]?.message.split("\n") ?? [];
      throw new ConfigError(file.name, [{ key: `kraft:cluster.${key}`, found: show(written[key]), allowed, fix }]);
    }
    return result.data;
  };
  return {
    nodes: nodesOf(file.stack, nodes).map(({ name, address, hostKey = "" }) => ({ name, address, hostKey })),
    user: machines.user ?? defaultUser,
    /** Name of the API server; undefined for the address of the node that answers. */
    api: machines.api,
    path: kubeconfigPath(text("kubeconfig"), file.directory),
    context: text("context"),
    /** The cluster that the stack file names; undefined before the first one. */
    uid: shape.uid.safeParse(written["uid"]).data,
  };
}
