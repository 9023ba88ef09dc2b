// Every part of the platform is killed in turn, while visitors open a tenant's site and the tenant asks their
// guest's API. Each comes back, pods of the guest find names, the files are what they were, and `status` has nothing to say at
// the end.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { condition, hasEnded, type KubernetesObject, type Node, type Pod } from "../../cluster/objects.ts";
import { labelled, paths } from "../../cluster/paths.ts";
import { tenantNames } from "../../components/plan/names.ts";
import { platformNamespaces } from "../../components/plan/network/platform-policies.ts";
import { messageOf } from "../../errors/failure.ts";
import { runInMachine } from "../../local/home/enter.ts";
import { asRoot } from "../../local/root.ts";
import type { EmbeddedHome, Guest } from "../live/embedded-home.ts";
import { ofNodes, ofPods, type Processes } from "../live/processes.ts";
import { clock, type Rehearsal } from "./rehearsal.ts";
import {
  applications,
  bringBackLostPods,
  database,
  filesOf,
  moveIn,
  shop,
  waitingPods,
  writeFiles,
} from "./tenants.ts";
import { everyoneSees, tenantAtTheirApi, Visitor } from "./visitor.ts";

const tenant = "acme";
const names = tenantNames(tenant);

/** How often a part is killed, each time once it has come back from the time before. */
const often = 2;

/** After how many seconds without any change nobody waits any longer: a guest's server needs a minute and a quarter. */
const patience = 90;

/** How many seconds everything has to be well at a stretch until a part counts as back, so that nothing late is missed. */
const stretch = 12;

type ClusterApi = Awaited<ReturnType<Guest["api"]>> | ReturnType<EmbeddedHome["host"]>;

/** What is killed all at once. */
interface Part {
  /** Its processes, of each pod or machine. Looked for anew each time. */
  readonly find: (home: EmbeddedHome) => Promise<readonly Processes[]>;
  /** How often it is killed, where it takes minutes to come back. */
  readonly kills?: number;
  /** Whether the new processes have done their work since a moment, where no pod shows it. */
  readonly works?: (home: EmbeddedHome, since: number) => Promise<boolean>;
  /** Whether pods may not come back before K3k's kubelets are started again: those of K3k 1.1.0 do that (rancher/k3k#1021). */
  readonly losesPods?: true;
}

/** What k3s is on a node, all in one process; as the kernel cuts the names. The first four are on the first node only. */
const k3s = [
  ...["etcd", "kube-apiserver", "kube-controller", "kube-scheduler"],
  ...["kubelet", "containerd", "kube-proxy", "kube-router"],
] as const;

const parts: Readonly<Record<string, Part>> = {
  "K3k's controller": { find: (home) => ofPods(home, paths.pods.in(platformNamespaces.k3k)) },
  "the guest's server": {
    find: (home) => ofPods(home, labelled(paths.pods.in(names.namespace), "role=server")),
    kills: 1,
  },
  "the guest's K3k kubelets, on every node": {
    find: (home) => ofPods(home, labelled(paths.pods.in(names.namespace), "type=agent")),
    works: async (home, since) => everyKubeletHasReported(await home.guest(tenant).api(), since),
    losesPods: true,
    kills: 1,
  },
  "the guest's CoreDNS": { find: (home) => ofGuestPods(home, "kube-system") },
  "the tenant's own pods": { find: (home) => ofGuestPods(home, "default") },
  "Traefik, on every node": { find: (home) => ofPods(home, paths.pods.in(platformNamespaces.traefik)) },
  "cert-manager, all of it": { find: (home) => ofPods(home, paths.pods.in(platformNamespaces.certManager)) },
  "the host's CoreDNS": { find: (home) => ofPods(home, labelled(paths.pods.in("kube-system"), "k8s-app=kube-dns")) },
  "the kubelet of every node": {
    find: (home) => ofNodes(home, "kubelet"),
    works: (home, since) => everyKubeletHasReported(home.host(), since),
  },
  "containerd on every node": { find: (home) => ofNodes(home, "containerd"), works: everyContainerdAnswers },
  "k3s as a whole, on every node": {
    find: (home) => ofNodes(home, ...k3s),
    works: async (home, since) =>
      (await everyContainerdAnswers(home)) && (await everyKubeletHasReported(home.host(), since)),
  },
};

/** The processes of a guest's pods, by their addresses: K3k 1.1.0 takes every other mark away when one of its kubelets starts. */
async function ofGuestPods(home: EmbeddedHome, namespace: string): Promise<readonly Processes[]> {
  const inGuest = await (await home.guest(tenant).api()).list(paths.pods.in(namespace));
  const addresses = new Set(inGuest.map(({ status }) => status?.podIP));
  return ofPods(home, paths.pods.in(names.namespace), ({ status }) => addresses.has(status?.podIP));
}

