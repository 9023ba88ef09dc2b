// docs/runbooks/disk-full.md, step 4, with real pods: the system disk of a node gets full of what is no pod's, Kubernetes ends the
// pods there, the tenants' sites are watched from the internet, and the page's step is followed.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { condition, type Node, type Pod } from "../../cluster/objects.ts";
import { paths } from "../../cluster/paths.ts";
import { nas } from "../../local/home/addresses.ts";
import { machineProcess, runInMachine } from "../../local/home/enter.ts";
import { cutPower, powerOn } from "../../local/home/power.ts";
import { eventually } from "../cluster/embedded.ts";
import type { EmbeddedHome } from "../live/embedded-home.ts";
import { clock, type Rehearsal } from "./rehearsal.ts";
import {
  applications,
  bringBackLostPods,
  expectFiles,
  filesOf,
  moveIn,
  preferring,
  shop,
  writeFiles,
} from "./tenants.ts";
import { everyoneSees, Visitor } from "./visitor.ts";

const full = "optiplex-2";
const struck = "acme";
const tenants = [struck, "blue", "coral"] as const;

/** What fills the disk: as images that nobody needs any more, or logs, would. */
const filler = "/var/lib/filler";

/** Minutes in which a node that has room again keeps saying that it has none (the kubelet's default), and one to notice it. */
const minutesUntilCalm = 6;

export async function run(rehearsal: Rehearsal): Promise<void> {
  const home = rehearsal.home();
  await rehearsal.step("a home comes up, with three tenants", () => rehearsal.bringUp(home));
  await rehearsal.step(`${full} gets a small system disk of its own`, () => smallDisk(home));
  await rehearsal.step(`${struck} moves in on ${full}`, async () => {
    await moveIn(home, struck, full);
    const sample = "/apis/apps/v1/namespaces/default/deployments/sample";
    await (await home.guest(struck).api()).merge(sample, { spec: { template: { spec: preferring(full) } } });
    await home.guest(struck).readyPod("sample", full);
    for (const app of applications) {
      await writeFiles(home.guest(struck), app, 4);
    }
  });
  const files = await filesOf(home.guest(struck));
  const visitors = {
    "the site without a volume": new Visitor(home, `https://www.${struck}.example/`),
    "the shop, a Deployment with a volume": new Visitor(home, `https://${shop}.${struck}.example/`),
  };
  rehearsal.removeAtEnd(() => {
    for (const visitor of Object.values(visitors)) {
      visitor.leave();
    }
  });
  await everyoneSees(Object.values(visitors));

  const filled = Date.now();
  const since = (): string => clock((Date.now() - filled) / 1000);
  const watched = watchPods(rehearsal, home, filled);
  rehearsal.removeAtEnd(watched.end);
  const growth = fill(home);
  rehearsal.removeAtEnd(growth);
  rehearsal.note(`the system disk of ${full} is full`);
  await eventually("DiskPressure", async () => ((await hasPressure(home)) ? true : undefined), 120);
  rehearsal.figure("the node says DiskPressure, after its disk began to fill", since());
  await sleep(60_000);
  const status = await rehearsal.command("npx kraft status -s local", () => home.tool("status", "-s", "local"), 1);
  rehearsal.expect(
    "status names the node and DiskPressure",
    full,
    new RegExp(`${full}.*DiskPressure`).test(status.stdout),
  );
  await rehearsal.step("nobody does anything until five minutes have passed", () =>
    sleep(Math.max(0, filled + 300_000 - Date.now())),
  );
  for (const [site, visitor] of Object.entries(visitors)) {
    const away = visitor.awayAfter(filled);
    rehearsal.figure(`by itself: ${site}`, away === undefined ? "does not answer" : `back after ${clock(away)}`);
  }
  rehearsal.figure("pods that the node ended", counted([...watched.evicted]));

  const freed = Date.now();
  rehearsal.note(`4. $ rm ${filler}`);
  growth();
  assert.equal(runInMachine(home.directory, full, "rm", filler).status, 0);
  importImages(home);
  await eventually(
    "no DiskPressure",
    async () => ((await hasPressure(home)) ? undefined : true),
    minutesUntilCalm * 60,
  );
  rehearsal.figure("the node has no DiskPressure, after its disk had room again", clock((Date.now() - freed) / 1000));
  rehearsal.note(`4. $ kubectl delete pods -A --field-selector status.phase=Failed,spec.nodeName=${full}`);
  for (const { metadata } of (await failedPods(home)).filter(({ spec }) => spec?.nodeName === full)) {
    await home.host().delete(paths.pods.named(metadata.namespace ?? "", metadata.name));
  }
  for (const tenant of tenants) {
    const lost = await rehearsal.step(`every pod of ${tenant} is ready`, () => bringBackLostPods(home, tenant));
    rehearsal.figure(
      `pods of ${tenant} that waited until K3k's kubelets were started again`,
      lost.join(", ") || "none",
    );
  }
  await everyoneSees(Object.values(visitors));
  for (const [site, visitor] of Object.entries(visitors)) {
    rehearsal.figure(`missed in all: ${site}`, visitor.missed(filled));
  }
  await expectFiles(rehearsal, home.guest(struck), files, 180);
  await watched.end();
  rehearsal.figure("pods that are left as Failed on the host", counted((await failedPods(home)).map(nameOf)));
  await rehearsal.command("npx kraft status -s local", () => home.tool("status", "-s", "local"));
}

