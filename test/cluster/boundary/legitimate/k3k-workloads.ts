// What Kubernetes' controllers make of K3k's StatefulSet and DaemonSet.
import { tenantNames } from "../../../../components/plan/names.ts";
import type { K3kRelease, KubernetesObject, OwnerReference } from "../translate.ts";
import { type Host, type Identity, type LegitimateObject, updateEntry } from "./entry.ts";
import { daemonSetTolerations, onNode } from "./guest-pod.ts";
import {
  datastoreSpec,
  kubeletLabels,
  kubeletSpec,
  named,
  owned,
  serverLabels,
  serverSpec,
  serverVolumes,
} from "./k3k-specs.ts";

const workloadUid = "2d7f4c1a-8b0e-4c53-9a53-6f2f0f3b1c77";
const digest = "7c9d8f6b54";

/** Pods and claims that Kubernetes' controllers make from K3k's StatefulSet and DaemonSet. */
export function workloads(host: Host): LegitimateObject[] {
  const server = named(host, "server");
  const kubelet = named(host, "kubelet");
  const controller = (kind: string, name: string): OwnerReference => ({
    apiVersion: "apps/v1",
    kind,
    name,
    uid: workloadUid,
    controller: true,
    blockOwnerDeletion: true,
  });
  const { namespace } = host.cluster;
  const serverPod = (release: K3kRelease): KubernetesObject => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: `${server}-0`,
      generateName: `${server}-`,
      namespace,
      labels: {
        ...serverLabels(host),
        "apps.kubernetes.io/pod-index": "0",
        "controller-revision-hash": `${server}-${digest}`,
        "statefulset.kubernetes.io/pod-name": `${server}-0`,
      },
      ownerReferences: [controller("StatefulSet", server)],
    },
    spec: {
      ...serverSpec(host, release),
      hostname: `${server}-0`,
      subdomain: named(host, "service-headless"),
      volumes: [
        ...serverVolumes(host, release),
        {
          name: "varlibrancherk3s",
          persistentVolumeClaim: { claimName: tenantNames(host.cluster.name).datastoreClaim },
        },
      ],
    },
  });
  const revision = (kind: string, name: string): KubernetesObject => ({
    apiVersion: "apps/v1",
    kind: "ControllerRevision",
    metadata: {
      name: `${name}-${digest}`,
      namespace,
      labels: { "controller.kubernetes.io/hash": digest },
      ownerReferences: [controller(kind, name)],
    },
    data: { spec: { template: { $patch: "replace" } } },
    revision: 1,
  });
  return [
    ...(["1.1.0", "1.2.0-rc4"] as const).map((release): LegitimateObject => ({
      name: `the guest's server, K3k ${release}`,
      source: `k3k v${release} pkg/controller/cluster/server/server.go; Kubernetes v1.35 pkg/controller/statefulset`,
      as: "statefulset-controller",
      object: serverPod(release),
    })),
    updateEntry({
      name: "the guest's server gets K3k's finalizer",
      source: "k3k v1.1.0 pkg/controller/cluster/statefulset.go handleServerPod",
      as: "k3k-controller",
      before: serverPod("1.1.0"),
      change: (existing) => ({
        ...existing,
        metadata: { ...existing.metadata, finalizers: ["etcdpod.k3k.io/finalizer"] },
      }),
    }),
    {
      name: "the claim of the guest's datastore",
      source: "k3k v1.1.0 server.go setupDynamicPersistence; Kubernetes v1.35 getPersistentVolumeClaims",
      as: "statefulset-controller",
      object: {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: owned(host, tenantNames(host.cluster.name).datastoreClaim, { labels: serverLabels(host) }),
        spec: datastoreSpec(),
      },
    },
    {
      name: "a revision of the server's StatefulSet",
      source: "Kubernetes v1.35 pkg/controller/history",
      as: "statefulset-controller",
      object: revision("StatefulSet", server),
    },
    {
      name: "K3k's kubelet",
      source: "k3k v1.1.0 pkg/controller/cluster/agent/shared.go; Kubernetes v1.35 pkg/controller/daemon",
      as: "daemonset-controller",
      object: {
        apiVersion: "v1",
        kind: "Pod",
        metadata: {
          generateName: `${kubelet}-`,
          namespace,
          labels: { ...kubeletLabels(host), "controller-revision-hash": digest, "pod-template-generation": "1" },
          ownerReferences: [controller("DaemonSet", kubelet)],
        },
        spec: { ...kubeletSpec(host), affinity: onNode("node-1"), tolerations: daemonSetTolerations() },
      },
    },
    {
      name: "a revision of the kubelets' DaemonSet",
      source: "Kubernetes v1.35 pkg/controller/daemon/update.go",
      as: "daemonset-controller",
      object: revision("DaemonSet", kubelet),
    },
    ...(["statefulset-controller", "daemonset-controller", "k3k-kubelet"] as const).map((as) => event(host, as)),
  ];
}

function event(
  host: Host,
  as: Extract<Identity, "daemonset-controller" | "k3k-kubelet" | "statefulset-controller">,
): LegitimateObject {
  const { namespace, name } = host.cluster;
  const involved = {
    "statefulset-controller": { apiVersion: "apps/v1", kind: "StatefulSet", name: named(host, "server") },
    "daemonset-controller": { apiVersion: "apps/v1", kind: "DaemonSet", name: named(host, "kubelet") },
    // The lease by which the kubelets agree on who copies.
    "k3k-kubelet": { apiVersion: "coordination.k8s.io/v1", kind: "Lease", name },
  }[as];
  const timestamp = "2026-01-01T00:00:00Z";
  return {
    name: `an event of the ${as}`,
    source: "Kubernetes v1.35 client-go tools/record",
    as,
    object: {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: `${involved.name}.18b194827e6b49da`, namespace },
      involvedObject: { ...involved, namespace },
      reason: as === "k3k-kubelet" ? "LeaderElection" : "SuccessfulCreate",
      message: as === "k3k-kubelet" ? "node-1 became leader" : "create Pod successful",
      type: "Normal",
      count: 1,
      firstTimestamp: timestamp,
      lastTimestamp: timestamp,
      source: { component: as },
    },
  };
}
