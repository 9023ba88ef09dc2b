const units = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** A number of bytes as people read it: `0 B`, `1.5 KiB`, `48 MiB`. */
export function bytesText(bytes: number): string {
  const step = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${Math.round((bytes / 1024 ** step) * 10) / 10} ${units[step] ?? ""}`;
}
