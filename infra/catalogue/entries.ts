/** A volume that can come back. */
export interface CatalogueVolume {
  readonly volume: string;
  readonly namespace: string;
  /** Name of the claim on the host; of a guest's volume the one that K3k gave it. */
  readonly claim: string;
  readonly sizeBytes: number;
  readonly storageClass: string;
  /** Longhorn's words: of one node, of one pod, or of many. */
  readonly accessMode: "rwo" | "rwop" | "rwx";
  readonly encrypted: boolean;
  readonly dataEngine: string;
  /** The newest backup that is whole. */
  readonly backup: CatalogueBackup;
  /** How many there are in all, the broken ones included. */
  readonly backups: number;
}

/** One backup. */
export interface CatalogueBackup {
  readonly name: string;
  /** RFC 3339: when its snapshot was made, which is how old its data is. */
  readonly created: string;
  /** As Longhorn names it, in `status.url` of its Backup and `spec.fromBackup` of a volume. */
  readonly url: string;
  /** Of all its blocks, uncompressed. */
  readonly bytes: number;
  /** That a restore downloads; null where blocks were not looked at. */
  readonly downloadBytes: number | null;
}

/** Something about a volume that the operator has to know. */
export interface CatalogueMessage {
  readonly volume: string;
  /** Whose it is; null where nothing says so. */
  readonly namespace: string | null;
  readonly claim: string | null;
  readonly message: string;
}
