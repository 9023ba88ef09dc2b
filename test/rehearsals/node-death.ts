// docs/runbooks/node-lost.md with real pods: a node's power is cut, the tenants' sites are watched from the internet, the
// page's steps are followed, and the node comes back.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { condition, hasEnded, type Node, type Pod } from "../../cluster/objects.ts";
import { labelled, paths } from "../../cluster/paths.ts";
import { tenantNames } from "../../components/plan/names.ts";
import { cutPower, powerOn } from "../../local/home/power.ts";
import { type VolumeAttachment, volumeAttachments } from "../../local/longhorn/objects.ts";
import { eventually } from "../cluster/embedded.ts";
import type { EmbeddedHome, Guest } from "../live/embedded-home.ts";
import { AlertReceiver, alerts, type Told } from "./alert-receiver.ts";
import { clock, type Rehearsal } from "./rehearsal.ts";
import {
  applications,
  bringBackLostPods,
  database,
  expectFiles,
  filesOf,
  moveIn,
  preferring,
  serverOf,
  shop,
  writeFiles,
} from "./tenants.ts";
import { everyoneSees, Visitor } from "./visitor.ts";

/** The control plane of an embedded home, and the address that its router forwards to, are on the first node. */
const survivor = "optiplex-1";
const mortal = ["optiplex-2", "optiplex-3"] as const;

/** The home's tenants. The applications of the first one run on the node that dies. */
const tenants = ["acme", "blue", "coral"] as const;
const [struck] = tenants;

/** The site of the home's own sample application, a Deployment without a volume, of the first tenant. */
const sample = { app: "sample", url: `https://www.${struck}.example/` } as const;

/** How long nobody does anything, in seconds: more than Kubernetes' five minutes, and than its six for a volume. */
const patience = 7 * 60;

const outOfService = { key: "node.kubernetes.io/out-of-service", value: "nodeshutdown", effect: "NoExecute" } as const;

type ClusterApi = Awaited<ReturnType<Guest["api"]>> | ReturnType<EmbeddedHome["host"]>;

/** A home whose tenants have moved in, and the node that will die. */
interface Scene {
  readonly rehearsal: Rehearsal;
  readonly home: EmbeddedHome;
  readonly victim: string;
  /** A tenant whose guest's server runs on the node, while their applications do not. */
  readonly serverless: string | undefined;
  readonly receiver: AlertReceiver;
  /** By what is said of each site. */
  readonly visitors: Readonly<Record<string, Visitor>>;
  /** What the volumes of the struck tenant hold, by application. */
  readonly files: Readonly<Record<string, string>>;
}

export async function run(rehearsal: Rehearsal): Promise<void> {
  const scene = await moveEverybodyIn(rehearsal);
  const cut = await killTheNode(scene);
  await nobodyDoesAnything(scene, cut);
  await followThePage(scene, cut);
  await nodeComesBack(scene);
  await rehearsal.command("npx kraft status -s local", () => scene.home.tool("status", "-s", "local"));
}

