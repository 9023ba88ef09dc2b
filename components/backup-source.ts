import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { backupCredentials, backupTargetUrl } from "./plan/longhorn-values.ts";
import { platformNamespaces } from "./plan/network/platform-policies.ts";

/** What a BackupSource is made of. */
export interface BackupSourceArgs {
  /** The stack whose backups they are; also the name of Longhorn's BackupTarget. */
  readonly stack: string;
  readonly bucket: string;
  readonly region: string;
  readonly prefix: string;
  /** URL of the S3 server. */
  readonly endpoint: string;
  readonly accessKeyId: pulumi.Input<string>;
  readonly secretAccessKey: pulumi.Input<string>;
}

/**
 * The backups of another stack, for Longhorn to bring tenants' volumes over from. Nothing is backed up to it: volumes go to
 * Longhorn's target `default` unless they say otherwise, and those that moved do once they are whole.
 *
 * It holds no data, and may go when nobody moves any more: with it Longhorn forgets those backups and leaves them in the
 * bucket (`cleanUpAllBackupRelatedResources` in controller/backup_target_controller.go of longhorn-manager 1.12). While a
 * volume still follows one, Longhorn refuses that.
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
    new kubernetes.apiextensions.CustomResource(
      `${name}-target`,
      {
        apiVersion: "longhorn.io/v1beta2",
        kind: "BackupTarget",
        metadata: { ...metadata, name: args.stack },
        spec: {
          backupTargetURL: backupTargetUrl(args),
          credentialSecret: credentials.metadata.name,
          // As Longhorn writes a duration: another spelling would be a change in every preview.
          pollInterval: "5m0s",
        },
      },
      { parent: this, dependsOn: [credentials] },
    );
    this.registerOutputs({});
  }
}