/** A home whose tenant has moved in. */
interface Scene {
  readonly rehearsal: Rehearsal;
  readonly home: EmbeddedHome;
  readonly site: Visitor;
  /** The tenant, who asks whether their guest's API server is ready. */
  readonly api: Visitor;
  /** What the tenant's volumes hold, by application. */
  readonly files: Readonly<Record<string, string>>;
}

export async function run(rehearsal: Rehearsal): Promise<void> {
  const home = rehearsal.home();
  await rehearsal.step("a home comes up", () => rehearsal.bringUp(home));
  await rehearsal.step(`${tenant} moves in`, async () => {
    await moveIn(home, tenant);
    for (const app of applications) {
      await writeFiles(home.guest(tenant), app, 4);
    }
  });
  await killParts(rehearsal, home);
}

/**
 * Kills one part after the other, in a home whose tenant has moved in.
 *
 * @param chosen Names of parts. Default: all
 */
export async function killParts(
  rehearsal: Rehearsal,
  home: EmbeddedHome,
  chosen: readonly string[] = Object.keys(parts),
): Promise<void> {
  const scene = await watched(rehearsal, home);
  for (const [name, part] of Object.entries(parts).filter(([each]) => chosen.includes(each))) {
    await killOften(scene, name, part);
  }
  await rehearsal.command("npx kraft status -s local", () => home.tool("status", "-s", "local"));
}

async function watched(rehearsal: Rehearsal, home: EmbeddedHome): Promise<Scene> {
  const site = new Visitor(home, `https://${shop}.${tenant}.example/`);
  const api = await tenantAtTheirApi(home, tenant);
  rehearsal.removeAtEnd(() => {
    site.leave();
    api.leave();
  });
  await everyoneSees([site, api]);
  return { rehearsal, home, site, api, files: await filesOf(home.guest(tenant)) };
}

/** Kills a part again and again, and says what the worst time was. A part that does not come back is not killed again. */
async function killOften(scene: Scene, name: string, part: Part): Promise<void> {
  const { rehearsal, home, files } = scene;
  const times: Times[] = [];
  try {
    while (times.length < (part.kills ?? often)) {
      const found = await rehearsal.step(`${name}: kill ${times.length + 1}`, () => killOnce(scene, name, part));
      times.push(found);
    }
    const now = await filesOf(home.guest(tenant));
    const changed = applications.filter((app) => now[app] !== files[app]);
    rehearsal.expect(
      `every file after ${name}`,
      changed.length === 0 ? "equal, byte for byte" : `not those of before: ${changed.join(", ")}`,
      changed.length === 0,
    );
  } catch (error) {
    rehearsal.expect(`${name} comes back`, messageOf(error), false);
  }
  const worst = (of: (times: Times) => number): string => {
    const seconds = Math.max(0, ...times.map(of));
    return seconds === 0 ? "never away" : `away for ${clock(seconds)}`;
  };
  const lost = times.flatMap((each) => each.lost);
  rehearsal.figure(
    `${name}, killed ${times.length === 1 ? "once" : `${times.length} times`}`,
    `the site ${worst(({ site }) => site)}, the guest's API ${worst(({ api }) => api)}, everything ready after ${clock(Math.max(0, ...times.map(({ ready }) => ready)))}`,
  );
  rehearsal.expect(
    `every pod came back by itself after ${name}`,
    lost.length === 0 ? "yes" : `not until K3k's kubelets were started again: ${lost.join(", ")}`,
    lost.length === 0 || part.losesPods === true,
  );
}

/** What a kill did, in seconds since it. */
interface Times {
  /** Until the site came every time; 0 where it was never away. */
  readonly site: number;
  /** Until the guest's API server was ready every time; 0 where it was never away. */
  readonly api: number;
  /** Until everything was ready again, for good. */
  readonly ready: number;
  /** Pods that did not come back before K3k's kubelets were started again, as guest-down.md says. */
  readonly lost: readonly string[];
}

