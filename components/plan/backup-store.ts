/** Wasabi's IAM and STS have one address for all regions, and are signed for this one (docs.wasabi.com, service URLs). */
export const iamRegion = "us-east-1";

/** Wasabi charges this many days for everything stored: until then, keeping what was deleted costs nothing more. */
const chargedDays = 90;

/** Wasabi's S3 endpoint of a region (docs.wasabi.com, service URLs). */
export function wasabiEndpoint(region: string): string {
  return `https://s3.${region}.wasabisys.com`;
}

/** Wasabi's service addresses for a bucket's region. */
export function wasabiEndpoints(region: string) {
  return { s3: wasabiEndpoint(region), iam: "https://iam.wasabisys.com", sts: "https://sts.wasabisys.com" };
}

/**
 * Settings of an AWS provider that talks to Wasabi and never to AWS: it asks neither for its account nor for the
 * machine's role, and accepts every region. Requests are signed for `region`: the bucket's, or `iamRegion` for users
 * and keys.
 */
export function wasabiProvider(region: string, bucketRegion: string) {
  return {
    region,
    s3UsePathStyle: true,
    skipCredentialsValidation: true,
    skipRequestingAccountId: true,
    skipMetadataApiCheck: true,
    skipRegionValidation: true,
    endpoints: [{ ...wasabiEndpoints(bucketRegion) }],
  };
}

/**
 * The bucket's rules. They delete only old versions: Longhorn shares blocks between backups, and a rule on current
 * versions would delete blocks that are in use.
 */
export const lifecycleRules = [
  {
    id: "kraft-past",
    enabled: true,
    noncurrentVersionExpiration: { days: chargedDays },
    expiration: { expiredObjectDeleteMarker: true },
    abortIncompleteMultipartUploadDays: 7,
  },
];

/**
 * What Longhorn's key may do: list the bucket, and read, write and delete below its prefix. A deletion keeps the old
 * version; whatever would change that is explicitly denied, whatever else the user is ever allowed. Whoever steals the key
 * from the cluster can hide backups, but not destroy them.
 */
export function bucketUserPolicy(bucket: string, prefix: string) {
  const arn = `arn:aws:s3:::${bucket}`;
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "List",
        Effect: "Allow",
        Action: ["s3:ListBucket", "s3:GetBucketLocation", "s3:ListBucketMultipartUploads"],
        Resource: arn,
      },
      {
        Sid: "Objects",
        Effect: "Allow",
        Action: [
          "s3:GetObject",
          "s3:PutObject",
          "s3:DeleteObject",
          "s3:AbortMultipartUpload",
          "s3:ListMultipartUploadParts",
        ],
        Resource: `${arn}/${prefix}/*`,
      },
      {
        Sid: "HistoryStays",
        Effect: "Deny",
        Action: [
          "s3:DeleteObjectVersion",
          "s3:DeleteBucket",
          "s3:DeleteBucketPolicy",
          "s3:PutBucketPolicy",
          "s3:PutBucketVersioning",
          "s3:PutLifecycleConfiguration",
          "s3:PutBucketObjectLockConfiguration",
          "s3:BypassGovernanceRetention",
        ],
        Resource: [arn, `${arn}/*`],
      },
    ],
  };
}

/**
 * What a key needs that only restores tenants from another stack's backups: list the bucket and read below the prefix. It
 * writes and deletes nothing but locks, by which Longhorn's restores keep others from deleting the backup meanwhile
 * (`New(bsDriver, volumeName, RESTORE_LOCK)` in deltablock.go and lock.go of longhorn/backupstore).
 */
export function sourceReaderPolicy(bucket: string, prefix: string) {
  const arn = `arn:aws:s3:::${bucket}`;
  return {
    Version: "2012-10-17",
    Statement: [
      { Sid: "List", Effect: "Allow", Action: ["s3:ListBucket", "s3:GetBucketLocation"], Resource: arn },
      { Sid: "Read", Effect: "Allow", Action: ["s3:GetObject"], Resource: `${arn}/${prefix}/*` },
      {
        Sid: "Locks",
        Effect: "Allow",
        Action: ["s3:PutObject", "s3:DeleteObject"],
        Resource: `${arn}/${prefix}/backupstore/volumes/*/locks/*`,
      },
    ],
  };
}

/** Name of the user whose key Longhorn gets: one for each prefix, since two clusters never share one. */
export function bucketUserName(bucket: string, prefix: string): string {
  return `kraft-${bucket}-${prefix}`.slice(0, 64);
}

/** A folder in a bucket of an S3 server. */
export interface S3Location {
  readonly bucket: string;
  readonly region: string;
  /** The folder, without slashes around it. */
  readonly prefix: string;
  readonly endpoint: string;
}

/** An access key of an S3 server. Components take its parts as inputs of Pulumi's, so that they can be secret. */
export interface S3Key<Value = string> {
  readonly accessKeyId: Value;
  readonly secretAccessKey: Value;
}