async function moveEverybodyIn(rehearsal: Rehearsal): Promise<Scene> {
  const home = rehearsal.home();
  const config = { "kraft:alerts": alerts };
  await rehearsal.step("a home comes up, with three tenants", () => rehearsal.bringUp(home, config));
  const receiver = new AlertReceiver(home);
  rehearsal.removeAtEnd(() => {
    receiver.leave();
  });
  const servers = new Map<string, string>();
  for (const tenant of tenants) {
    servers.set(tenant, (await serverOf(home, tenant))?.spec?.nodeName ?? "");
  }
  // The struck tenant's own server goes on, so that their guest decides what becomes of their pods.
  const candidates = mortal.filter((node) => node !== servers.get(struck));
  const victim = candidates.find((node) => [...servers.values()].includes(node)) ?? candidates[0];
  assert.ok(victim !== undefined);
  const serverless = tenants.find((tenant) => tenant !== struck && servers.get(tenant) === victim);
  const neighbour = serverless ?? tenants[1];
  await rehearsal.step(`${struck} moves in on ${victim}, ${neighbour} on ${survivor}`, async () => {
    const api = await home.guest(struck).api();
    await api.merge(`/apis/apps/v1/namespaces/default/deployments/${sample.app}`, {
      spec: { template: { spec: preferring(victim) } },
    });
    await moveIn(home, struck, victim);
    await moveIn(home, neighbour, survivor);
    await home.guest(struck).readyPod(sample.app, victim);
    await writeFiles(home.guest(neighbour), shop, 1);
    for (const app of applications) {
      await writeFiles(home.guest(struck), app, 4);
    }
  });
  const visitors = {
    "the site without a volume": new Visitor(home, sample.url),
    "the shop, a Deployment with a volume": new Visitor(home, `https://${shop}.${struck}.example/`),
    [`the shop of ${neighbour}, on another node`]: new Visitor(home, `https://${shop}.${neighbour}.example/`),
  };
  rehearsal.removeAtEnd(() => {
    for (const visitor of Object.values(visitors)) {
      visitor.leave();
    }
  });
  const scene = { rehearsal, home, victim, serverless, receiver, visitors, files: await filesOf(home.guest(struck)) };
  await everyoneSees(Object.values(scene.visitors));
  rehearsal.expect("alerts before anything happened", String(receiver.told.length), receiver.told.length === 0);
  return scene;
}

/** @returns when it happened, in milliseconds since 1970 */
async function killTheNode(scene: Scene): Promise<number> {
  const { rehearsal, home, victim } = scene;
  const pods = (await home.host().list(paths.pods.all)).filter(({ spec }) => spec?.nodeName === victim);
  const names = pods.map(({ metadata }) => `${metadata.namespace ?? ""}/${metadata.name}`);
  await cutPower(home.directory, victim);
  const cut = Date.now();
  rehearsal.note(`the power of ${victim} is cut; it ran ${names.sort().join(", ")}`);
  rehearsal.removeAtEnd(watch(scene, cut));
  return cut;
}

async function nobodyDoesAnything(
  { rehearsal, home, victim, serverless, visitors }: Scene,
  cut: number,
): Promise<void> {
  await sleep(120_000);
  const early = await rehearsal.command("npx kraft status -s local", () => home.tool("status", "-s", "local"), 1);
  rehearsal.expect("status names the node after two minutes", victim, early.stdout.includes(victim));
  await rehearsal.step(`nobody does anything for ${patience / 60} minutes after the cut`, () =>
    sleep(Math.max(0, cut + patience * 1000 - Date.now())),
  );
  for (const [site, visitor] of Object.entries(visitors)) {
    rehearsal.figure(`by itself: ${site}`, outageText(visitor, cut));
  }
  rehearsal.figure(`by itself: the database, a StatefulSet`, await podsOf(home, database));
  if (serverless !== undefined) {
    rehearsal.figure(`by itself: the server of ${serverless}`, stateOf(await serverOf(home, serverless)));
  }
  rehearsal.figure("volumes that are still attached to the dead node", String(await attachedTo(home, victim)));
}

