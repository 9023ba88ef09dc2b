import { checker, kubectlImage, monitoringImages, versions } from "../../infra/versions.ts";
import { file, type Image, type ImageEntry, type Layer, textFile } from "./archive.ts";

/** What holds a pod's namespaces: the setting `sandbox_image` of containerd names it. The tag is that of Kubernetes 1.35. */
export const pauseImage = "registry.k8s.io/pause:3.10.1";

/**
 * CoreDNS of the host and of the guests, under the name that K3s of the guests' version has for it. The program in it is
 * newer: it is the version that `local/toolchain/tools.ts` pins.
 */
export const coreDnsImage = "docker.io/rancher/mirrored-coredns-coredns:1.14.2";

/** The website of a tenant, for the sample that `npm run local` brings up. It is nobody else's, and in no registry. */
export const sampleSiteImage = "kraft.local/sample-site:1";

/**
 * The image tags of K3s that the machines of a stack have: its own, and the next patch, so that guests can be raised to it.
 * Images that followed the stack file would restart the machines with each change.
 *
 * @throws Error if the stack's own is no image tag of K3s.
 */
export function guestVersions(own: string): readonly string[] {
  const [, minor, patch] = /^(v\d+\.\d+\.)(\d+)-k3s\d+$/.exec(own) ?? [];
  if (minor === undefined) {
    throw new Error(`${own} is no image tag of K3s`);
  }
  return [own, `${minor}${Number(patch) + 1}-k3s1`];
}

export interface ImageInputs {
  /** Image tags of K3s. */
  readonly guestVersions: readonly string[];
  /** The version of K3k's chart that is installed. */
  readonly k3kVersion: string;
  /** Paths of the programs by their names; undefined for one that is not built. */
  readonly program: (name: string) => string | undefined;
  /** Debian's busybox: the files that it consists of, and the names under which it can be called. */
  readonly busybox: { readonly files: Layer; readonly applets: readonly string[] };
  /** Certificates, in PEM, of the authorities that programs trust which call servers of the internet. */
  readonly authorities: string;
}

/** An image of the platform. */
export interface PlatformImage extends Image {
  /** Whether others publish what it stands for under its name: not a stand-in's program, and not the sample of ours. */
  readonly published: boolean;
  /** Whether it trusts the authorities of the caller. */
  readonly trusts: boolean;
}

/** Where programs look for the certificates that they trust, as on Debian. Go looks there before anywhere else. */
export const trustFile = "/etc/ssl/certs/ca-certificates.crt";

/** The user of images that need no rights, as in those of distroless that their originals are built on. */
const nobody = "65532:65532";

/**
 * Every image that the platform, its guests and the sample ask for, under the names that charts, K3k and K3s write. An
 * image has the program at the path where its original has it, where something names that path.
 *
 * An image of which a program is not built is left out.
 */
