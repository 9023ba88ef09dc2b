// File by file: the whole package takes half a second to load, in every preview.
import { AccessKey } from "@pulumi/aws/iam/accessKey.js";
import { User } from "@pulumi/aws/iam/user.js";
import { UserPolicy } from "@pulumi/aws/iam/userPolicy.js";
import { Provider } from "@pulumi/aws/provider.js";
import { Bucket } from "@pulumi/aws/s3/bucket.js";
import { BucketVersioning } from "@pulumi/aws/s3/bucketVersioning.js";
import * as pulumi from "@pulumi/pulumi";
import { retainedOptions } from "./install-chart.ts";
import {
  bucketUserName,
  bucketUserPolicy,
  iamRegion,
  lifecycleRules,
  type S3Key,
  type S3Location,
  wasabiProvider,
} from "./plan/backup-store.ts";

export interface BackupStoreArgs extends Omit<S3Location, "endpoint"> {
  /** The key of an administrator at Wasabi, who may create buckets, users and keys. */
  readonly administrator: S3Key<pulumi.Input<string>>;
}

/**
 * The bucket at Wasabi that holds the backups, with versions kept, and a user whose key can write backups but not destroy
 * what was written.
 *
 * Everything is protected, and stays at Wasabi when it leaves the program: the backups are what is left if the house
 * burns down. The provider is made for AWS. Version 7.12.0 is before upstream's 6.23.0, which asks AWS' S3 Control for a
 * bucket's tags, and fails at Wasabi (hashicorp/terraform-provider-aws#45520). The lifecycle rules are part of the bucket,
 * since the separate resource waits for an answer that only AWS gives (#46021). Wasabi has no tags and no public access
 * blocks.
 *
 * @example
 * const store = new BackupStore("backup-store", {
 *   bucket: "kraft-backup",
 *   region: "eu-central-2",
 *   prefix: "homelab",
 *   administrator: { accessKeyId: pulumi.secret(id), secretAccessKey: pulumi.secret(key) },
 * });
 */
export class BackupStore extends pulumi.ComponentResource {
  /** Name of the bucket. */
  readonly bucket: pulumi.Output<string>;
  /** ID of the key that Longhorn gets. */
  readonly accessKeyId: pulumi.Output<string>;
  /** The key that Longhorn gets. */
  readonly secretAccessKey: pulumi.Output<string>;

  constructor(name: string, args: BackupStoreArgs, opts?: pulumi.ComponentResourceOptions) {
    super("kraft:index:BackupStore", name, {}, { ...opts, protect: true });
    const provider = (service: string, region: string): Provider =>
      new Provider(
        `${name}-${service}`,
        {
          ...wasabiProvider(region, args.region),
          accessKey: args.administrator.accessKeyId,
          secretKey: args.administrator.secretAccessKey,
        },
        { parent: this },
      );
    const s3 = provider("s3", args.region);
    const iam = provider("iam", iamRegion);
    const childOptions = (provider: Provider) => ({ ...retainedOptions, parent: this, provider });
    const bucket = new Bucket(`${name}-bucket`, { bucket: args.bucket, lifecycleRules }, childOptions(s3));
    const versioning = new BucketVersioning(
      `${name}-versioning`,
      { bucket: bucket.bucket, versioningConfiguration: { status: "Enabled" } },
      childOptions(s3),
    );
    const user = new User(`${name}-user`, { name: bucketUserName(args.bucket, args.prefix) }, childOptions(iam));
    const policy = new UserPolicy(
      `${name}-policy`,
      {
        name: "kraft-backups",
        user: user.name,
        policy: JSON.stringify(bucketUserPolicy(args.bucket, args.prefix)),
      },
      childOptions(iam),
    );
    // No backup is written before versions are kept, nor with a key that may do more than it should.
    const key = new AccessKey(
      `${name}-key`,
      { user: user.name },
      { ...childOptions(iam), dependsOn: [versioning, policy] },
    );
    this.bucket = bucket.bucket;
    this.accessKeyId = pulumi.secret(key.id);
    this.secretAccessKey = pulumi.secret(key.secret);
    const { accessKeyId, secretAccessKey } = this;
    this.registerOutputs({ bucket: this.bucket, accessKeyId, secretAccessKey });
  }
}
