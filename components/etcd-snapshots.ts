import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { S3Key, S3Location } from "./plan/backup-store.ts";
import { snapshotSecret } from "./plan/machines/k3s.ts";

/** The folder that snapshots go to, which is this cluster's alone, and the key to its bucket. */
export type EtcdSnapshotsArgs = S3Location & S3Key<pulumi.Input<string>>;

/** Snapshots of etcd that stay in the bucket: three days of hourly ones. */
const retention = 72;

/**
 * Tells k3s where to upload snapshots of etcd, which hold all objects of the cluster. k3s reads this at every snapshot, so
 * a new key needs no restart. A restore cannot read it: the runbook passes the same values by hand.
 *
 * @example
 * new EtcdSnapshots("etcd-snapshots", {
 *   bucket: "kraft-backup",
 *   region: "eu-central-2",
 *   prefix: "homelab",
 *   endpoint: "https://s3.eu-central-2.wasabisys.com",
 *   accessKeyId,
 *   secretAccessKey,
 * });
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
          ...(server.protocol === "http:" && { "etcd-s3-insecure": "true" }),
          "etcd-s3-region": args.region,
          "etcd-s3-bucket": args.bucket,
          "etcd-s3-folder": `${args.prefix}/etcd`,
          "etcd-s3-access-key": args.accessKeyId,
          "etcd-s3-secret-key": args.secretAccessKey,
          "etcd-s3-timeout": "5m",
          "etcd-s3-retention": String(retention),
        },
      },
      { parent: this },
    );
    this.registerOutputs({ secret: snapshotSecret });
  }
}
