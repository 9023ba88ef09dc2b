import type { Stack } from "../../stacks/index.ts";
import { pauseImage } from "../images/images.ts";
import { provideImages } from "../images/provide.ts";
import { importedStore } from "../images/store.ts";
import type { Reporter } from "../terminal.ts";
import { debianRoot } from "../toolchain/debian.ts";
import type { Tools } from "../toolchain/ready.ts";
import { internetCertificate } from "./certificates.ts";
import { machinePackages } from "./debian-packages.ts";
import type { HomeMaterial } from "./layout.ts";

/** Makes what machines and pods consist of, or finds it in the cache: a Debian, and the images of the platform. */
export async function provideHome(tools: Tools, stack: Stack, reporter: Reporter): Promise<HomeMaterial> {
  const root = await debianRoot({ packages: machinePackages, purpose: "the machines" });
  const images = await provideImages({ tools, stack, authorities: internetCertificate(tools), reporter });
  const store = await importedStore(images, root, reporter);
  return { root, images: { ...images, store }, pauseImage };
}