/** Size of the disk, in mebibytes. */
const diskSize = 4096;

/** Gives a node that is up a small disk with what was on its old one, and waits until its pods are back. */
async function smallDisk(home: EmbeddedHome): Promise<void> {
  const disk = join(home.directory, "..", "disk");
  const copy = join(home.directory, "..", "mounted");
  const old = join(home.directory, "machines", full, "var-lib");
  mkdirSync(copy);
  execFileSync("truncate", [`--size=${diskSize}M`, disk]);
  execFileSync("mkfs.ext4", ["-q", disk]);
  await cutPower(home.directory, full);
  // In the mounts of the home, of which its machines get a copy, and which end with it.
  const process = homeProcess(home);
  const there = (...command: readonly string[]): void => {
    execFileSync("nsenter", [`--target=${process}`, "--mount", ...command]);
  };
  there("mount", "-o", "loop", disk, copy);
  execFileSync("cp", ["--archive", `${old}/.`, `/proc/${process}/root${copy}`]);
  there("umount", copy);
  there("mount", "-o", "loop", disk, old);
  powerOn(home.directory);
  const isReady = (found: Node | undefined): true | undefined =>
    condition(found?.status, "Ready")?.status === "True" ? true : undefined;
  await eventually("the node", async () => isReady(await node(home)), 300);
  for (const tenant of tenants) {
    const api = await home.guest(tenant).api();
    await eventually(`the node of ${tenant}`, async () => isReady(await api.get(paths.nodes.named(full))), 300);
    await bringBackLostPods(home, tenant);
  }
}

/** The process that all machines of a home come from. */
function homeProcess(home: EmbeddedHome): string {
  const machine = machineProcess(home.directory, nas.name) ?? assert.fail("the home does not run");
  return /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${machine}/status`, "utf8"))?.[1] ?? assert.fail();
}

/** Keeps the node's system disk full but for eight mebibytes, as a log that grows would, until what it returns is called. */
function fill(home: EmbeddedHome): () => void {
  const size = (what: string): number => {
    const { stdout, stderr } = runInMachine(
      home.directory,
      full,
      "df",
      `--output=${what}`,
      "--block-size=1M",
      "/var/lib",
    );
    return Number(stdout.trim().split("\n").at(-1) ?? assert.fail(stderr));
  };
  // Never the disk of this machine.
  assert.ok(size("size") <= diskSize, `${full} has no disk of its own`);
  const grow = (): void => {
    const more = size("avail") - 8;
    if (more > 0) {
      const command = ["sh", "-c", `head -c ${more}M /dev/zero >>${filler}`];
      const { status, stderr } = runInMachine(home.directory, full, ...command);
      assert.equal(status, 0, stderr);
    }
  };
  grow();
  const timer = setInterval(grow, 5000);
  return () => {
    clearInterval(timer);
  };
}

/** Gives the node the images again that it removed for want of room: elsewhere a registry has them. */
function importImages(home: EmbeddedHome): void {
  const command = 'eval "$(grep "images import" /usr/local/sbin/start-kubelet)"';
  const { status, stderr } = runInMachine(home.directory, full, "sh", "-c", command);
  assert.equal(status, 0, stderr);
}

function node(home: EmbeddedHome) {
  return home.host().get(paths.nodes.named(full));
}

async function hasPressure(home: EmbeddedHome): Promise<boolean> {
  return condition((await node(home))?.status, "DiskPressure")?.status === "True";
}

function nameOf({ metadata }: Pod): string {
  return `${metadata.namespace ?? ""}/${metadata.name}`;
}

async function failedPods(home: EmbeddedHome): Promise<readonly Pod[]> {
  return (await home.host().list(paths.pods.all)).filter(({ status }) => status?.phase === "Failed");
}

/** Names of pods, those that a controller made one after the other as one with their number. */
function counted(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names.map((each) => each.replace(/-[a-z0-9]{5}$/, "")).sort()) {
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => (count === 1 ? name : `${name} (${count})`)).join(", ") || "none";
}

/** Prints each pod that the node evicts, and where pods come up, until `end` is called. */
function watchPods(rehearsal: Rehearsal, home: EmbeddedHome, begin: number) {
  const evicted = new Set<string>();
  const seen = new Map<string, string>();
  const controller = new AbortController();
  const stateOf = ({ status, spec }: Pod): string => {
    const reason = status?.reason;
    return `${status?.phase ?? "?"}${reason === undefined ? "" : ` (${reason})`} on ${spec?.nodeName ?? "no node"}`;
  };
  const look = async (first: boolean): Promise<void> => {
    for (const pod of await home.host().list(paths.pods.all)) {
      const [name, state] = [nameOf(pod), stateOf(pod)];
      if (state.includes("(Evicted)")) {
        evicted.add(name);
      }
      if (!first && seen.get(name) !== state) {
        rehearsal.note(`  ${clock((Date.now() - begin) / 1000)}: ${name}: ${state}`);
      }
      seen.set(name, state);
    }
  };
  const loop = (async () => {
    for (let first = true; !controller.signal.aborted; first = false) {
      // The API server answers from the first node, whose disk has room; a call that fails is tried again.
      await look(first).catch((error: unknown) => {
        rehearsal.note(`  the host's API: ${String(error)}`);
      });
      await sleep(1000);
    }
  })();
  return {
    evicted,
    end: async (): Promise<void> => {
      controller.abort();
      await loop;
    },
  };
}
