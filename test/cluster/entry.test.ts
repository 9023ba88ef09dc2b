import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Pod } from "../../cluster/objects.ts";
import { paths } from "../../cluster/paths.ts";
import { metallbClass, metallbNamespace } from "../../components/plan/metallb-values.ts";
import { syncedName } from "../../components/plan/names.ts";
import { platformNamespaces } from "../../components/plan/network/platform-policies.ts";
import { k3kVersion } from "../../local/charts.ts";
import { guestVersions, platformImages } from "../../local/images/images.ts";
import { homelab } from "../../stacks/homelab.ts";
import { type Config, type Embedded, embedded, eventually } from "./embedded.ts";

// MetalLB's chart, its CRDs and every object are real; its pods are simulated, so that no address moves anywhere.
const entry = "192.168.1.250";
const config: Config = {
  "kraft:network": { resolvers: ["198.51.100.1"], entry, hairpin: false },
  "kraft:tenants": tenants({ "25565/tcp": "games/minecraft:25565", "34197/udp": "games/factorio:34197" }),
};

function tenants(ports: Readonly<Record<string, string>>) {
  return { acme: { domains: ["acme.example"], size: "small", ports } };
}

let host: Embedded;

before(async () => {
  host = await embedded("homelab");
  const { messages } = await host.up(config);
  assert.deepEqual(
    messages.filter(({ severity }) => severity === "error"),
    [],
  );
});

after(() => host.remove());

interface Pool {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly addresses: readonly string[]; readonly autoAssign: boolean };
}

test("MetalLB's own kinds hold the one address, and give it to nobody who does not ask for it", async () => {
  const { api } = host.cluster;
  const pools = (await api.list(`/apis/metallb.io/v1beta1/namespaces/${metallbNamespace}/ipaddresspools`)) as unknown;
  const [pool, ...others] = pools as readonly Pool[];
  assert.deepEqual([pool?.spec.addresses, pool?.spec.autoAssign, others], [[`${entry}/32`], false, []]);
  const advertisements = await api.list(`/apis/metallb.io/v1beta1/namespaces/${metallbNamespace}/l2advertisements`);
  assert.equal(advertisements.length, 1);
});

test("Traefik asks for it, and k3s' own load balancer keeps out", async () => {
  const service = await host.cluster.api.get<{
    readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
    readonly spec: { readonly type: string; readonly loadBalancerClass?: string };
    readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly unknown[] } };
  }>("/api/v1/namespaces/traefik/services/traefik");
  assert.equal(service?.metadata.annotations?.["metallb.io/loadBalancerIPs"], entry);
  assert.deepEqual([service.spec.type, service.spec.loadBalancerClass], ["LoadBalancer", metallbClass]);
  assert.deepEqual(service.status?.loadBalancer?.ingress ?? [], []);
});

test("ports of a tenant are ports of the same Service and address, and lead to the copy of the tenant's Service", async () => {
  const { api } = host.cluster;
  interface Workload {
    readonly spec: { readonly template: { readonly spec: { readonly containers: readonly [{ args: string[] }] } } };
  }
  const service = await api.get<{ readonly spec: { readonly ports: readonly { port: number; protocol: string }[] } }>(
    "/api/v1/namespaces/traefik/services/traefik",
  );
  assert.deepEqual(
    service?.spec.ports.map(({ port, protocol }) => `${port}/${protocol}`),
    ["80/TCP", "443/TCP", "25565/TCP", "34197/UDP"],
  );
  const traefik = await api.get<Workload>("/apis/apps/v1/namespaces/traefik/daemonsets/traefik");
  assert.deepEqual(
    traefik?.spec.template.spec.containers[0].args.filter((argument) => argument.includes("port-")),
    [
      "--entryPoints.port-25565-tcp.address=:25565/tcp",
      "--entryPoints.port-34197-udp.address=:34197/udp",
      "--entryPoints.port-34197-udp.udp.timeout=30s",
    ],
  );
  const group = "/apis/traefik.io/v1alpha1/namespaces/k3k-acme";
  const route = async (path: string) => (await api.get<{ readonly spec: object }>(`${group}/${path}`))?.spec;
  assert.deepEqual(await route("ingressroutetcps/acme-port-25565-tcp"), {
    entryPoints: ["port-25565-tcp"],
    routes: [
      {
        match: "HostSNI(`*`)",
        services: [{ name: syncedName("acme", { namespace: "games", name: "minecraft" }), port: 25565 }],
      },
    ],
  });
  assert.deepEqual(await route("ingressrouteudps/acme-port-34197-udp"), {
    entryPoints: ["port-34197-udp"],
    routes: [{ services: [{ name: syncedName("acme", { namespace: "games", name: "factorio" }), port: 34197 }] }],
  });
});

