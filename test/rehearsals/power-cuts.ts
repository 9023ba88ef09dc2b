// docs/runbooks/power-cut.md with real pods: the power of every node is cut again and again while a tenant writes, to a volume and to
// their guest's API. Whatever was acknowledged before a cut is there after it. A machine of a home that loses its power loses its
// processes, and not what the kernel holds for its disks.
import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import * as k8s from "@kubernetes/client-node";
import { cutPower, powerOn } from "../../local/home/power.ts";
import { stacks } from "../../stacks/index.ts";
import { eventually } from "../cluster/embedded.ts";
import type { EmbeddedHome } from "../live/embedded-home.ts";
import { clock, type Rehearsal } from "./rehearsal.ts";
import { quietStatus } from "./sites.ts";
import {
  applications,
  bringBackLostPods,
  database,
  expectFiles,
  filesOf,
  moveIn,
  shop,
  writeFiles,
} from "./tenants.ts";
import { everyoneSees, Visitor } from "./visitor.ts";

const tenant = "acme";
const nodes = (stacks.get("local")?.nodes ?? []).map(({ name }) => name);

/** How often the power is cut. */
const cuts = 4;

const configMaps = "/api/v1/namespaces/default/configmaps";

export async function run(rehearsal: Rehearsal): Promise<void> {
  const home = rehearsal.home();
  await rehearsal.step("a home comes up", () => rehearsal.bringUp(home));
  await rehearsal.step(`${tenant} moves in`, async () => {
    await moveIn(home, tenant);
    for (const app of applications) {
      await writeFiles(home.guest(tenant), app, 4);
    }
  });
  await runCuts(rehearsal, home);
}

/** All cuts, in a home whose tenant has moved in. */
export async function runCuts(rehearsal: Rehearsal, home: EmbeddedHome): Promise<void> {
  const site = new Visitor(home, `https://${shop}.${tenant}.example/`);
  rehearsal.removeAtEnd(() => {
    site.leave();
  });
  await everyoneSees([site]);
  for (let number = 1; number <= cuts; number += 1) {
    await rehearsal.part(`cut ${number}`, () => cutOnce(rehearsal, home, site, number));
  }
  await rehearsal.command("npx kraft status -s local", () => home.tool("status", "-s", "local"));
}

async function cutOnce(rehearsal: Rehearsal, home: EmbeddedHome, site: Visitor, number: number): Promise<void> {
  const guest = home.guest(tenant);
  const before = await filesOf(guest);
  const journal = await Journal.begin(home, number);
  const objects = await writeObjects(home, number);
  // Long enough for both, and at another moment of their writing each time.
  await sleep(8000 + Math.random() * 4000);
  for (const node of nodes) {
    await cutPower(home.directory, node);
  }
  const cut = Date.now();
  const [records, made] = [journal.end(), [...objects]];
  // A breaker that is put in again.
  await sleep(5000);
  powerOn(home.directory);
  const back = Date.now();
  await eventually(
    "the guest's API",
    async () => {
      await (await guest.api()).list(configMaps);
      return true;
    },
    300,
  );
  rehearsal.figure(`cut ${number}: the guest's API answers, after the power`, clock((Date.now() - back) / 1000));
  // Until K3k's kubelets are back, pods are said to be ready that do not run.
  await eventually("K3k's kubelets", () => everyPodAnswers(home), 300);
  const lost = await bringBackLostPods(home, tenant);
  rehearsal.figure(
    `cut ${number}: pods that waited until K3k's kubelets were started again`,
    lost.join(", ") || "none",
  );
  await everyoneSees([site]);
  rehearsal.figure(`cut ${number}: the site answers, after the power`, clock(site.backAfter(back) ?? NaN));

  const found = await journal.read();
  const missing = Array.from({ length: records }, (_, index) => index + 1).filter(
    (record) => found[record - 1]?.trim() !== String(record),
  );
  rehearsal.expect(
    `cut ${number}: of ${records} records that were on the disk are missing`,
    missing.join(", ") || "none",
    records > 0 && missing.length === 0,
  );
  const there = new Set((await (await guest.api()).list(configMaps)).map(({ metadata }) => metadata.name));
  const gone = made.filter((name) => !there.has(name));
  rehearsal.expect(
    `cut ${number}: of ${made.length} objects that the guest had accepted are missing`,
    gone.join(", ") || "none",
    made.length > 0 && gone.length === 0,
  );
  await journal.remove();
  await (await guest.api()).send("DELETE", `${configMaps}?labelSelector=written%3Dpower-cuts`);
  await expectFiles(rehearsal, guest, before, 180);
  await quietStatus(home, 300);
  rehearsal.figure(`cut ${number}: status has nothing to say, after the power`, clock((Date.now() - back) / 1000));
  rehearsal.note(`the power was away for ${clock((back - cut) / 1000)}`);
}

