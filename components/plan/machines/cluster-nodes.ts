import type * as pulumi from "@pulumi/pulumi";

/** The machines of a host cluster, kept by Kraft: what every operating system's component offers to the rest. */
export interface ClusterNodes {
  /** The administrator's kubeconfig, as the cluster wrote it for its endpoint. Secret. */
  readonly kubeconfig: pulumi.Output<string>;
  /** What has to be done before anything is declared in the cluster. */
  readonly ready: readonly pulumi.Resource[];
}
