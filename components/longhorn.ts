import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { NetworkBoundary } from "./network-boundary.ts";
import { chartReference, type ChartPin, type ChartSource } from "./plan/chart.ts";
import { backupCredentials, backupTargetUrl, longhornValues } from "./plan/longhorn-values.ts";
import { managedBucketAnnotation } from "./plan/names.ts";
import type { HostNetwork } from "./plan/network/host-network.ts";
import { longhornPolicies, platformNamespaces } from "./plan/network/platform-policies.ts";
import { podSecurity, podSecurityLabels } from "./plan/pod-security.ts";
import { schedulesOf, storageClassLabels, storageClassParameters, tiers } from "./plan/storage.ts";

/** What a Longhorn is made of. */
export interface LonghornArgs {
  readonly chart: ChartPin;
  readonly charts: ChartSource;
  /** Nodes of the host cluster. */
  readonly nodes: number;
  /** Folder on each node that holds the replicas. */
  readonly dataPath: string;
  /** Whether that folder's file system is Longhorn's alone. */
  readonly dedicatedDisk: boolean;
  /** Copies of every volume, at most `nodes`. */
  readonly replicas: number;
  /** In `restore` there are no schedules, and a volume may come back with fewer copies than it is to have. */
  readonly phase: "run" | "restore";
  /** Where backups go: a bucket that exists. */
  readonly backup: {
    readonly bucket: string;
    readonly region: string;
    readonly prefix: string;
    /** URL of the S3 server. */
    readonly endpoint: string;
    /** Whether Kraft itself made the bucket. */
    readonly managed: boolean;
    readonly accessKeyId: pulumi.Input<string>;
    readonly secretAccessKey: pulumi.Input<string>;
  };
  readonly network: HostNetwork;
}

/**
 * Longhorn: the tenants' volumes, their snapshots, and their backups in Wasabi.
 *
 * Namespace, credentials and chart are protected, and stay in the cluster when they leave the program. Deleting
 * Longhorn's namespace or CRDs deletes its Backup objects, and with each of them the backup in the bucket.
 */
export class Longhorn extends pulumi.ComponentResource {
  readonly namespace: kubernetes.core.v1.Namespace;
  readonly chart: kubernetes.helm.v4.Chart;
  /** The storage classes that tenants may use. */
  readonly storageClasses: readonly kubernetes.storage.v1.StorageClass[];

  constructor(name: string, args: LonghornArgs, opts?: pulumi.ComponentResourceOptions) {
    super("kraft:index:Longhorn", name, {}, opts);
    const namespace = platformNamespaces.longhorn;
    const keep: pulumi.CustomResourceOptions = { parent: this, protect: true, retainOnDelete: true };
    this.namespace = new kubernetes.core.v1.Namespace(
      `${name}-namespace`,
      {
        metadata: {
          name: namespace,
          labels: podSecurityLabels(podSecurity.longhorn),
          ...(args.backup.managed ? { annotations: { [managedBucketAnnotation]: "true" } } : {}),
        },
      },
      keep,
    );
    const credentials = new kubernetes.core.v1.Secret(
      `${name}-backup-credentials`,
      {
        metadata: { name: "wasabi-backup", namespace },
        stringData: backupCredentials(args.backup),
      },
      { ...keep, dependsOn: [this.namespace] },
    );
    new NetworkBoundary(
      `${name}-network`,
      { namespace, policies: longhornPolicies(args.network) },
      { parent: this, dependsOn: [this.namespace] },
    );
    this.chart = new kubernetes.helm.v4.Chart(
      name,
      {
        ...chartReference(args.chart, args.charts),
        name: "longhorn",
        namespace,
        values: longhornValues({
          nodes: args.nodes,
          dataPath: args.dataPath,
          dedicatedDisk: args.dedicatedDisk,
          replicas: args.replicas,
          restoring: args.phase === "restore",
          backupTarget: backupTargetUrl(args.backup),
          backupCredentialSecret: "wasabi-backup",
        }),
      },
      { ...keep, dependsOn: [this.namespace, credentials] },
    );

    this.storageClasses = tiers.map(
      (tier) =>
        new kubernetes.storage.v1.StorageClass(
          `${name}-class-${tier.group}`,
          {
            metadata: {
              name: tier.storageClass,
              labels: storageClassLabels(tier),
              annotations: {
                "storageclass.kubernetes.io/is-default-class": String(tier.isDefault),
                "kraft.dev/description": tier.description,
              },
            },
            provisioner: "driver.longhorn.io",
            allowVolumeExpansion: true,
            reclaimPolicy: "Retain",
            volumeBindingMode: "Immediate",
            parameters: storageClassParameters(tier),
          },
          { parent: this, dependsOn: [this.chart] },
        ),
    );
    const schedules = args.phase === "run" ? schedulesOf(backupTargetUrl(args.backup)) : [];
    for (const { name: job, ...schedule } of schedules) {
      new kubernetes.apiextensions.CustomResource(
        `${name}-schedule-${job}`,
        {
          apiVersion: "longhorn.io/v1beta2",
          kind: "RecurringJob",
          metadata: { name: job, namespace },
          spec: { name: job, labels: {}, ...schedule },
        },
        { parent: this, dependsOn: [this.chart] },
      );
    }
    this.registerOutputs({});
  }
}
