import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

export interface HostClusterArgs {
  /**
   * Path of the kubeconfig, not its content: no credentials in the state, and no difference between machines.
   *
   * @example "~/.kube/kraft-homelab.yaml"
   */
  readonly kubeconfig: string;
  /** Context in that kubeconfig. */
  readonly context: string;
  /** UID of the namespace `kube-system`, which never changes in the life of a cluster. */
  readonly uid: string;
  /**
   * Identity of the cluster to the provider. A change of it, and of nothing else, replaces the provider and
   * with it every object, so it must outlive addresses and certificates.
   *
   * @example "kraft-homelab"
   */
  readonly identifier: string;
}

/**
 * The one explicit Kubernetes provider of a stack, and the UID that tells whether it talks to the right cluster.
 *
 * @example
 * const host = new HostCluster("host", { kubeconfig, context: "kraft-homelab", uid, identifier: "kraft-homelab" });
 * new Traefik("traefik", args, { providers: [host.provider] });
 */
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
        // Updates Secrets in place: a replacement is refused for protected ones, which could never be rotated.
        enableSecretMutable: true,
        enableConfigMapMutable: true,
        // Every run reads each object twice, and there are hundreds: the defaults of 50 and 120 hold that back.
        kubeClientSettings: { qps: 500, burst: 1000 },
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
