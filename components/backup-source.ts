import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { customResource } from "./custom-resource.ts";
import type { S3Key, S3Location } from "./plan/backup-store.ts";
import { backupCredentials, backupTargetUrl } from "./plan/longhorn-values.ts";
import { platformNamespaces } from "./plan/network/platform-policies.ts";

export interface BackupSourceArgs extends S3Location, S3Key<pulumi.Input<string>> {
  /** The stack whose backups they are; also the name of Longhorn's BackupTarget. */
  readonly stack: string;
}

/**
 * The backups of another stack, from which tenants' volumes are restored when they move here. Nothing is backed up to it:
 * volumes go to Longhorn's target `default`, and those that moved do once they are whole.
 *
 * It holds no data, and can be removed when no tenant moves any more: Longhorn then forgets those backups and leaves them
 * in the bucket (`cleanUpAllBackupRelatedResources` in controller/backup_target_controller.go of longhorn-manager 1.12).
 * While a volume still uses the target, Longhorn refuses that.
 *
 * @example
 * new BackupSource(
 *   "source-homelab",
 *   { stack: "homelab", bucket, region, prefix, endpoint, accessKeyId, secretAccessKey },
 *   { dependsOn: [longhorn.chart] },
 * );
 */
export class BackupSource extends pulumi.ComponentResource {
  constructor(name: string, args: BackupSourceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("kraft:index:BackupSource", name, {}, opts);
    const metadata = { namespace: platformNamespaces.longhorn };
    const credentials = new kubernetes.core.v1.Secret(
      `${name}-credentials`,
      {
        metadata: { ...metadata, name: `backup-source-${args.stack}` },
        stringData: backupCredentials(args),
      },
      { parent: this },
    );
    customResource(
      `${name}-target`,
      "BackupTarget",
      { ...metadata, name: args.stack },
      {
        backupTargetURL: backupTargetUrl(args),
        credentialSecret: credentials.metadata.name,
        pollInterval: "5m0s",
      },
      { parent: this, dependsOn: [credentials] },
    );
    this.registerOutputs({ backupTarget: args.stack });
  }
}
