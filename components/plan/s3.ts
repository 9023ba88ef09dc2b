/** A folder in a bucket of an S3 server. */
export interface S3Location {
  readonly bucket: string;
  readonly region: string;
  /** The folder, without slashes around it. */
  readonly prefix: string;
  /** URL of the S3 server. */
  readonly endpoint: string;
}

/** An access key of an S3 server. Components take its parts as inputs of Pulumi's, so that they can be secret. */
export interface S3Key<Value = string> {
  readonly accessKeyId: Value;
  readonly secretAccessKey: Value;
}
