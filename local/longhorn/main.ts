// The controllers of the stand-in for Longhorn, over real disks, as a process of their own. See `usage`.
import { parseArgs } from "node:util";
import { readKubeconfig } from "../../cluster/kubeconfig.ts";
import { platformNamespaces } from "../../components/plan/network/platform-policies.ts";
import { Failure, messageOf } from "../../errors/failure.ts";
import { type Access, Api } from "../api.ts";
import { Attacher } from "./attacher.ts";
import { BackupTargets } from "./backup-targets.ts";
import { Backups } from "./backups.ts";
import { BucketStore, placeOf } from "./bucket-store.ts";
import { DisksClient } from "./disks-client.ts";
import { LonghornApi } from "./longhorn-api.ts";
import { LonghornStandIn } from "./longhorn-stand-in.ts";
import { NodeDownPods } from "./node-down-pods.ts";
import type { BackupTarget, Labels } from "./objects.ts";
import { Provisioner } from "./provisioner.ts";
import { RealDisks } from "./real-disks.ts";
import { RecurringJobs } from "./recurring-jobs.ts";
import { Resizer } from "./resizer.ts";
import { VolumeController } from "./volume-controller.ts";

const usage = `Usage: node local/longhorn/main.ts --kubeconfig <file> --disks-socket <socket> --backup-store <program>
         [--s3-endpoint <URL>] [--interval <milliseconds>]
Stands in for Longhorn's managers and CSI controllers until it is told to end. --s3-endpoint replaces the AWS_ENDPOINTS of
every backup target's secret, where the S3 server has another address here. The disks are those of volume-stand-in disks.`;

/** How the controllers reach everything. */
export interface StandInOptions {
  readonly api: Api;
  /** Unix socket of `volume-stand-in disks`. */
  readonly disksSocket: string;
  /** Path of the program `backup-store`. */
  readonly backupStore: string;
  /** In the place of AWS_ENDPOINTS in the secrets of backup targets. */
  readonly s3Endpoint?: string | undefined;
  /** Milliseconds between two steps of every object. */
  readonly interval: number;
  /** Is told of what fails. */
  readonly report: (text: string) => void;
  /** For tests: what time it is for recurring jobs. */
  readonly clock?: () => Date;
}

/** The stand-in for Longhorn over real disks. */
export function standInWithDisks(options: StandInOptions): LonghornStandIn {
  const { api, backupStore, interval, report } = options;
  const longhorn = new LonghornApi(api);
  const client = new DisksClient(options.disksSocket);
  const secrets = `/api/v1/namespaces/${platformNamespaces.longhorn}/secrets`;
  const storeOf = async (target: BackupTarget): Promise<BucketStore | undefined> => {
    const name = target.spec.credentialSecret ?? "";
    const secret = name === "" ? undefined : await api.get<{ readonly data?: Labels }>(`${secrets}/${name}`);
    const decoded = Object.fromEntries(
      Object.entries(secret?.data ?? {}).map(([key, value]) => [key, Buffer.from(value, "base64").toString()]),
    );
    const place = placeOf(target, decoded, options.s3Endpoint);
    return place === undefined ? undefined : new BucketStore(backupStore, place, client);
  };
  const storeNamed = async (name: string): Promise<BucketStore | undefined> => {
    const target = (await longhorn.list<BackupTarget>("BackupTarget")).find(({ metadata }) => metadata.name === name);
    return target === undefined ? undefined : storeOf(target);
  };
  const disks = new RealDisks(client, storeNamed, report);
  const targets = new BackupTargets(longhorn, storeOf);
  const reported = new Map<number, string>();
  return new LonghornStandIn({
    // A bucket that does not answer must not keep pods from their volumes.
    loops: [
      [
        new Provisioner(longhorn),
        new VolumeController(longhorn, disks, "attachments"),
        new Attacher(longhorn, disks),
        new NodeDownPods(longhorn),
        new Resizer(longhorn, disks),
      ],
      [targets, new Backups(longhorn, targets, disks), new RecurringJobs(longhorn, options.clock)],
    ],
    interval,
    failed: (error, loop) => {
      const text = reasons(error).join("; ");
      // The same step fails again and again until what is wrong is put right.
      if (text !== reported.get(loop)) {
        reported.set(loop, text);
        report(text);
      }
    },
  });
}

/** What was wrong, also where several things were. */
function reasons(error: unknown): readonly string[] {
  return error instanceof AggregateError ? error.errors.flatMap(reasons) : [messageOf(error)];
}

/**
 * How to reach the API server of a kubeconfig that a local cluster has written: by a token.
 *
 * @throws Failure for any other kubeconfig
 */
export function accessOf(path: string): Access {
  const { clusters, users } = readKubeconfig(path);
  const { server, "certificate-authority-data": authority } = clusters?.[0]?.cluster ?? {};
  const token = users?.[0]?.user?.["token"];
  if (typeof server !== "string" || typeof authority !== "string" || typeof token !== "string") {
    throw new Failure(`${path} has no server, certificate authority and token: it is not that of a local cluster.`);
  }
  return { server, certificateAuthority: Buffer.from(authority, "base64").toString(), token };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      kubeconfig: { type: "string" },
      "disks-socket": { type: "string" },
      "backup-store": { type: "string" },
      "s3-endpoint": { type: "string" },
      interval: { type: "string", default: "250" },
    },
  });
  const { kubeconfig, "disks-socket": disksSocket, "backup-store": backupStore } = values;
  if (kubeconfig === undefined || disksSocket === undefined || backupStore === undefined) {
    throw new Failure(usage);
  }
  const log = (text: string): void => {
    console.log(`${new Date().toISOString()} ${text}`);
  };
  const api = new Api(accessOf(kubeconfig));
  const interval = Number(values.interval);
  const standIn = standInWithDisks({
    api,
    disksSocket,
    backupStore,
    s3Endpoint: values["s3-endpoint"],
    interval,
    report: log,
  });
  standIn.start();
  log(`stand-in for Longhorn: ${api.access.server}, disks on ${disksSocket}`);
  await new Promise((resolve) => {
    process.once("SIGTERM", resolve).once("SIGINT", resolve);
  });
  await standIn.stop();
  api.close();
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.error(messageOf(error));
    process.exitCode = 1;
  }
}
