import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

/** The cluster that a HostCluster connects to. */
export interface HostClusterArgs {
  /** Path of the kubeconfig, not its content: no credentials in the state, and no difference between machines. */
  readonly kubeconfig: string;
  /** Context in that kubeconfig. */
  readonly context: string;
  /** UID of the namespace `kube-system`, which every cluster gets once at its birth. */
  readonly uid: string;
  /**
   * What the provider takes the cluster to be. Only a change of this replaces the provider, and with it every object,
   * so it must outlive addresses and certificates.
   */
  readonly identifier: string;
}

/** The one explicit Kubernetes provider of a stack, and the proof that it talks to the cluster it is meant for. */
export class HostCluster extends pulumi.ComponentResource {
  readonly provider: kubernetes.Provider;
  /** The UID that the cluster itself reports. */
  readonly uid: pulumi.Output<string>;

  constructor(name: string, args: HostClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("kraft:index:HostCluster", name, {}, opts);
    this.provider = new kubernetes.Provider(
      `${name}-provider`,
      {
        kubeconfig: args.kubeconfig,
        context: args.context,
        clusterIdentifier: args.identifier,
        enableServerSideApply: true,
        // A changed Secret is changed in place: replaced, a protected one could never be rotated.
        enableSecretMutable: true,
        enableConfigMapMutable: true,
        // Charts come by the hundred of objects; the defaults of 50 and 120 hold them back.
        kubeClientSettings: { qps: 200, burst: 400 },
        suppressHelmHookWarnings: true,
      },
      { parent: this },
    );
    const system = kubernetes.core.v1.Namespace.get(`${name}-kube-system`, "kube-system", {
      parent: this,
      provider: this.provider,
    });
    this.uid = system.metadata.uid;
    this.registerOutputs({ uid: this.uid });
  }
}
