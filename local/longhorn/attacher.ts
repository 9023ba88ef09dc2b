import { longhornDriver } from "../../cluster/longhorn.ts";
import { messageOf } from "../../errors/failure.ts";
import { isBeingDeleted, type LonghornApi } from "./longhorn-api.ts";
import { forEachOf } from "./longhorn-stand-in.ts";
import {
  type PersistentVolume,
  type Stored,
  type Volume,
  type VolumeAttachment,
  volumeAttachments,
} from "./objects.ts";
import type { RealDisks } from "./real-disks.ts";
import { now } from "./time.ts";
import { whyNotReady } from "./volumes.ts";

/** What kubernetes-csi's external-attacher puts on VolumeAttachments and PersistentVolumes (GetFinalizerName of its pkg/controller/util.go). */
const finalizer = `external-attacher/${longhornDriver.replaceAll(".", "-")}`;

const manager = "external-attacher";

interface Cluster {
  readonly attachments: readonly VolumeAttachment[];
  readonly persistentVolumes: readonly PersistentVolume[];
  readonly volumes: readonly Volume[];
  /** Names of volumes that nodes can mount now. */
  readonly mounted: ReadonlySet<string>;
}

/** The CSI attacher: makes a volume ready for the nodes that VolumeAttachments name, as long as they are there. */
export class Attacher {
  readonly #longhorn: LonghornApi;
  readonly #disks: RealDisks;

  constructor(longhorn: LonghornApi, disks: RealDisks) {
    this.#longhorn = longhorn;
    this.#disks = disks;
  }

  async step(): Promise<void> {
    const { api } = this.#longhorn;
    const all = await api.list<VolumeAttachment>(volumeAttachments);
    const attachments = all.filter(({ spec }) => spec.attacher === longhornDriver);
    if (attachments.length === 0) {
      return;
    }
    const [persistentVolumes, volumes, states] = await Promise.all([
      api.list<PersistentVolume>("/api/v1/persistentvolumes"),
      this.#longhorn.list<Volume>("Volume"),
      this.#disks.states(),
    ]);
    const mounted = new Set(states.filter((disk) => disk.mounted).map(({ name }) => name));
    const cluster = { attachments, persistentVolumes, volumes, mounted };
    // First those that go: what they free may be waited for.
    await forEachOf(attachments.filter(isBeingDeleted), (attachment) => this.#detach(attachment, cluster));
    await forEachOf(
      attachments.filter((attachment) => !isBeingDeleted(attachment)),
      (attachment) => this.#attach(attachment, cluster),
    );
  }

  async #attach(attachment: VolumeAttachment, cluster: Cluster): Promise<void> {
    const { status = {} } = attachment;
    const persistentVolume = persistentVolumeOf(attachment, cluster);
    const handle = persistentVolume?.spec.csi?.volumeHandle ?? "";
    const obstacle = obstacleTo(attachment, persistentVolume, cluster);
    if (obstacle !== undefined) {
      await this.#refuse(attachment, obstacle);
      return;
    }
    if (status.attached === true && cluster.mounted.has(handle)) {
      return;
    }
    try {
      await this.#setFinalizers("/api/v1/persistentvolumes", "v1", "PersistentVolume", persistentVolume, [finalizer]);
      await this.#setFinalizers(volumeAttachments, "storage.k8s.io/v1", "VolumeAttachment", attachment, [finalizer]);
      await this.#disks.attach(handle);
      await this.#setStatus(attachment, { attached: true });
    } catch (error) {
      await this.#refuse(attachment, messageOf(error));
      throw error;
    }
  }

  /** Says to whoever waits for a volume why it does not come. */
  async #refuse(attachment: VolumeAttachment, message: string): Promise<void> {
    const { attached, attachError } = attachment.status ?? {};
    if (attached !== true && attachError?.message !== message) {
      await this.#setStatus(attachment, { attached: false, attachError: { message, time: now() } });
    }
  }

  async #detach(attachment: VolumeAttachment, cluster: Cluster): Promise<void> {
    if (!(attachment.metadata.finalizers ?? []).includes(finalizer)) {
      return;
    }
    const persistentVolume = persistentVolumeOf(attachment, cluster);
    const handle = persistentVolume?.spec.csi?.volumeHandle ?? "";
    const others = cluster.attachments.filter(
      (other) =>
        other.metadata.uid !== attachment.metadata.uid &&
        other.spec.source.persistentVolumeName === attachment.spec.source.persistentVolumeName &&
        !isBeingDeleted(other),
    );
    if (handle !== "" && others.every(({ status }) => status?.attached !== true)) {
      await this.#disks.detach(handle);
    }
    if (others.length === 0) {
      await this.#setFinalizers("/api/v1/persistentvolumes", "v1", "PersistentVolume", persistentVolume, []);
    }
    await this.#setStatus(attachment, { attached: false });
    await this.#setFinalizers(volumeAttachments, "storage.k8s.io/v1", "VolumeAttachment", attachment, []);
  }

  async #setFinalizers(
    collection: string,
    apiVersion: string,
    kind: string,
    object: Stored | undefined,
    finalizers: readonly string[],
  ): Promise<void> {
    const has = (object?.metadata.finalizers ?? []).includes(finalizer);
    if (object !== undefined && has !== finalizers.includes(finalizer)) {
      const { name, uid } = object.metadata;
      await this.#longhorn.api.apply(
        `${collection}/${name}`,
        { apiVersion, kind, metadata: { name, uid, finalizers } },
        manager,
      );
    }
  }

  async #setStatus({ metadata: { name, uid } }: VolumeAttachment, status: object): Promise<void> {
    await this.#longhorn.api.apply(
      `${volumeAttachments}/${name}/status`,
      { apiVersion: "storage.k8s.io/v1", kind: "VolumeAttachment", metadata: { name, uid }, status },
      manager,
    );
  }
}

function persistentVolumeOf({ spec }: VolumeAttachment, { persistentVolumes }: Cluster): PersistentVolume | undefined {
  return persistentVolumes.find(({ metadata }) => metadata.name === spec.source.persistentVolumeName);
}

/** Why a node cannot have a volume now; undefined where it can. */
function obstacleTo(
  { spec, metadata, status }: VolumeAttachment,
  persistentVolume: PersistentVolume | undefined,
  { volumes, attachments }: Cluster,
): string | undefined {
  const handle = persistentVolume?.spec.csi?.volumeHandle;
  const volume = volumes.find((candidate) => candidate.metadata.name === handle);
  if (handle === undefined || volume === undefined) {
    return `the PersistentVolume ${spec.source.persistentVolumeName ?? ""} has no volume of Longhorn's`;
  }
  if (isBeingDeleted(volume)) {
    return `volume ${handle} is being deleted`;
  }
  const unready = whyNotReady(volume);
  if (unready !== undefined) {
    return `volume ${handle} is not ready: ${unready}`;
  }
  const elsewhere = attachments.find(
    (other) =>
      other.metadata.uid !== metadata.uid &&
      other.spec.source.persistentVolumeName === spec.source.persistentVolumeName &&
      other.spec.nodeName !== spec.nodeName &&
      other.status?.attached === true,
  );
  return status?.attached !== true && volume.spec.accessMode !== "rwx" && elsewhere !== undefined
    ? `volume ${handle} is attached to ${elsewhere.spec.nodeName}`
    : undefined;
}
