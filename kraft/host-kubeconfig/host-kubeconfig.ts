import { Failure } from "../../errors/failure.ts";
import { type HostNode, withHostKeys } from "./ssh.ts";

const separator = "--- kraft ---";

/** What runs on the node: nothing is changed there. */
const remote =
  'become=""; [ "$(id -u)" = 0 ] || become="sudo -n"; $become cat /etc/rancher/k3s/k3s.yaml && ' +
  `echo "${separator}" && $become k3s kubectl get namespace kube-system -o jsonpath='{.metadata.uid}'`;

/**
 * Asks one node after the other, over the operator's own `ssh`, until one answers, for the kubeconfig that k3s wrote, a
 * credential, and the UID of the namespace kube-system. None but a node that proves its host key is talked to, whatever the
 * operator's known hosts say. If none answers, the Failure names what each one said.
 */
export function askNodes(nodes: readonly HostNode[], user: string, key: string | undefined) {
  return withHostKeys(nodes, async (ssh) => {
    const failures: string[] = [];
    for (const node of nodes) {
      const { code, output, why } = await ssh(node, user, key, remote);
      const [kubeconfig, uid] = output.split(`${separator}\n`);
      if (code === 0 && kubeconfig !== undefined && uid !== undefined) {
        return { node, kubeconfig, uid: uid.trim() };
      }
      failures.push(`${node.name} (${node.address}): ${why}`);
    }
    throw new Failure(`no node gave its kubeconfig\n  ${failures.join("\n  ")}`);
  });
}
