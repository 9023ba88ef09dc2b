import type * as pulumi from "@pulumi/pulumi";

/**
 * The machines under a cluster, whatever runs on them. What follows from their hardware (where Longhorn keeps its data,
 * how many copies) stands in `stacks/`, and the kubeconfig never passes through the program: it is a file on the
 * operator's machine.
 */
export interface ClusterNodes {
  /** Whatever needs the cluster depends on these. */
  readonly ready: readonly pulumi.Resource[];
}
