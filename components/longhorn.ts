import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { customResource } from "./custom-resource.ts";
import { type ChartArgs, chartOptions, installChart, protectOnlyData, retainedOptions } from "./install-chart.ts";
import type { S3Key, S3Location } from "./plan/backup-store.ts";
import {
  backupCredentials,
  backupCredentialSecret,
  backupTargetUrl,
  type LonghornSettings,
  type LonghornValues,
  longhornValues,
} from "./plan/longhorn-values.ts";
import { managedBucketAnnotation } from "./plan/names.ts";
import { longhornPolicies, platformNamespaces } from "./plan/network/platform-policies.ts";
import { podSecurity } from "./plan/pod-security.ts";
import { schedulesOf, storageClassLabels, storageClassParameters, tiers } from "./plan/storage.ts";

export interface LonghornArgs
  extends ChartArgs<LonghornValues>, Omit<LonghornSettings, "restoring" | "backupTarget" | "backupCredentialSecret"> {
  /** In `restore` there are no schedules, and a volume may come back with fewer copies than it is to have. */
  readonly phase: "run" | "restore";
  /** The bucket that backups go to, which exists, and the key to it. */
  readonly backup: S3Location &
    S3Key<pulumi.Input<string>> & {
      /** Whether Kraft itself created the bucket. */
      readonly managed: boolean;
    };
}

/**
 * Longhorn: the tenants' volumes, their snapshots, and their backups in Wasabi.
 *
 * Namespace, credentials, chart and CRDs are protected, and stay in the cluster when they leave the program. Deleting
 * Longhorn's namespace or CRDs deletes its Backup objects, and with each of them the backup in the bucket. Whatever else the
 * chart renders holds no data, and goes when a new version drops it.
 *
 * @example
 * const longhorn = new Longhorn("longhorn", {
 *   chart: versions.longhorn,
 *   charts: { source: "upstream" },
 *   nodes: 3,
 *   dataPath: "/var/lib/longhorn",
 *   dedicatedDisk: true,
 *   replicas: 2,
 *   phase: "run",
 *   backup: { bucket, region, prefix, endpoint, managed: false, accessKeyId, secretAccessKey },
 *   network,
 * });
 * new Application("shop", { storageClass: longhorn.storageClassNames[0] }, { dependsOn: [...longhorn.storageClasses] });
 */
export class Longhorn extends pulumi.ComponentResource {
  readonly namespace: kubernetes.core.v1.Namespace;
  readonly chart: kubernetes.helm.v4.Chart;
  /** The storage classes that tenants may use. */
  readonly storageClasses: readonly kubernetes.storage.v1.StorageClass[];
  /** Their names, the default class first. */
  readonly storageClassNames = tiers.map(({ storageClass }) => storageClass);

  /** The chart's values before `changeValues`. */
  static values({ backup, phase, ...settings }: Omit<LonghornArgs, "backup"> & { readonly backup: S3Location }) {
    const backupTarget = backupTargetUrl(backup);
    return longhornValues({ ...settings, restoring: phase === "restore", backupTarget, backupCredentialSecret });
  }

  constructor(name: string, args: LonghornArgs, opts?: pulumi.ComponentResourceOptions) {
    super("kraft:index:Longhorn", name, {}, chartOptions(opts, protectOnlyData));
    const { backup, phase } = args;
    const metadata = { namespace: platformNamespaces.longhorn };
    const childOptions = { ...retainedOptions, parent: this };
    const { namespace, chart } = installChart(
      this,
      name,
      args,
      {
        name: "longhorn",
        namespace: platformNamespaces.longhorn,
        security: podSecurity.longhorn,
        policies: longhornPolicies(args.network),
        annotations: backup.managed ? { [managedBucketAnnotation]: "true" } : undefined,
        values: Longhorn.values(args),
        before: (declared) => [
          new kubernetes.core.v1.Secret(
            `${name}-backup-credentials`,
            { metadata: { ...metadata, name: backupCredentialSecret }, stringData: backupCredentials(backup) },
            { ...childOptions, dependsOn: [declared] },
          ),
        ],
      },
      retainedOptions,
    );
    const afterChart = { parent: this, dependsOn: [chart] };
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
          afterChart,
        ),
    );
    for (const schedule of phase === "run" ? schedulesOf(backupTargetUrl(backup)) : []) {
      const spec = { ...schedule, labels: {} };
      customResource(
        `${name}-schedule-${schedule.name}`,
        "RecurringJob",
        { ...metadata, name: schedule.name },
        spec,
        afterChart,
      );
    }
    this.namespace = namespace;
    this.chart = chart;
    this.registerOutputs({ namespace: namespace.metadata.name, storageClassNames: this.storageClassNames });
  }
}