async function followThePage(scene: Scene, cut: number): Promise<void> {
  const { rehearsal, home, victim, serverless, files } = scene;
  const acted = Date.now();
  const sinceActed = (): string => clock((Date.now() - acted) / 1000);
  rehearsal.note(`3. $ kubectl taint node ${victim} ${outOfService.key}=${outOfService.value}:${outOfService.effect}`);
  await taint(home.host(), victim, true);
  // Guests that are told earlier make pods of the same names, and K3k's kubelets take those that end for theirs.
  await eventually(
    "no pod of a tenant on the dead node",
    async () => ((await tenantPodsOn(home, victim)) === 0 ? true : undefined),
    300,
  );
  rehearsal.figure("no pod of a tenant is on the dead node, after its taint on the host", sinceActed());
  for (const tenant of tenants) {
    rehearsal.note(`3. $ kubectl --kubeconfig ${tenant}.yaml taint node ${victim} …`);
    await eventually(
      `the guest of ${tenant}`,
      async () => {
        await taint(await home.guest(tenant).api(), victim, true);
        return true;
      },
      300,
    );
  }
  await eventually(
    "no volume attached to the dead node",
    async () => ((await attachedTo(home, victim)) === 0 ? true : undefined),
    600,
  );
  rehearsal.figure("no volume is attached to it, after step 3", sinceActed());
  if (serverless !== undefined) {
    await eventually(
      `the server of ${serverless}`,
      async () => isReadyElsewhere(await serverOf(home, serverless), victim),
      300,
    );
    rehearsal.figure(`the server of ${serverless} is ready on another node, after step 3`, sinceActed());
  }
  for (const app of applications) {
    await eventually(
      `${app} on another node`,
      async () => isReadyElsewhere((await guestPods(home, app))[0], victim),
      600,
    );
    rehearsal.figure(`${app} is ready on another node, after step 3`, sinceActed());
  }
  await everyoneSees(Object.values(scene.visitors));
  rehearsal.figure("every site answers, after the cut", clock((Date.now() - cut) / 1000));
  await expectFiles(rehearsal, home.guest(struck), files);
  const others = [...new Set(scene.receiver.told.map(({ labels }) => labels["alertname"] ?? "?"))];
  rehearsal.figure("alerts that were told", others.join(", "));
  const fired = alertOf(scene, "firing");
  rehearsal.expect(
    "the operator was told that the node is gone, after the cut",
    fired === undefined
      ? "never"
      : `${clock((fired.at - cut) / 1000)}, with ${fired.annotations["runbook"] ?? "no runbook"}`,
    fired !== undefined,
  );
}

async function nodeComesBack(scene: Scene): Promise<void> {
  const { rehearsal, home, victim, visitors, files } = scene;
  const back = Date.now();
  const since = (): string => clock((Date.now() - back) / 1000);
  rehearsal.note(`${victim} gets its power back`);
  powerOn(home.directory);
  const ready = (node: Node | undefined): true | undefined => (isReady(node) ? true : undefined);
  await eventually("the node", async () => ready(await home.host().get(paths.nodes.named(victim))), 300);
  rehearsal.figure("the node is Ready again, after its power came back", since());
  rehearsal.note(`5. both taints are taken away, in the host and in each guest`);
  await taint(home.host(), victim, false);
  for (const tenant of tenants) {
    const api = await home.guest(tenant).api();
    await taint(api, victim, false);
    await eventually(`the node of ${tenant}`, async () => ready(await api.get(paths.nodes.named(victim))), 300);
  }
  rehearsal.figure("every guest has the node again, after its power came back", since());
  for (const tenant of tenants) {
    const lost = await rehearsal.step(`5. every pod of ${tenant} is ready`, () => bringBackLostPods(home, tenant));
    rehearsal.figure(
      `pods of ${tenant} that waited until K3k's kubelets were started again`,
      lost.join(", ") || "none",
    );
  }
  await eventually(
    "nothing that ends, and nothing that is not ready",
    async () => {
      const pods = await home.host().list(paths.pods.all);
      return pods.every((pod) => pod.metadata.deletionTimestamp === undefined && (hasEnded(pod) || isReady(pod)))
        ? true
        : undefined;
    },
    300,
  );
  rehearsal.figure("every pod is ready, after its power came back", since());
  await everyoneSees(Object.values(visitors));
  for (const [site, visitor] of Object.entries(visitors)) {
    rehearsal.figure(`missed since the node came back: ${site}`, visitor.missed(back));
  }
  await expectFiles(rehearsal, home.guest(struck), files, 180);
  const resolved = await eventually("the alert is taken back", () => Promise.resolve(alertOf(scene, "resolved")), 600);
  rehearsal.figure("the alert was taken back, after the power came back", clock((resolved.at - back) / 1000));
}