export function platformImages(inputs: ImageInputs): readonly PlatformImage[] {
  const { guestVersions, k3kVersion, program, busybox, authorities } = inputs;
  const base: Layer = [
    { kind: "folder", path: "/tmp", mode: 0o1777 },
    textFile("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65532:65532:nobody:/:/bin/false\n"),
    textFile("/etc/group", "root:x:0:\nnobody:x:65532:\n"),
  ];
  const trust: Layer = [textFile(trustFile, authorities)];
  const shell: Layer = [
    ...busybox.files,
    ...busybox.applets
      .filter((name) => name !== "busybox")
      .map((name): ImageEntry => ({ kind: "link", path: `/bin/${name}`, target: "busybox" })),
  ];
  const made = (
    references: string | readonly string[],
    programs: Readonly<Record<string, string>>,
    image: Omit<Image, "references" | "layers"> & { readonly below?: readonly Layer[]; readonly published?: false },
  ): PlatformImage[] => {
    const { below = [], published = true, ...rest } = image;
    const files = Object.entries(programs).map(([path, name]) => ({ path, from: program(name) }));
    const present = files.flatMap(({ path, from }) => (from === undefined ? [] : [file(path, from)]));
    return present.length < files.length
      ? []
      : [
          {
            references: [references].flat(),
            layers: [base, ...below, ...(present.length === 0 ? [] : [present])],
            published,
            trusts: below.includes(trust),
            ...rest,
          },
        ];
  };
  const certManager = (name: string, below: readonly Layer[] = []): PlatformImage[] =>
    made(
      `quay.io/jetstack/cert-manager-${name}:${versions.certManager.version}`,
      { [`/app/cmd/${name}/${name}`]: `cert-manager-${name}` },
      { entrypoint: [`/app/cmd/${name}/${name}`], user: nobody, below },
    );
  const metallb = (name: string): PlatformImage[] =>
    made(
      `quay.io/metallb/${name}:v${versions.metallb.version}`,
      { [`/${name}`]: `metallb-${name}` },
      { entrypoint: [`/${name}`] },
    );
  const monitoring = (
    name: keyof typeof monitoringImages,
    programs: Readonly<Record<string, string>>,
    below: readonly Layer[] = [],
  ): PlatformImage[] => {
    const { image, tag } = monitoringImages[name];
    return made(`${image}:${tag}`, programs, { entrypoint: Object.keys(programs), user: nobody, below });
  };
  return [
    ...made(pauseImage, { "/pause": "pause" }, { entrypoint: ["/pause"], user: "65535:65535" }),
    ...made(coreDnsImage, { "/coredns": "coredns" }, { entrypoint: ["/coredns"] }),
    ...made(
      `docker.io/library/traefik:${versions.traefik.image}`,
      { "/usr/local/bin/traefik": "traefik" },
      { entrypoint: ["/usr/local/bin/traefik"], below: [trust] },
    ),
    ...certManager("controller", [trust]),
    ...["webhook", "cainjector", "acmesolver"].flatMap((name) => certManager(name)),
    // Its Deployment names the command as an argument, so there is no entrypoint.
    ...made(`docker.io/rancher/k3k:v${k3kVersion}`, { "/usr/bin/k3k": "k3k" }, { command: ["k3k"] }),
    ...made(
      `docker.io/rancher/k3k-kubelet:v${k3kVersion}`,
      { "/usr/bin/k3k-kubelet": "k3k-kubelet" },
      { entrypoint: ["/usr/bin/k3k-kubelet"] },
    ),
    // In K3s' place: see local/tools/cluster/k3s-stand-in. One program has the names of all versions.
    ...made(
      guestVersions.map((version) => `docker.io/rancher/k3s:${version}`),
      { "/bin/k3s": "k3s-stand-in" },
      { entrypoint: ["/bin/k3s"], command: ["agent"], below: [shell], published: false },
    ),
    ...["controller", "speaker"].flatMap(metallb),
    ...monitoring("prometheus", { "/bin/prometheus": "prometheus" }),
    // It writes to servers of the internet.
    ...monitoring("alertmanager", { "/bin/alertmanager": "alertmanager" }, [trust]),
    ...monitoring("nodes", { "/bin/node_exporter": "node_exporter" }),
    ...monitoring("probes", { "/bin/blackbox_exporter": "blackbox_exporter" }),
    ...made(
      `${kubectlImage.image}:${kubectlImage.tag}`,
      { "/bin/kubectl": "kubectl" },
      { entrypoint: ["/bin/kubectl"] },
    ),
    ...made(`${checker.image}:${checker.tag}`, {}, { command: ["sh"], below: [shell] }),
    ...made(
      sampleSiteImage,
      { "/sample-site": "sample-site" },
      {
        entrypoint: ["/sample-site"],
        user: nobody,
        published: false,
        below: [[textFile("/site/index.html", "<!doctype html>\n<title>Kraft</title>\n<p>It works.</p>\n")], shell],
      },
    ),
  ];
}
