import type { Verb } from "../cli/verb.ts";

/** `kraft host-kubeconfig`: fetches the host cluster's own kubeconfig from a node to the path in the stack file. */
export const hostKubeconfig: Verb = {
  name: "host-kubeconfig",
  summary: "fetch the host cluster's kubeconfig from a node",
  options: [
    ["--key <file>", "private key of the user on the nodes; default: ssh's own choice"],
    ["--force", "replace an existing file"],
  ],
  details: [
    "Writes it to the path in the stack file. For machines on which Kraft runs k3s (kraft:machines). It asks over ssh, and only nodes that prove the host key in the stack file. The file makes its owner administrator of everything, for a year: k3s renews the certificate when it is restarted within the last 120 days. Then fetch it again with --force.",
  ],
  examples: ["host-kubeconfig -s homelab --key ~/.ssh/kraft", "host-kubeconfig -s homelab --force"],
  old: { stackOperand: true },
  load: () => import("./run.ts"),
};