/** Whether a command runs in a pod of each application. */
async function everyPodAnswers(home: EmbeddedHome): Promise<true> {
  for (const app of applications) {
    await home.guest(tenant).inPod(await home.guest(tenant).readyPod(app, undefined, 5), "true");
  }
  return true;
}

/** What is used of the connection of an exec. */
interface Connection {
  onerror: (() => void) | null;
  close: () => void;
}

/** A file to which a pod writes one record after the other, each acknowledged when it is on the disk. */
class Journal {
  readonly #home: EmbeddedHome;
  readonly #path: string;
  #acknowledged = 0;
  #close: () => void = () => undefined;

  private constructor(home: EmbeddedHome, path: string) {
    this.#home = home;
    this.#path = path;
  }

  /** Starts to write, and returns after the first record. */
  static async begin(home: EmbeddedHome, number: number): Promise<Journal> {
    const journal = new Journal(home, `/data/journal-${number}`);
    const guest = home.guest(tenant);
    const exec = new k8s.Exec(await guest.kubeconfig());
    const out = new PassThrough();
    createInterface({ input: out }).on("line", (line) => (journal.#acknowledged = Number(line)));
    const script = `n=0; while n=$((n + 1)); do
      printf '%15d\\n' $n | dd of=${journal.#path} bs=16 seek=$((n - 1)) count=1 conv=notrunc,fsync 2>/dev/null || exit 1
      echo $n
    done`;
    const pod = await guest.readyPod(database);
    const command = ["sh", "-c", script];
    // Its type is that of a package which is not ours.
    const opened: unknown = await exec.exec("default", pod, "", command, out, process.stderr, null, false);
    const connection = opened as Connection;
    // The connection breaks with the cut.
    connection.onerror = () => undefined;
    journal.#close = () => {
      connection.close();
    };
    await eventually("a record", () => Promise.resolve(journal.#acknowledged > 0 ? true : undefined));
    return journal;
  }

  /** How many records were acknowledged. */
  end(): number {
    this.#close();
    return this.#acknowledged;
  }

  async read(): Promise<readonly string[]> {
    return (await this.#inPod("cat", this.#path)).split("\n");
  }

  async remove(): Promise<void> {
    await this.#inPod("rm", this.#path);
  }

  async #inPod(...command: readonly string[]): Promise<string> {
    const guest = this.#home.guest(tenant);
    const { code, text } = await guest.inPod(await guest.readyPod(database), ...command);
    assert.equal(code, 0, text);
    return text;
  }
}

/** Has the tenant make objects in their guest, one after the other, until that fails. Returns the names of those that it accepted so far. */
async function writeObjects(home: EmbeddedHome, number: number): Promise<readonly string[]> {
  const api = await home.guest(tenant).api();
  const made: string[] = [];
  const write = async (): Promise<void> => {
    for (let count = 1; ; count += 1) {
      const name = `cut-${number}-${count}`;
      const metadata = { name, labels: { written: "power-cuts" } };
      await api.create(configMaps, { apiVersion: "v1", kind: "ConfigMap", metadata, data: { name } });
      made.push(name);
    }
  };
  // It ends with the cut, as soon as the connection is given up.
  write().catch(() => undefined);
  return made;
}