/** Prints each change of what the operator, the tenants and the visitors see, until what it returns is called. */
function watch({ rehearsal, home, victim, visitors }: Scene, cut: number): () => Promise<void> {
  const states: Readonly<Record<string, () => Promise<string>>> = {
    [`node ${victim}`]: async () => (isReady(await home.host().get(paths.nodes.named(victim))) ? "Ready" : "NotReady"),
    [`${struck}'s node ${victim}`]: async () =>
      isReady(await (await home.guest(struck).api()).get(paths.nodes.named(victim))) ? "Ready" : "NotReady",
    ...Object.fromEntries([sample.app, ...applications].map((app) => [`${struck}'s ${app}`, () => podsOf(home, app)])),
    ...Object.fromEntries(
      tenants.map((tenant) => [`server of ${tenant}`, async () => stateOf(await serverOf(home, tenant))]),
    ),
    "K3k's controller": async () =>
      (await home.host().list(paths.pods.in("k3k-system"))).map(stateOf).sort().join("; "),
    ...Object.fromEntries(
      Object.entries(visitors).map(([site, visitor]) => [
        site,
        () => Promise.resolve(visitor.sees ? "answers" : "does not answer"),
      ]),
    ),
  };
  const end = new AbortController();
  const loops = Object.entries(states).map(async ([what, look]) => {
    let last: string | undefined;
    while (!end.signal.aborted) {
      const now = await look().catch(() => "no answer");
      if (now !== last) {
        rehearsal.note(`  ${clock((Date.now() - cut) / 1000)} after the cut: ${what}: ${now}`);
        last = now;
      }
      await sleep(1000);
    }
  });
  return async () => {
    end.abort();
    await Promise.all(loops);
  };
}

/** Adds the taint of a node that is off, or takes it away. */
async function taint(api: ClusterApi, node: string, on: boolean): Promise<void> {
  const path = paths.nodes.named(node);
  const found = await api.get(path);
  const rest = (found?.spec?.taints ?? []).filter(({ key }) => key !== outOfService.key);
  await api.merge(path, { spec: { taints: on ? [...rest, outOfService] : rest } });
}

/** The pods of an application of the struck tenant, as the tenant sees them. */
async function guestPods(home: EmbeddedHome, app: string): Promise<readonly Pod[]> {
  return (await home.guest(struck).api()).list(labelled(paths.pods.in("default"), `app=${app}`));
}

async function podsOf(home: EmbeddedHome, app: string): Promise<string> {
  const texts = (await guestPods(home, app)).map((pod) => `${pod.metadata.name} ${stateOf(pod)}`);
  return texts.sort().join("; ") || "no pod";
}

function isReady(object: Node | Pod | undefined): boolean {
  return condition(object?.status, "Ready")?.status === "True";
}

function isReadyElsewhere(pod: Pod | undefined, node: string): true | undefined {
  return pod !== undefined && isReady(pod) && pod.spec?.nodeName !== node ? true : undefined;
}

function stateOf(pod: Pod | undefined): string {
  if (pod === undefined) {
    return "no pod";
  }
  const phase = pod.metadata.deletionTimestamp === undefined ? (pod.status?.phase ?? "?") : "Terminating";
  return `${phase}${isReady(pod) ? ", ready" : ""} on ${pod.spec?.nodeName ?? "no node"}`;
}

function outageText(visitor: Visitor, cut: number): string {
  const back = visitor.sees ? visitor.backAfter(cut) : undefined;
  return back === undefined
    ? "does not come back"
    : back < 5
      ? `never gone, missed ${visitor.missed(cut)}`
      : `back after ${clock(back)}`;
}

/** How many pods a node has that node-lost.md waits for: all of tenants but K3k's kubelets. */
async function tenantPodsOn(home: EmbeddedHome, node: string): Promise<number> {
  const namespaces: readonly (string | undefined)[] = tenants.map((tenant) => tenantNames(tenant).namespace);
  const pods = await home.host().list(paths.pods.all);
  return pods.filter(
    ({ metadata, spec }) =>
      spec?.nodeName === node && namespaces.includes(metadata.namespace) && metadata.labels?.["type"] !== "agent",
  ).length;
}

async function attachedTo(home: EmbeddedHome, node: string): Promise<number> {
  const all = await home.host().list<VolumeAttachment>(volumeAttachments);
  return all.filter(({ spec }) => spec.nodeName === node).length;
}

function alertOf({ receiver, victim }: Scene, status: Told["status"]): Told | undefined {
  return receiver.told.find(
    (told) => told.status === status && told.labels["alertname"] === "NodeGone" && told.labels["node"] === victim,
  );
}
