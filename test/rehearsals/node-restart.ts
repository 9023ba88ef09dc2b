// docs/nodes.md, "Upgrade Debian": one node after the other is drained, restarts and takes pods again, while visitors open the
// tenants' sites.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { condition, type Pod } from "../../cluster/objects.ts";
import { labelled, paths } from "../../cluster/paths.ts";
import { cutPower, powerOn } from "../../local/home/power.ts";
import { silentReporter } from "../../local/terminal.ts";
import { readyTools, toolPath } from "../../local/toolchain/ready.ts";
import { local } from "../../stacks/local.ts";
import { eventually } from "../cluster/embedded.ts";
import type { Ended } from "../fixtures/kraft/command.ts";
import type { EmbeddedHome } from "../live/embedded-home.ts";
import { clock, type Rehearsal } from "./rehearsal.ts";
import { quietStatus } from "./sites.ts";
import { bringBackLostPods, expectFiles, moveInWithFiles, shop } from "./tenants.ts";
import { everyoneSees, tenantAtTheirApi, Visitor } from "./visitor.ts";

/** The tenants of the stack `local`. All have a guest; the first two have moved in. */
const tenants = ["acme", "blue", "coral"] as const;
const settled = tenants.slice(0, 2);

/** By which the page selects K3k's kubelets. */
const kubelets = "mode=shared,type=agent";

/** How long a machine is off. */
const off = 5_000;

interface Scene {
  readonly rehearsal: Rehearsal;
  readonly home: EmbeddedHome;
  /** kubectl, as the host's administrator. */
  readonly kubectl: (line: string) => Promise<Ended>;
  /** By what is said of each. */
  readonly visitors: Readonly<Record<string, Visitor>>;
  /** What the volumes of tenants hold, by tenant and application. */
  readonly files: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

export async function run(rehearsal: Rehearsal): Promise<void> {
  const scene = await moveEverybodyIn(rehearsal);
  // The node that answers for the entrypoint, and has the API server, comes last.
  for (const { name } of local.nodes.toReversed()) {
    await restart(scene, name);
  }
  await rehearsal.command("npx kraft status -s local", () => scene.home.tool("status", "-s", "local"));
}

async function moveEverybodyIn(rehearsal: Rehearsal): Promise<Scene> {
  const home = rehearsal.home();
  await rehearsal.step("a home comes up", () => rehearsal.bringUp(home));
  const files = new Map<string, Readonly<Record<string, string>>>();
  for (const tenant of settled) {
    files.set(tenant, await rehearsal.step(`${tenant} moves in`, () => moveInWithFiles(home, tenant)));
  }
  const visitors: Record<string, Visitor> = {};
  rehearsal.removeAtEnd(() => {
    Object.values(visitors).forEach((visitor) => {
      visitor.leave();
    });
  });
  for (const tenant of settled) {
    visitors[`the site of ${tenant}`] = new Visitor(home, `https://${shop}.${tenant}.example/`);
  }
  for (const tenant of tenants) {
    visitors[`the API of ${tenant}`] = await tenantAtTheirApi(home, tenant);
  }
  await everyoneSees(Object.values(visitors));
  const program = toolPath(await readyTools(silentReporter, ["kubectl"]), "kubectl");
  const kubectl = (line: string): Promise<Ended> =>
    rehearsal.command(`kubectl ${line}`, () => ended(home, program, line.split(" ")));
  return { rehearsal, home, kubectl, visitors, files };
}

async function restart({ rehearsal, home, kubectl, visitors, files }: Scene, node: string): Promise<void> {
  const start = Date.now();
  await kubectl(`drain ${node} --ignore-daemonsets --delete-emptydir-data`);
  await kubectl(`delete pods --all-namespaces --selector ${kubelets}`);
  const moved = Date.now();
  // The guests' servers that were drained come back with their API.
  await everyoneSees(Object.values(visitors), 300);
  rehearsal.figure(`${node}: everyone is served again, after the drain`, clock((Date.now() - moved) / 1000));
  tellAbsences(rehearsal, `${node} drained`, visitors, start);

  const cut = Date.now();
  await rehearsal.step(`${node} restarts`, async () => {
    await cutPower(home.directory, node);
    await sleep(off);
    powerOn(home.directory);
    // The Node object says Ready until the host notices that its kubelet is silent.
    await eventually("the node's kubelet", () => renewedSince(home, node, cut + off), 180);
  });
  await kubectl(`uncordon ${node}`);
  await eventually("K3k's kubelets on the node", () => startedSince(home, node, cut + off), 180);
  for (const tenant of tenants) {
    const lost = await rehearsal.step(`every pod of ${tenant} is ready`, () => bringBackLostPods(home, tenant));
    rehearsal.figure(`${node}: pods of ${tenant} that waited for K3k's kubelets`, lost.join(", ") || "none");
  }
  await everyoneSees(Object.values(visitors));
  rehearsal.figure(`${node}: everyone is served again, after the restart`, clock((Date.now() - cut) / 1000));
  tellAbsences(rehearsal, `${node} restarted`, visitors, cut);
  for (const [tenant, found] of files) {
    await expectFiles(rehearsal, home.guest(tenant), found, 180);
  }
  await rehearsal.step("status finds nothing wrong", () => quietStatus(home, 300));
}

/** Writes down who was away since a moment, and until when. */
function tellAbsences(
  rehearsal: Rehearsal,
  when: string,
  visitors: Readonly<Record<string, Visitor>>,
  since: number,
): void {
  for (const [what, visitor] of Object.entries(visitors)) {
    const seconds = visitor.awayAfter(since);
    rehearsal.figure(`${when}: ${what}`, seconds === 0 ? "never away" : `back after ${clock(seconds ?? NaN)}`);
  }
}

/** Runs kubectl as the host's administrator, to its end. */
async function ended(home: EmbeddedHome, program: string, line: readonly string[]): Promise<Ended> {
  const environment = { ...process.env, KUBECONFIG: join(home.directory, "kubeconfig.yaml") };
  const child = spawn(program, line, { env: environment, stdio: ["ignore", "pipe", "pipe"] });
  const close = once(child, "close") as Promise<[number | null]>;
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), close]);
  return { code, stdout, stderr };
}

/** Whether a node's kubelet has renewed its lease since a moment. */
async function renewedSince(home: EmbeddedHome, node: string, moment: number): Promise<true | undefined> {
  interface Lease {
    readonly spec?: { readonly renewTime?: string };
  }
  const path = `/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${node}`;
  const lease = await home.host().get<Lease>(path);
  return Date.parse(lease?.spec?.renewTime ?? "") > moment ? true : undefined;
}

/** Whether every guest has a kubelet of K3k's on a node that started since a moment, and is ready. */
async function startedSince(home: EmbeddedHome, node: string, moment: number): Promise<true | undefined> {
  const pods = await home.host().list(labelled(paths.pods.all, kubelets));
  const here = pods.filter(({ metadata, spec }) => metadata.deletionTimestamp === undefined && spec?.nodeName === node);
  assert.ok(here.length <= tenants.length, `${here.length} kubelets on ${node}`);
  return here.length === tenants.length && here.every((pod) => isReadySince(pod, moment)) ? true : undefined;
}

function isReadySince({ status }: Pod, moment: number): boolean {
  const [kubelet] = status?.containerStatuses ?? [];
  const startedAt = Date.parse(String(kubelet?.state?.running?.startedAt));
  return condition(status, "Ready")?.status === "True" && startedAt >= moment - 1000;
}
