import { createHash } from "node:crypto";
import { stringify } from "yaml";
import type { Machine } from "./machine.ts";

/**
 * System extensions of Talos that a machine needs: those that Longhorn asks for (longhorn.io/docs, "Talos Linux
 * Support"), and the microcode of its processor.
 */
export function systemExtensions({ processor }: Machine): readonly string[] {
  const microcode = processor.vendor === "intel" ? "siderolabs/intel-ucode" : "siderolabs/amd-ucode";
  return [microcode, "siderolabs/iscsi-tools", "siderolabs/util-linux-tools"].sort();
}

/** The schematic of a machine's images, as Talos' Image Factory takes it. */
export function schematic(machine: Machine): string {
  const extensions = systemExtensions(machine);
  return stringify({ customization: { systemExtensions: { officialExtensions: extensions } } }, { indent: 4 });
}

/**
 * The schematic's name at the Image Factory: the SHA-256 of its text (siderolabs/image-factory, pkg/schematic). The
 * factory makes images only for those that were sent to it once.
 */
export function schematicId(machine: Machine): string {
  return createHash("sha256").update(schematic(machine)).digest("hex");
}

/**
 * The image that installs and upgrades Talos on a machine.
 *
 * @param version Of Talos, without a `v`.
 */
export function installerImage(machine: Machine, version: string): string {
  return `factory.talos.dev/metal-installer/${schematicId(machine)}:v${version}`;
}
