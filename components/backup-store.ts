// By their files: the package as a whole takes half a second to load, in every preview.
import { AccessKey } from "@pulumi/aws/iam/accessKey.js";
import { User } from "@pulumi/aws/iam/user.js";
import { UserPolicy } from "@pulumi/aws/iam/userPolicy.js";
import { Provider } from "@pulumi/aws/provider.js";
import { Bucket } from "@pulumi/aws/s3/bucket.js";
import { BucketVersioning } from "@pulumi/aws/s3/bucketVersioning.js";
import * as pulumi from "@pulumi/pulumi";
import { bucketUserName, bucketUserPolicy, iamRegion, lifecycleRules, wasabiProvider } from "./plan/backup-store.ts";

/** What a BackupStore is made of. */
export interface BackupStoreArgs {
  readonly bucket: string;
  /** Region of the bucket at Wasabi. */
  readonly region: string;
  /** Folder in the bucket that the key is for. */
  readonly prefix: string;
  /** The key of an administrator at Wasabi, who may make buckets, users and keys. */
  readonly administrator: {
    readonly accessKeyId: pulumi.Input<string>;
    readonly secretAccessKey: pulumi.Input<string>;
  };
}

/**
 * The bucket at Wasabi that holds the backups, with versions kept, and a user whose key can write backups but not destroy
 * what was written.
 *
 * Everything is protected, and stays at Wasabi when it leaves the program: the backups are what is left when the house
 * burns. The provider is made for AWS. Version 7.12.0 is before upstream's 6.23.0, which asks AWS' S3 Control for a bucket's
 * tags, and fails at Wasabi (hashicorp/terraform-provider-aws#45520). The rules stand in the bucket itself, since the
 * resource for them waits for an answer that only AWS gives (#46021). Tags and public access blocks Wasabi does not know.
 */
export class BackupStore extends pulumi.ComponentResource {
  /** Of Longhorn's key. */
  readonly accessKeyId: pulumi.Output<string>;
  /** Of Longhorn's key. */
  readonly secretAccessKey: pulumi.Output<string>;

  constructor(name: string, args: BackupStoreArgs, opts?: pulumi.ComponentResourceOptions) {
    super("kraft:index:BackupStore", name, {}, { ...opts, protect: true });
    const provider = (what: string, region: string): Provider =>
      new Provider(
        `${name}-${what}`,
        {
          ...wasabiProvider(region, args.region),
          accessKey: args.administrator.accessKeyId,
          secretKey: args.administrator.secretAccessKey,
        },
        { parent: this },
      );
    const s3 = provider("s3", args.region);
    const iam = provider("iam", iamRegion);
    const keep = (from: Provider): pulumi.CustomResourceOptions => ({
      parent: this,
      provider: from,
      protect: true,
      retainOnDelete: true,
    });
    const bucket = new Bucket(`${name}-bucket`, { bucket: args.bucket, lifecycleRules }, keep(s3));
    const versioning = new BucketVersioning(
      `${name}-versioning`,
      { bucket: bucket.bucket, versioningConfiguration: { status: "Enabled" } },
      keep(s3),
    );
    const user = new User(`${name}-user`, { name: bucketUserName(args.bucket, args.prefix) }, keep(iam));
    const policy = new UserPolicy(
      `${name}-policy`,
      {
        name: "kraft-backups",
        user: user.name,
        policy: JSON.stringify(bucketUserPolicy(args.bucket, args.prefix)),
      },
      keep(iam),
    );
    // No backup is ever written before its versions are kept, nor with a key that may do more than it should.
    const key = new AccessKey(`${name}-key`, { user: user.name }, { ...keep(iam), dependsOn: [versioning, policy] });
    this.accessKeyId = pulumi.secret(key.id);
    this.secretAccessKey = pulumi.secret(key.secret);
    this.registerOutputs({ accessKeyId: this.accessKeyId, secretAccessKey: this.secretAccessKey });
  }
}