test("who announces it is on every node, and may", async () => {
  const ready = await eventually("MetalLB on every node", async () => {
    const speaker = await host.cluster.api.get<{ readonly status?: { readonly numberReady?: number } }>(
      `/apis/apps/v1/namespaces/${metallbNamespace}/daemonsets/metallb-speaker`,
    );
    return speaker?.status?.numberReady === 3 ? 3 : undefined;
  });
  assert.equal(ready, 3);
});

test("where the house does not reach its own address, the issuer leaves the looking to the authority", async () => {
  const issuer = await host.cluster.api.get<{
    readonly spec: { readonly acme: { readonly solvers: readonly { readonly waitInsteadOfSelfCheck?: string }[] } };
  }>("/apis/cert-manager.io/v1/clusterissuers/kraft-issuer");
  assert.equal(issuer?.spec.acme.solvers[0]?.waitInsteadOfSelfCheck, "30s");
});

/** What a name of an image stands for, as containerd completes it: Docker's registry, and its library there. */
function complete(image: string): string {
  const [first = "", ...rest] = image.split("/");
  const [registry, path] = rest.length > 0 && /[.:]/.test(first) ? [first, rest] : ["docker.io", [first, ...rest]];
  return [registry, ...(registry === "docker.io" && path.length === 1 ? ["library"] : []), ...path].join("/");
}

/** Every image that a pod runs, and those that controllers are told by an argument to run. */
function imagesOf({ spec }: Pod): string[] {
  const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
  const told = containers.flatMap(({ args }) =>
    (args ?? []).flatMap(
      (argument) => /^--(?:acme-http01-solver|agent-shared)-image=(?<image>.+)$/.exec(argument)?.[1] ?? [],
    ),
  );
  return [...containers.flatMap(({ image }) => image ?? []), ...told].map(complete);
}

test("real machines have every image that the pods ask for, but for Longhorn's, which has a stand-in there", async () => {
  const made = platformImages({
    guestVersions: guestVersions(homelab.guestVersion),
    k3kVersion,
    program: (name) => `/${name}`,
    busybox: { files: [], applets: [] },
    authorities: "",
  }).flatMap(({ references }) => references);
  const asked = await eventually("pods of every part of the platform", async () => {
    const pods = await host.cluster.api.list(paths.pods.all);
    const found = new Set(
      pods.filter(({ metadata }) => metadata.namespace !== platformNamespaces.longhorn).flatMap(imagesOf),
    );
    const parts = ["cert-manager-webhook", "cert-manager-acmesolver", "k3k", "k3k-kubelet", "k3s", "metallb/speaker"];
    return parts.every((part) => [...found].some((image) => image.includes(`/${part}:`))) ? found : undefined;
  });
  assert.deepEqual(
    [...asked].filter((image) => !made.includes(image)),
    [],
  );
});

test("a second look finds nothing to change", async () => {
  assert.deepEqual((await host.preview(config)).steps, []);
});

test("a port that leaves the stack file is closed by the next up, one node after the other, and nothing else changes", async () => {
  const without: Config = { ...config, "kraft:tenants": tenants({ "25565/tcp": "games/minecraft:25565" }) };
  const { steps } = await host.up(without);
  assert.deepEqual(steps.map(({ operation, urn }) => `${operation} ${urn.split("::").at(-1) ?? ""}`).sort(), [
    "delete tenant-acme-port-34197-udp",
    "update traefik-network-entry-points",
    "update traefik:traefik/traefik",
    "update traefik:traefik/traefik",
  ]);
  const { api } = host.cluster;
  const group = "/apis/traefik.io/v1alpha1/namespaces/k3k-acme";
  assert.equal(await api.get(`${group}/ingressrouteudps/acme-port-34197-udp`), undefined);
  const traefik = await api.get<{
    readonly spec: { readonly updateStrategy: { readonly rollingUpdate?: { readonly maxUnavailable?: number } } };
  }>("/apis/apps/v1/namespaces/traefik/daemonsets/traefik");
  assert.equal(traefik?.spec.updateStrategy.rollingUpdate?.maxUnavailable, 1);
});
