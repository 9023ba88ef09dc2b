import { pauseImage } from "../images/images.ts";
import { provideImages } from "../images/provide.ts";
import type { ImageSource } from "../images/source.ts";
import { importedStore } from "../images/store.ts";
import type { Reporter } from "../terminal.ts";
import { debianRoot } from "../toolchain/debian.ts";
import type { Tools } from "../toolchain/ready.ts";
import { internetCertificate } from "./certificates.ts";
import { machinePackages } from "./debian-packages.ts";
import type { HomeMaterial } from "./layout.ts";

/**
 * Makes what machines and pods consist of, or finds it in the cache: a Debian, and the images of the platform.
 *
 * @param guestVersions Image tags of the K3s that guests may run.
 * @param unbuilt Names of the programs that were not built, since their images are published.
 */
export async function provideHome(inputs: {
  readonly tools: Tools;
  readonly unbuilt: readonly string[];
  readonly guestVersions: readonly string[];
  readonly source: ImageSource;
  readonly reporter: Reporter;
}): Promise<HomeMaterial> {
  const { tools, source, reporter } = inputs;
  const root = await debianRoot({ packages: machinePackages, purpose: "the machines" });
  const images = await provideImages({ ...inputs, authorities: internetCertificate(tools) });
  const store = await importedStore(images, root, reporter);
  return { root, images: { ...images, store, source }, pauseImage };
}
