import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { checker, monitoringImages, versions } from "../../../../infra/versions.ts";
import { file } from "../../../../local/images/archive.ts";
import {
  coreDnsImage,
  guestVersions,
  type ImageInputs,
  pauseImage,
  platformImages,
  sampleSiteImage,
} from "../../../../local/images/images.ts";
import { sourceFolder, toolModules } from "../../../../local/toolchain/tools.ts";
import { local } from "../../../../stacks/local.ts";

const inputs: ImageInputs = {
  guestVersions: guestVersions(local.guestVersion),
  k3kVersion: local.k3kVersion,
  program: (name) => `/programs/${name}`,
  busybox: { files: [file("/bin/busybox", "/programs/busybox")], applets: ["busybox", "cat", "grep", "sh", "tee"] },
  authorities: "the authorities",
};
const images = platformImages(inputs);

function image(reference: string) {
  const found = images.find(({ references }) => references.includes(reference));
  assert.ok(found, `no image is called ${reference}`);
  const entries = found.layers.flat();
  return { ...found, entries, has: (path: string) => entries.some((entry) => entry.path === path) };
}

test("every name is complete, and has the version that is declared", () => {
  for (const reference of images.flatMap(({ references }) => references)) {
    assert.match(reference, /^[a-z0-9-]+\.[a-z0-9.-]+(\/[a-z0-9-]+)+:[\w.-]+$/);
  }
  for (const reference of [
    `docker.io/rancher/k3s:${local.guestVersion}`,
    `docker.io/rancher/k3k:v${local.k3kVersion}`,
    `docker.io/rancher/k3k-kubelet:v${local.k3kVersion}`,
    `docker.io/library/traefik:${versions.traefik.image}`,
    `quay.io/jetstack/cert-manager-controller:${versions.certManager.version}`,
    `quay.io/metallb/speaker:v${versions.metallb.version}`,
    `${checker.image}:${checker.tag}`,
    ...Object.values(monitoringImages).map(({ image, tag }) => `${image}:${tag}`),
    coreDnsImage,
    pauseImage,
  ]) {
    image(reference);
  }
});

test("every program of an image is one that is built", () => {
  const asked = new Set<string>();
  platformImages({ ...inputs, program: (name) => void asked.add(name) });
  const built = toolModules.flatMap(({ tools }) => tools.map(({ name }) => name));
  assert.deepEqual(
    [...asked].filter((name) => !built.includes(name)),
    [],
  );
});

test("an image whose program is not built is left out, those without one of their own stay", () => {
  const references = platformImages({ ...inputs, program: () => undefined }).flatMap((each) => each.references);
  assert.deepEqual(references, [`${checker.image}:${checker.tag}`]);
});

test("the guest's image has the names of its version and of the next patch", () => {
  assert.deepEqual(guestVersions("v1.35.9-k3s2"), ["v1.35.9-k3s2", "v1.35.10-k3s1"]);
  assert.throws(() => guestVersions("latest"), /is no image tag/);
  for (const version of inputs.guestVersions) {
    assert.ok(image(`docker.io/rancher/k3s:${version}`).has("/bin/k3s"));
  }
});

test("the guest's image has the shell that K3k's script is run by, with every command in it", () => {
  const k3s = image(`docker.io/rancher/k3s:${local.guestVersion}`);
  for (const path of ["/bin/k3s", "/bin/sh", "/bin/tee", "/bin/grep", "/bin/cat", "/tmp"]) {
    assert.ok(k3s.has(path), path);
  }
});

test("who orders certificates trusts the authorities of the caller", () => {
  const controller = image(`quay.io/jetstack/cert-manager-controller:${versions.certManager.version}`);
  const trusted = controller.entries.find(({ path }) => path === "/etc/ssl/certs/ca-certificates.crt");
  assert.deepEqual(trusted?.kind === "file" && trusted.from, { text: "the authorities" });
});

test("what nobody publishes is told from what is taken from its project where published images are asked for", () => {
  const references = (chosen: boolean): string[] =>
    images.filter(({ published }) => published === chosen).flatMap((each) => each.references);
  const ofK3s = guestVersions(local.guestVersion).map((version) => `docker.io/rancher/k3s:${version}`);
  assert.deepEqual(references(false), [...ofK3s, sampleSiteImage]);
  assert.equal(references(true).length, images.length - 2);
});

test("published images of programs that call servers are those that trust the authorities of the caller", () => {
  assert.deepEqual(
    images.filter(({ trusts }) => trusts).map(({ references: [reference = ""] }) => reference.replace(/:.*/, "")),
    ["docker.io/library/traefik", "quay.io/jetstack/cert-manager-controller", monitoringImages.alertmanager.image],
  );
});

test("what its chart runs as a user who is not root names one by its number", () => {
  for (const name of ["controller", "webhook", "cainjector", "acmesolver"]) {
    assert.match(
      image(`quay.io/jetstack/cert-manager-${name}:${versions.certManager.version}`).user ?? "",
      /^[1-9]\d*:/,
    );
  }
});

test("guests ask for the same CoreDNS as the host", () => {
  const nodes = toolModules.find(({ name }) => name === "nodes");
  assert.ok(nodes);
  const folder = join(sourceFolder(nodes), "k3s-stand-in");
  const texts = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
  const asked = texts.flatMap((text) => [...text.matchAll(/rancher\/mirrored-coredns-coredns:[\w.-]+/g)].flat());
  assert.deepEqual([...new Set(asked)], [coreDnsImage.replace("docker.io/", "")]);
});
