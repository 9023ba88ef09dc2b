import type { Verb } from "../cli/verb.ts";

/** `kraft kubeconfig <tenant>`: the tenant's own kubeconfig. */
export const kubeconfig: Verb = {
  name: "kubeconfig",
  summary: "print a tenant's own kubeconfig",
  operands: [["<tenant>", "tenant of the stack file"]],
  options: [
    ["-o, --output <file>", "write it there, readable by you alone"],
    ["--force", "replace an existing file"],
  ],
  details: [
    "Its server is the name at which the tenant reaches the guest. It makes its owner administrator of the guest cluster, and cannot be revoked before it expires: hand it over in private. Standard error says when its certificate expires. K3k makes a new one at every reconcile.",
  ],
  examples: ["kubeconfig acme -o acme.yaml", "kubeconfig acme -s homelab > acme.yaml"],
  load: () => import("./run.ts"),
};
