import type * as pulumi from "@pulumi/pulumi";

/**
 * The machines of a cluster, whatever runs on them. Their hardware is described in `stacks/`. The kubeconfig never passes
 * through the program: it is a file on the operator's machine.
 */
export interface ClusterNodes {
  /** Whatever needs the cluster depends on these. */
  readonly ready: readonly pulumi.Resource[];
}
