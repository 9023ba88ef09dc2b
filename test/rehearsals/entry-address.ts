// docs/entry.md with real pods: MetalLB's own programs keep the address of the entrypoint, which the router forwards to. The
// node that answers for it loses its power, and visitors come in by another one.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { condition } from "../../cluster/objects.ts";
import { paths } from "../../cluster/paths.ts";
import { router } from "../../local/home/addresses.ts";
import { runInMachine } from "../../local/home/enter.ts";
import { cutPower, powerOn } from "../../local/home/power.ts";
import { eventually } from "../cluster/embedded.ts";
import type { EmbeddedHome } from "../live/embedded-home.ts";
import { clock, type Rehearsal } from "./rehearsal.ts";
import { everyoneSees, Visitor } from "./visitor.ts";

const entry = "192.168.1.250";
const site = "https://www.acme.example/";
const nodes = ["optiplex-1", "optiplex-2", "optiplex-3"] as const;

/** The embedded home's only control plane runs on it: without its power nobody learns of anything. */
const controlPlane = nodes[0];

export async function run(rehearsal: Rehearsal): Promise<void> {
  const home = rehearsal.home();
  const config = { "kraft:network": { resolvers: [router.address], home: [], entry } };
  await rehearsal.step("a home comes up, its entrypoint at an address of its own", () =>
    rehearsal.bringUp(home, config),
  );
  const visitor = new Visitor(home, site);
  rehearsal.removeAtEnd(() => {
    visitor.leave();
  });
  await everyoneSees([visitor]);
  const again = await rehearsal.step("a second run", () => home.bringUp(config));
  const [outcome = again] = /^(?:Nothing changed|Changed).*/m.exec(again) ?? [];
  rehearsal.expect("a second run", outcome, outcome.startsWith("Nothing changed: all"));

  const first = await answering(home);
  rehearsal.figure(`the node that answers for ${entry}`, first);
  // MetalLB chooses by a hash of the names of nodes and Service, which are always the same.
  assert.notEqual(first, controlPlane);
  await cutPower(home.directory, first);
  const cut = Date.now();
  rehearsal.note(`the power of ${first} is cut`);
  await eventually(
    "another node answers",
    () => Promise.resolve(![first, undefined].includes(answeringNow(home)) ? true : undefined),
    300,
  );
  rehearsal.figure("another node answers, after the cut", clock((Date.now() - cut) / 1000));
  rehearsal.figure("and it is", await answering(home));
  await everyoneSees([visitor]);
  await sleep(10_000);
  await everyoneSees([visitor]);
  const back = visitor.backAfter(cut) ?? Infinity;
  rehearsal.expect("the site answers every time again, within a minute", clock(back), back < 60);
  rehearsal.figure("calls that a visitor missed", visitor.missed(cut));

  const returned = Date.now();
  rehearsal.note(`${first} gets its power back`);
  powerOn(home.directory);
  await eventually(
    "the node",
    async () =>
      condition((await home.host().get(paths.nodes.named(first)))?.status, "Ready")?.status === "True"
        ? true
        : undefined,
    300,
  );
  await eventually(
    "every pod of MetalLB and Traefik is ready",
    async () => ((await partsAreReady(home)) ? true : undefined),
    300,
  );
  await sleep(30_000);
  rehearsal.figure("the node that answers half a minute later", await answering(home));
  rehearsal.figure("calls that a visitor missed since it came back", visitor.missed(returned));
  await everyoneSees([visitor]);
  // The server of a guest that ran on that node starts again, too.
  await rehearsal.step("every guest is Ready", () =>
    eventually("every guest", async () => ((await everyGuestIsReady(home)) ? true : undefined), 600),
  );
  await rehearsal.command("npx kraft status -s local", () => home.tool("status", "-s", "local"));
}

/** The node whose network card answers for the address, as the router sees it; undefined while none does. */
function answeringNow(home: EmbeddedHome): string | undefined {
  // A neighbour that the router asked a while ago is not believed.
  runInMachine(home.directory, router.name, "ip", "neigh", "flush", "to", entry);
  runInMachine(home.directory, router.name, "busybox", "nc", "-w", "1", entry, "443");
  const found = hardwareAddress(runInMachine(home.directory, router.name, "ip", "neigh", "show", entry).stdout);
  return found === undefined
    ? undefined
    : nodes.find((node) => {
        const { status, stdout } = atNode(home, node);
        return status === 0 && hardwareAddress(stdout) === found;
      });
}

function atNode(home: EmbeddedHome, node: string): { readonly status: number | null; readonly stdout: string } {
  try {
    return runInMachine(home.directory, node, "ip", "link", "show", "eth0");
  } catch {
    // It is off.
    return { status: null, stdout: "" };
  }
}

function hardwareAddress(text: string): string | undefined {
  return /(?:lladdr|link\/ether) (\S+)/.exec(text)?.[1];
}

function answering(home: EmbeddedHome): Promise<string> {
  return eventually(`somebody answers for ${entry}`, () => Promise.resolve(answeringNow(home)), 120);
}

async function everyGuestIsReady(home: EmbeddedHome): Promise<boolean> {
  const clusters = await home.host().list(paths.clusters.all);
  return clusters.every(({ status }) => status?.phase === "Ready");
}

async function partsAreReady(home: EmbeddedHome): Promise<boolean> {
  const pods = await home.host().list(paths.pods.all);
  const parts = pods.filter(({ metadata }) => ["metallb-system", "traefik"].includes(metadata.namespace ?? ""));
  assert.ok(parts.length > 0);
  return parts.every(({ status }) => condition(status, "Ready")?.status === "True");
}
