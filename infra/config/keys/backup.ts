import { z } from "zod";
import { choice, expect, stackName, text } from "./values.ts";

/** Wasabi's regions with an S3 endpoint of the form `s3.<region>.wasabisys.com` (docs.wasabi.com, service URLs). */
export const wasabiRegions = [
  "ap-northeast-1",
  "ap-northeast-2",
  "ap-southeast-1",
  "ap-southeast-2",
  "ca-central-1",
  "eu-central-1",
  "eu-central-2",
  "eu-south-1",
  "eu-west-1",
  "eu-west-2",
  "eu-west-3",
  "us-central-1",
  "us-east-1",
  "us-east-2",
  "us-west-1",
  "us-west-2",
] as const;

const endpointExpectation = expect(
  "the https URL of an S3 server without a path",
  "leave the key out for Wasabi; for example https://s3.example",
);
export const backup = z.strictObject(
  {
    bucket: text(
      /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
      expect(
        "the name of an S3 bucket: 3 to 63 lower-case letters, digits, dots and hyphens",
        "name the bucket; with an empty target Longhorn would silently stop all backups",
      ),
    ).describe("Bucket that holds the backups. It must exist."),
    region: choice(wasabiRegions).describe("Wasabi region of the bucket"),
    prefix: text(
      /^[a-z0-9][a-z0-9-]*$/,
      expect(
        "lower-case letters, digits and hyphens",
        "for example the stack's name: two clusters must never share one",
      ),
    ).describe("Folder in the bucket. Two live clusters must never share one."),
    managed: z
      .boolean(
        expect("true or false", "true lets Kraft make bucket, user and key; false or nothing takes those you made"),
      )
      .default(false)
      .describe("Whether Kraft makes the bucket, its user and the key at Wasabi. Default: false"),
    endpoint: z
      .url({ protocol: /^https?$/, ...endpointExpectation })
      .refine((url) => /^(https:\/\/[^/?#@]+|http:\/\/127\.0\.0\.1:[0-9]+)$/.test(url), endpointExpectation)
      .optional()
      .describe("Address of an S3 server in place of Wasabi's"),
    replaces: text(
      /^s3:\/\/[^@/]+@[^/]+\/[a-z0-9-]+\/$/,
      expect(
        "the backup target that this one takes the place of, as s3://<bucket>@<region>/<prefix>/",
        "copy it from the message that asked for it",
      ),
    )
      .optional()
      .describe("The target that backups went to until now. Without it a changed target is refused"),
  },
  expect("a map with bucket, region and prefix", "without a backup target no tenant's data would leave the house"),
);

export const source = z.strictObject(
  {
    stack: stackName.describe("Stack that tenants move here from, for example homelab"),
    bucket: backup.shape.bucket.describe("Bucket with that stack's backups"),
    region: backup.shape.region,
    prefix: backup.shape.prefix.describe("Folder in the bucket with that stack's backups"),
    endpoint: backup.shape.endpoint,
  },
  expect("a map with stack, bucket, region and prefix", "copy the last three from that stack's kraft:backup"),
);
