import { checkerResources, drillLabel, drillNamespace } from "../../components/plan/drill.ts";
import { platformNamespaces } from "../../components/plan/network/platform-policies.ts";
import { checker } from "../../infra/versions.ts";
import { longhornDriver, longhornVersion } from "../../cluster/longhorn.ts";
import { checkerScript } from "./checker.ts";
import type { Target } from "./targets.ts";

/** Name of the n-th volume of a tenant's drill, and of everything that belongs to it. */
export function drillName(tenant: string, index: number): string {
  return `drill-${tenant}-${index}`;
}

/** Names that drills give. Nothing else is ever taken for one of theirs. */
export const drillNamePattern = /^drill-[a-z][a-z0-9]*-\d+$/;

/** Group of schedules that there are none for: it keeps a volume out of Longhorn's group `default`. */
const noSchedules = "kraft-drill";

/** Longhorn's Volume that a backup is restored into: one copy, and no schedule ever makes backups of it. */
export function scratchVolume(name: string, tenant: string, target: Target): object {
  return {
    apiVersion: longhornVersion,
    kind: "Volume",
    metadata: {
      name,
      namespace: platformNamespaces.longhorn,
      labels: { [drillLabel]: tenant, [`recurring-job-group.longhorn.io/${noSchedules}`]: "enabled" },
    },
    spec: {
      size: String(target.volumeSize),
      fromBackup: target.url,
      restoreVolumeRecurringJob: "disabled",
      numberOfReplicas: 1,
      dataEngine: "v1",
      dataLocality: "disabled",
      frontend: "blockdev",
      accessMode: "rwo",
      staleReplicaTimeout: 60,
    },
  };
}

/** The PersistentVolume over it, bound in advance: no other claim can take it. */
export function scratchPersistentVolume(name: string, tenant: string, target: Target): object {
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name, labels: { [drillLabel]: tenant } },
    spec: {
      capacity: { storage: String(target.volumeSize) },
      accessModes: ["ReadWriteOnce"],
      // The drill deletes what it made itself, in its order.
      persistentVolumeReclaimPolicy: "Retain",
      storageClassName: "",
      volumeMode: "Filesystem",
      claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace: drillNamespace, name },
      csi: {
        driver: longhornDriver,
        volumeHandle: name,
        fsType: target.fsType,
        volumeAttributes: { numberOfReplicas: "1", staleReplicaTimeout: "60" },
      },
    },
  };
}

/** The claim on it. */
export function scratchClaim(name: string, tenant: string, target: Target): object {
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name, namespace: drillNamespace, labels: { [drillLabel]: tenant } },
    spec: {
      accessModes: ["ReadWriteOnce"],
      storageClassName: "",
      volumeName: name,
      volumeMode: "Filesystem",
      resources: { requests: { storage: String(target.volumeSize) } },
    },
  };
}

/**
 * The pod that reads it: no token, no network, nothing that it could write to. It is root, with the one right to read
 * what belongs to others; the volume is mounted read-only.
 *
 * @param run Written into the result, so that no other pod's is taken for it.
 */
export function checkerPod(name: string, tenant: string, target: Target, run: string): object {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: drillNamespace, labels: { [drillLabel]: tenant } },
    spec: {
      restartPolicy: "Never",
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 1,
      securityContext: { runAsUser: 0, runAsGroup: 0, seccompProfile: { type: "RuntimeDefault" } },
      containers: [
        {
          name: "checker",
          image: `${checker.image}:${checker.tag}`,
          command: ["sh", "-c", checkerScript],
          env: [
            { name: "VOLUME", value: "/volume" },
            { name: "RESULT", value: "/dev/termination-log" },
            { name: "RUN", value: run },
            { name: "DATASTORE", value: target.isDatastore ? "yes" : "no" },
          ],
          resources: checkerResources,
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ["ALL"], add: ["DAC_OVERRIDE"] },
          },
          volumeMounts: [{ name: "volume", mountPath: "/volume", readOnly: true }],
        },
      ],
      volumes: [{ name: "volume", persistentVolumeClaim: { claimName: name } }],
    },
  };
}
