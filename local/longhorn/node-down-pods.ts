import { parse } from "yaml";
import { longhornDriver } from "../../cluster/longhorn.ts";
import { condition, type Node } from "../../cluster/objects.ts";
import { paths } from "../../cluster/paths.ts";
import { platformNamespaces } from "../../components/plan/network/platform-policies.ts";
import { isBeingDeleted, type LonghornApi } from "./longhorn-api.ts";
import { forEachOf } from "./longhorn-stand-in.ts";
import {
  type Labels,
  type PersistentVolume,
  type Pod,
  type Stored,
  type VolumeAttachment,
  volumeAttachments,
} from "./objects.ts";

/** Kinds of owners whose pods a policy is for (Longhorn's setting `node-down-pod-deletion-policy`). */
const ownersByPolicy: Readonly<Record<string, readonly string[]>> = {
  "delete-statefulset-pod": ["StatefulSet"],
  "delete-deployment-pod": ["ReplicaSet"],
  "delete-both-statefulset-and-deployment-pod": ["StatefulSet", "ReplicaSet"],
};

interface Seen {
  readonly policy: string;
  readonly pods: readonly Pod[];
  readonly nodes: readonly Node[];
  readonly persistentVolumes: readonly PersistentVolume[];
  readonly attachments: readonly VolumeAttachment[];
  readonly now: Date;
}

/** What is to be deleted now: first a pod's attachments, and once these are gone the pod. */
export interface NodeDownDeletions {
  readonly attachments: readonly VolumeAttachment[];
  /** By force: no kubelet is there that could end them. */
  readonly pods: readonly Pod[];
}

/**
 * What Longhorn deletes of a node that is down, so that its volumes can be attached elsewhere: pods with a volume of
 * Longhorn's that are to go and whose time to end is over, if a StatefulSet or ReplicaSet owns them. A tenant's pod on the
 * host belongs to K3k's Cluster, so that none of theirs is among them (handlePodDeletionIfNodeDown of
 * controller/kubernetes_pod_controller.go).
 */
export function nodeDownDeletions({
  policy,
  pods,
  nodes,
  persistentVolumes,
  attachments,
  now,
}: Seen): NodeDownDeletions {
  const owners = ownersByPolicy[policy] ?? [];
  const ready = new Set(
    nodes.filter(({ status }) => condition(status, "Ready")?.status === "True").map(({ metadata }) => metadata.name),
  );
  const found: { attachments: VolumeAttachment[]; pods: Pod[] } = { attachments: [], pods: [] };
  for (const pod of pods.filter(isBeingDeleted)) {
    const { nodeName } = pod.spec;
    const owner = pod.metadata.ownerReferences?.find(({ controller }) => controller === true);
    const volumes = new Set(volumesOf(pod, persistentVolumes));
    if (nodeName === undefined || ready.has(nodeName) || volumes.size === 0 || !owners.includes(owner?.kind ?? "")) {
      continue;
    }
    const attached = attachments.filter(
      ({ spec }) =>
        spec.attacher === longhornDriver &&
        spec.nodeName === nodeName &&
        volumes.has(spec.source.persistentVolumeName ?? ""),
    );
    if (attached.length > 0) {
      found.attachments.push(...attached.filter((attachment) => !isBeingDeleted(attachment)));
    } else if (Date.parse(pod.metadata.deletionTimestamp ?? "") <= now.getTime()) {
      found.pods.push(pod);
    }
  }
  return found;
}

/** Names of the PersistentVolumes of Longhorn's that a pod uses. */
function volumesOf({ metadata, spec }: Pod, persistentVolumes: readonly PersistentVolume[]): readonly string[] {
  const claims = new Set((spec.volumes ?? []).map((volume) => volume.persistentVolumeClaim?.claimName));
  return persistentVolumes
    .filter(({ spec: { csi } }) => csi?.driver === longhornDriver)
    .filter(({ spec: { claimRef } }) => claimRef?.namespace === metadata.namespace && claims.has(claimRef?.name))
    .map((volume) => volume.metadata.name);
}

/** Longhorn's controller of pods, as far as it ends those of a node that is down. */
export class NodeDownPods {
  readonly #longhorn: LonghornApi;

  constructor(longhorn: LonghornApi) {
    this.#longhorn = longhorn;
  }

  async step(): Promise<void> {
    const { api } = this.#longhorn;
    const nodes = await api.list(paths.nodes.all);
    if (nodes.every(({ status }) => condition(status, "Ready")?.status === "True")) {
      return;
    }
    const [policy, pods, persistentVolumes, attachments] = await Promise.all([
      this.#policy(),
      api.list<Pod>("/api/v1/pods"),
      api.list<PersistentVolume>("/api/v1/persistentvolumes"),
      api.list<VolumeAttachment>(volumeAttachments),
    ]);
    const found = nodeDownDeletions({ policy, pods, nodes, persistentVolumes, attachments, now: new Date() });
    await forEachOf(found.attachments, ({ metadata }) =>
      api.delete(`${volumeAttachments}/${metadata.name}`, metadata.uid),
    );
    await forEachOf(found.pods, async ({ metadata: { name, namespace = "", uid } }) => {
      await api.send("DELETE", `/api/v1/namespaces/${namespace}/pods/${name}`, {
        body: { gracePeriodSeconds: 0, preconditions: { uid } },
      });
    });
  }

  /** The setting, as the chart's values have it. */
  async #policy(): Promise<string> {
    const map = await this.#longhorn.api.get<Stored & { readonly data?: Labels }>(
      `/api/v1/namespaces/${platformNamespaces.longhorn}/configmaps/longhorn-default-setting`,
    );
    const settings = parse(map?.data?.["default-setting.yaml"] ?? "") as Labels | null;
    return settings?.["node-down-pod-deletion-policy"] ?? "do-nothing";
  }
}
