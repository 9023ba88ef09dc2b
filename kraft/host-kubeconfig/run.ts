import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { Failure } from "../../errors/failure.ts";
import { stackFileOf } from "../cli/choice.ts";
import type { Run } from "../cli/verb.ts";
import { checkTarget, writeCredential } from "../kubeconfig/file.ts";
import { rewriteKubeconfig, validityText } from "../kubeconfig/rewrite.ts";
import { askNodes } from "./host-kubeconfig.ts";
import { targetOf } from "./target.ts";

interface Given {
  readonly key?: string;
  readonly force?: true;
}

export const run: Run<Given> = async (given, output) => {
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
