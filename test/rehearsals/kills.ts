// Every part of the platform is killed in turn, several times, while visitors look at a tenant's site: each comes back by
// itself, the files are what they were, and `status` has nothing to say at the end.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { condition, hasEnded } from "../../cluster/objects.ts";
import { labelled, paths } from "../../cluster/paths.ts";
import { tenantNames } from "../../components/plan/names.ts";
import { platformNamespaces } from "../../components/plan/network/platform-policies.ts";
import { asRoot } from "../../local/root.ts";
import { eventually } from "../cluster/embedded.ts";
import type { EmbeddedHome } from "../live/embedded-home.ts";
import { ofNodes, ofPods, type Processes } from "../live/processes.ts";
import { clock, type Rehearsal } from "./rehearsal.ts";
import { applications, expectFiles, filesOf, moveIn, shop, writeFiles } from "./tenants.ts";
import { Visitor } from "./visitor.ts";

const tenant = "acme";
const names = tenantNames(tenant);
const url = `https://${shop}.${tenant}.example/`;

/** How often each part is killed, one kill after it has come back from the one before. */
const kills = 3;

/** What is killed, looked for anew each time: of each pod or machine the processes that run. */
const parts: Readonly<Record<string, (home: EmbeddedHome) => Promise<readonly Processes[]>>> = {
  "K3k's controller": (home) => ofPods(home, paths.pods.in(platformNamespaces.k3k)),
  "the guest's server": (home) => ofPods(home, labelled(paths.pods.in(names.namespace), "role=server")),
  "the guest's K3k kubelets": (home) => ofPods(home, labelled(paths.pods.in(names.namespace), "type=agent")),
  "the guest's CoreDNS": (home) => ofPods(home, paths.pods.in(names.namespace), "kube-system"),
  "the tenant's own pods": (home) => ofPods(home, paths.pods.in(names.namespace), "default"),
  Traefik: (home) => ofPods(home, paths.pods.in(platformNamespaces.traefik)),
  "cert-manager, all of it": (home) => ofPods(home, paths.pods.in(platformNamespaces.certManager)),
  "the host's CoreDNS": (home) => ofPods(home, labelled(paths.pods.in("kube-system"), "k8s-app=kube-dns")),
  "every kubelet": (home) => Promise.resolve(ofNodes(home, "kubelet")),
  "every containerd": (home) => Promise.resolve(ofNodes(home, "containerd")),
};

export async function run(rehearsal: Rehearsal): Promise<void> {
  const home = rehearsal.home();
  await rehearsal.step("a home comes up", () => rehearsal.bringUp(home));
  await rehearsal.step(`${tenant} moves in`, async () => {
    await moveIn(home, tenant);
    for (const app of applications) {
      await writeFiles(home.guest(tenant), app, 4);
    }
  });
  const before = await filesOf(home.guest(tenant));
  const visitor = new Visitor(home, url);
  rehearsal.removeAtEnd(() => {
    visitor.leave();
    return Promise.resolve();
  });
  await eventually("the site answers", () => Promise.resolve(visitor.sees ? true : undefined), 180);
  for (const [part, find] of Object.entries(parts)) {
    const times: Times[] = [];
    for (let kill = 0; kill < kills; kill += 1) {
      times.push(await killOnce(home, visitor, part, find));
    }
    const worst = (of: (times: Times) => number): string => clock(Math.max(...times.map(of)));
    rehearsal.figure(
      `${part}, killed ${kills} times`,
      `the site away for ${worst(({ site }) => site)} at most, the guest's API for ${worst(({ api }) => api)}, all of it ready after ${worst(({ ready }) => ready)}`,
    );
  }
  await expectFiles(rehearsal, home.guest(tenant), before);
  await rehearsal.command("npx kraft status -s local", () => home.tool("status", "-s", "local"));
}

/** Seconds after a kill. */
interface Times {
  /** Until the site came every time. */
  readonly site: number;
  /** Until the guest's API answered every time. */
  readonly api: number;
  /** Until everything was ready again. */
  readonly ready: number;
}

async function killOnce(
  home: EmbeddedHome,
  visitor: Visitor,
  part: string,
  find: (home: EmbeddedHome) => Promise<readonly Processes[]>,
): Promise<Times> {
  const killed = await find(home);
  assert.ok(killed.length > 0 && killed.every((processes) => processes.length > 0), `${part} runs nowhere`);
  const old = new Set(killed.flat());
  // One that has ended by itself since is no failure.
  asRoot(["sh", "-c", 'kill -KILL "$@" || true', "kill", ...[...old].map(String)], `${part} must be killed`);
  const start = Date.now();
  const api = apiOutage(home, start);
  await eventually(
    `${part} runs again`,
    async () => {
      const now = await find(home);
      const isNew = (processes: Processes): boolean => processes.some((process) => !old.has(process));
      return now.length >= killed.length && now.every(isNew) && (await everyPodIsReady(home)) ? true : undefined;
    },
    300,
  );
  const ready = (Date.now() - start) / 1000;
  // What is ready may still lose an answer or two, and the next kill must not be counted here.
  await sleep(5000);
  await eventually("the site answers", () => Promise.resolve(visitor.sees ? true : undefined), 180);
  return { site: visitor.backAfter(start) ?? Infinity, api: await api(), ready };
}

/** Asks the guest's API every half second, until what it returns is called, which says after how many seconds it answered for good. */
function apiOutage(home: EmbeddedHome, start: number): () => Promise<number> {
  const end = new AbortController();
  let lost: number | undefined;
  let back = 0;
  const asking = (async () => {
    while (!end.signal.aborted || lost !== undefined) {
      const answered = await home
        .guest(tenant)
        .api()
        .then((api) => api.get(paths.namespaces.named("default")))
        .then(
          () => true,
          () => false,
        );
      if (!answered) {
        lost ??= Date.now();
      } else if (lost !== undefined) {
        lost = undefined;
        back = (Date.now() - start) / 1000;
      }
      await sleep(500);
    }
  })();
  return async () => {
    end.abort();
    await asking;
    return back;
  };
}

async function everyPodIsReady(home: EmbeddedHome): Promise<boolean> {
  const pods = await home.host().list(paths.pods.all);
  return pods.every(
    (pod) =>
      pod.metadata.deletionTimestamp === undefined &&
      (hasEnded(pod) || condition(pod.status, "Ready")?.status === "True"),
  );
}
