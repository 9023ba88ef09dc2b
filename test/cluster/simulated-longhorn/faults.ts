import type { Backup, Volume } from "../../../local/longhorn/objects.ts";

/** How a restore goes wrong: it never ends, or every replica fails. */
export type RestoreFault = "endless" | "faulted";

/** What goes wrong. Each may be set or taken away at any time. */
export interface Faults {
  /** How the restore of a volume goes wrong, of a standby volume its first one; undefined where it does not. */
  restore?: (volume: Volume) => RestoreFault | undefined;
  /** How a standby volume that was restored once fails to follow: `endless` holds it back at what it has. */
  follow?: (volume: Volume) => RestoreFault | undefined;
  /** What Longhorn says to a backup that fails; undefined where it does not. */
  backup?: (backup: Backup, volume: string) => string | undefined;
}
