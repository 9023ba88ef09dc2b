import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { snapshotSecret } from "./plan/machines/k3s.ts";

/** Where k3s puts copies of etcd. */
export interface EtcdSnapshotsArgs {
  readonly bucket: string;
  readonly region: string;
  /** Folder in the bucket: the cluster's own. */
  readonly prefix: string;
  /** URL of the S3 server. */
  readonly endpoint: string;
  readonly accessKeyId: pulumi.Input<string>;
  readonly secretAccessKey: pulumi.Input<string>;
}

/** Snapshots of etcd that stay in the bucket: three days of hourly ones. */
const kept = 72;

/**
 * Tells k3s where snapshots of etcd go: without them the objects of a cluster that burnt would be gone. k3s reads this at
 * every snapshot, so that a new key needs no restart. A restore cannot read it: the runbook passes the same by hand.
 */
export class EtcdSnapshots extends pulumi.ComponentResource {
  constructor(name: string, args: EtcdSnapshotsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("kraft:index:EtcdSnapshots", name, {}, opts);
    const server = new URL(args.endpoint);
    new kubernetes.core.v1.Secret(
      `${name}-target`,
      {
        metadata: { name: snapshotSecret, namespace: "kube-system" },
        type: "etcd.k3s.cattle.io/s3-config-secret",
        stringData: {
          "etcd-s3-endpoint": server.host,
          ...(server.protocol === "http:" ? { "etcd-s3-insecure": "true" } : {}),
          "etcd-s3-region": args.region,
          "etcd-s3-bucket": args.bucket,
          "etcd-s3-folder": `${args.prefix}/etcd`,
          "etcd-s3-access-key": args.accessKeyId,
          "etcd-s3-secret-key": args.secretAccessKey,
          "etcd-s3-timeout": "5m",
          "etcd-s3-retention": String(kept),
        },
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