async function killOnce(scene: Scene, name: string, part: Part): Promise<Times> {
  const { rehearsal, home, site, api } = scene;
  const killed = await part.find(home);
  assert.ok(killed.length > 0 && killed.every((processes) => processes.length > 0), `${name} runs nowhere`);
  // One that has ended by itself since is no failure.
  asRoot(["sh", "-c", 'kill -KILL "$@" || true', "kill", ...killed.flat().map(String)], `${name} must be killed`);
  const start = Date.now();
  let lost: readonly string[] = [];
  let back = await backForGood(scene, part, killed, start);
  if (typeof back !== "number") {
    rehearsal.note(`  not back by itself: ${back.missing.join("; ")}`);
    lost = await bringBackLostPods(home, tenant, 0);
    rehearsal.note(`  K3k's kubelets were started again for: ${lost.join(", ")}`);
    back = await backForGood(scene, part, killed, start);
  }
  if (typeof back !== "number") {
    throw new Error(`not back: ${back.missing.join("; ")}`);
  }
  const times = { site: secondsAway(site, start), api: secondsAway(api, start), ready: back, lost };
  rehearsal.note(
    `  ready after ${clock(back)}; missed of the site ${site.missed(start)}, of the guest's API ${api.missed(start)}`,
  );
  return times;
}

function secondsAway(visitor: Visitor, since: number): number {
  return visitor.awayAfter(since) ?? (Date.now() - since) / 1000;
}

/** Seconds from a kill until the moment from which everything was well; what was missing last, where that does not come. */
async function backForGood(
  scene: Scene,
  part: Part,
  killed: readonly Processes[],
  start: number,
): Promise<number | { readonly missing: readonly string[] }> {
  let changed = Date.now();
  let since: number | undefined;
  let missing: readonly string[] = [];
  let said = "";
  while (Date.now() - changed < patience * 1000) {
    const looked = Date.now();
    missing = await whatIsMissing(scene, part, killed, start).catch((error: unknown) => [messageOf(error)]);
    if (missing.length > 0) {
      since = undefined;
    } else {
      since ??= looked;
      if (Date.now() - since >= stretch * 1000) {
        return (since - start) / 1000;
      }
    }
    if (missing.join("; ") !== said) {
      said = missing.join("; ");
      changed = looked;
      scene.rehearsal.note(`  ${clock((looked - start) / 1000)}: ${said === "" ? "nothing is missing" : said}`);
    }
    await sleep(1000);
  }
  return { missing };
}

async function whatIsMissing(
  { home, site, api }: Scene,
  { find, works }: Part,
  killed: readonly Processes[],
  start: number,
): Promise<readonly string[]> {
  const old = new Set(killed.flat());
  const now = await find(home);
  const isNew = (processes: Processes): boolean => processes.some((process) => !old.has(process));
  const runs = now.length >= killed.length && now.every(isNew);
  const label = (where: string, { metadata }: Pod): string => `${where} ${metadata.namespace ?? ""}/${metadata.name}`;
  const onHost = (await home.host().list(paths.pods.all)).filter((pod) => !isWell(pod));
  const inGuest = await waitingPods(home.guest(tenant)).then(
    (pods) => pods.map((pod) => label("guest", pod)),
    () => ["the guest's pods"],
  );
  const missing = [
    ...(runs ? [] : ["new processes"]),
    ...onHost.map((pod) => label("host", pod)),
    ...inGuest,
    ...(works === undefined || (await works(home, start)) ? [] : ["its work"]),
    ...(site.sees ? [] : ["the site"]),
    ...(api.sees ? [] : ["the guest's API"]),
  ];
  return missing.length > 0 || (await namesAreFound(home)) ? missing : ["names in the guest"];
}

/** Whether a pod of the tenant's finds a name of its guest. */
async function namesAreFound(home: EmbeddedHome): Promise<boolean> {
  const guest = home.guest(tenant);
  const pod = await guest.readyPod(database, undefined, 1);
  return (await guest.inPod(pod, "nslookup", "kubernetes.default.svc.cluster.local")).code === 0;
}

function isWell(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp === undefined && (hasEnded(pod) || isReady(pod));
}

function isReady(object: Node | Pod): boolean {
  return condition(object.status, "Ready")?.status === "True";
}

type Lease = KubernetesObject & { readonly spec?: { readonly renewTime?: string } };

/** Whether every node of a cluster is ready, and its kubelet has said since a moment that it lives. */
async function everyKubeletHasReported(api: ClusterApi, since: number): Promise<boolean> {
  const nodes = await api.list(paths.nodes.all);
  const leases = await api.list<Lease>("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases");
  const renewed = leases.filter(({ spec }) => Date.parse(spec?.renewTime ?? "") > since);
  const alive = new Set(renewed.map(({ metadata }) => metadata.name));
  return nodes.every((node) => isReady(node) && alive.has(node.metadata.name));
}

async function everyContainerdAnswers(home: EmbeddedHome): Promise<boolean> {
  const nodes = await home.host().list(paths.nodes.all);
  return nodes.every(
    (node) =>
      isReady(node) &&
      runInMachine(home.directory, node.metadata.name, "ctr", "--namespace", "k8s.io", "tasks", "ls").status === 0,
  );
}
