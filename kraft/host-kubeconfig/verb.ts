import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { exitCodes, type Verb } from "../cli/verb.ts";

interface Options {
  readonly key?: string;
  readonly force?: true;
}

/**
 * `kraft host-kubeconfig [stack]`: fetches the host cluster's own kubeconfig from a node to where the stack file has it.
 *
 * With `--json`: `{ stack, node, server, uid, expires, file }`; `expires` is RFC 3339 or null.
 */
export const hostKubeconfig: Verb<Options> = {
  name: "host-kubeconfig",
  summary: "fetch the host cluster's kubeconfig from a node, to where the stack file has it",
  details:
    "For machines that Kraft runs k3s on (kraft:machines). It asks over ssh, and talks to no node but one that proves the\n" +
    "host key in the stack file. The file makes its owner administrator of everything, for a year: k3s renews the\n" +
    "certificate when it is restarted within its last 120 days; fetch it again then, with --force.",
  examples: ["host-kubeconfig homelab --key ~/.ssh/kraft", "host-kubeconfig homelab --force"],
  define(command) {
    command
      .argument("[stack]", "stack to fetch it for")
      .option("--key <file>", "private key of the user on the nodes; default: what ssh uses by itself")
      .option("--force", "replace a file that is there already");
  },
  async run({ operands: [name], options, output }) {
    const [{ directoryOf, stackNamed, chosenStackFile }, files, { targetOf }, { askNodes }, { rewriteKubeconfig }] =
      await Promise.all([
        import("../cli/choice.ts"),
        import("../kubeconfig/file.ts"),
        import("./target.ts"),
        import("./host-kubeconfig.ts"),
        import("../kubeconfig/rewrite.ts"),
      ]);
    const [{ readStackFile }, { distance, moment }, { Failure }] = await Promise.all([
      import("../../infra/config/stack-file.ts"),
      import("../cli/moment.ts"),
      import("../../errors/failure.ts"),
    ]);
    const directory = directoryOf(options);
    // Before its first kubeconfig no stack file names its cluster, so that the stack is better said.
    const file =
      name === undefined ? chosenStackFile(name, directory) : readStackFile(stackNamed(name, directory), directory);
    const target = targetOf(file);
    const force = options.force === true;
    files.checkTarget(target.path, force);
    const answer = await output.during(
      `asking ${target.nodes.map((node) => node.name).join(", ")}`,
      askNodes(target.nodes, target.user, options.key),
    );
    if (target.uid !== undefined && target.uid !== answer.uid) {
      throw new Failure(
        `${answer.node.name} belongs to the cluster ${answer.uid}, and ${file.name} names ${target.uid}; nothing was written\n` +
          `  only if the cluster was built anew: pulumi config set --path kraft:cluster.uid ${answer.uid} -s ${file.stack.name}`,
      );
    }
    const server = `https://${target.api ?? answer.node.address}:6443`;
    const { text, expires } = rewriteKubeconfig(answer.kubeconfig, target.context, server, "k3s");
    mkdirSync(dirname(target.path), { recursive: true, mode: 0o700 });
    files.writeCredential(target.path, text, force);
    output.note(`Written to ${target.path}, context ${target.context}, from ${answer.node.name}.`);
    output.note(
      expires === undefined
        ? "It has no client certificate: when it expires is not known."
        : `It is valid until ${moment(expires)} (${distance(expires, new Date())}).`,
    );
    if (target.uid === undefined) {
      output.note(`Next: pulumi config set --path kraft:cluster.uid ${answer.uid} -s ${file.stack.name}`);
    }
    const { uid, node } = answer;
    if (options.json === true) {
      const facts = { stack: file.stack.name, node: node.name, server, uid, expires: expires?.toISOString() ?? null };
      output.printJson({ ...facts, file: target.path });
    }
    return exitCodes.fine;
  },
};
