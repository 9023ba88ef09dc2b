// What a full disk and a restart of the machine leave of an embedded cluster: it starts again, and it can be removed. In
// processes, mounts and a network of the test's own, where whatever is left is the cluster's.
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { cacheDirectory } from "../../local/cache.ts";
import { removeHostCluster, startHostCluster } from "../../local/host-cluster.ts";
import { identify, isRunning, type ProcessIdentity, readOrUndefined } from "../../local/processes.ts";
import { readState, writeFileWhole } from "../../local/state.ts";
import { silentReporter, terminalReporter } from "../../local/terminal.ts";
import { readyTools } from "../../local/toolchain/ready.ts";
import { local as stack } from "../../stacks/local.ts";
import { eventually } from "./embedded.ts";

const variable = "KRAFT_TEST_LEFTOVERS";
const cache = process.env[variable] ?? (await runAlone());

/** Runs this file a second time where it is alone, with the cache of this user, and ends with it. */
async function runAlone(): Promise<never> {
  await readyTools(terminalReporter());
  const root = process.getuid?.() === 0;
  const isolated = ["--net", "--pid", "--mount", "--fork", "--kill-child", "--mount-proc"];
  const result = spawnSync(
    "unshare",
    [...isolated, ...(root ? [] : ["--map-root-user"]), process.execPath, import.meta.filename],
    { stdio: "inherit", env: { ...process.env, [variable]: cacheDirectory() } },
  );
  process.exit(result.status ?? 1);
}

const work = mkdtempSync(join(tmpdir(), "kraft-leftovers-"));
/** A disk of its own, with everything on it that a user has of Kraft but the programs. */
const disk = join(work, "disk");
const directory = join(disk, "checkout", "local");
const ballast = join(disk, "ballast");
const MiB = 1024 ** 2;
const diskSize = 600 * MiB;

before(() => {
  run("ip", "link", "set", "lo", "up");
  mkdirSync(disk);
  run("mount", "-t", "tmpfs", "-o", `size=${diskSize}`, "tmpfs", disk);
  process.env["XDG_CACHE_HOME"] = join(disk, "cache");
  mkdirSync(cacheDirectory(), { recursive: true });
  for (const name of ["tools", "charts"]) {
    mkdirSync(join(cache, name), { recursive: true });
    symlinkSync(join(cache, name), join(cacheDirectory(), name));
  }
});

after(() => {
  run("umount", "--lazy", disk);
  rmSync(work, { recursive: true });
});

function run(command: string, ...rest: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, rest, { encoding: "utf8" });
  assert.equal(status, 0, `${command} ${rest.join(" ")}: ${stderr}`);
  return stdout;
}

/** Leaves so many bytes of the disk free. */
function leaveFree(bytes: number): void {
  rmSync(ballast, { force: true });
  const free = Number(run("df", "--output=avail", "-B1", disk).split("\n")[1]);
  if (free > bytes) {
    run("fallocate", "-l", String(free - bytes), ballast);
  }
}

/** Runs what `npm run local -- --simulated` does; gives what it said. Fails the test if it succeeds. */
function failedUp(): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, "up.ts"), directory], {
    encoding: "utf8",
  });
  assert.equal(status, 1, `${stdout}\n${stderr}`);
  return stderr;
}

const serviceRoute = ["route", "show", "table", "local", "exact", stack.network.serviceCidr];

/** Removes the cluster as `npm run local:down` does, and looks for what is left of it. */
async function removed(): Promise<void> {
  await removeHostCluster(directory, silentReporter);
  assert.deepEqual(readdirSync(dirname(directory)), []);
  assert.deepEqual(processes(), []);
  assert.deepEqual(readdirSync(join(cacheDirectory(), "service-routes")), []);
}

/** Command lines that name the cluster's folder. */
function processes(): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => readOrUndefined(`/proc/${pid}/cmdline`)?.replaceAll("\0", " ") ?? [])
    .filter((text) => text.includes(directory));
}

async function start(): Promise<readonly string[]> {
  const tools = await readyTools(silentReporter);
  const cluster = await startHostCluster({ stack, directory, tools });
  cluster.api.close();
  return cluster.started;
}

const everything = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok"];

for (const [free, what] of [
  [0, "without a free byte"],
  [64 * 1024, "with room for a few small files"],
  [8 * MiB, "with room for what the programs need at first, but not for etcd's log"],
] as const) {
  test(`a disk that is full from the beginning, ${what}: the run says so, and nothing is left of it`, async () => {
    mkdirSync(dirname(directory), { recursive: true });
    leaveFree(free);
    const said = failedUp();
    await removed();
    assert.match(said, /^The disk of \S+ has only \d MiB left: [^]*npm run local:down$/m);
    assert.equal(run("ip", ...serviceRoute), "");
  });
}

/** Fills the disk while others write to it. */
function fill(): void {
  const { stderr } = spawnSync("sh", ["-c", 'exec cat /dev/zero >"$1"', "sh", ballast], { encoding: "utf8" });
  assert.match(stderr, /No space left on device/);
}

test("a disk that fills up under a running cluster: the next run says so, and all of it is removed", async () => {
  leaveFree(diskSize);
  assert.deepEqual(await start(), everything);
  assert.match(run("ip", ...serviceRoute), /dev lo/);
  fill();
  const etcd = readState(directory)?.processes["etcd"];
  assert.ok(etcd);
  process.kill(etcd.pid, "SIGKILL");
  await eventually("the end of etcd", () => Promise.resolve(isRunning(etcd) ? undefined : true));
  const said = failedUp();
  await removed();
  assert.match(said, /^The disk of \S+ has only 0 MiB left: /m);
  assert.equal(run("ip", ...serviceRoute), "");
});

/** Processes of somebody else that have, after a restart of the machine, the numbers of the cluster's. */
class Strangers {
  readonly processes: readonly ChildProcess[];

  constructor(count: number) {
    this.processes = Array.from({ length: count }, () => spawn("sleep", ["1000"], { stdio: "ignore" }));
  }

  identities(): readonly ProcessIdentity[] {
    return this.processes.map(({ pid = 0 }) => identify(pid) ?? assert.fail(`process ${pid} has ended`));
  }

  end(): void {
    for (const child of this.processes) {
      child.kill("SIGKILL");
    }
  }
}

/**
 * What a restart of the machine leaves: every process is gone, and its number is a stranger's that was started in the same
 * moment after the boot; routes are gone; files are there, a lock among them.
 */
async function restartMachine(strangers: Strangers): Promise<void> {
  const state = readState(directory) ?? assert.fail("there is no cluster");
  const records = Object.entries(state.processes);
  for (const [, { pid }] of records) {
    process.kill(pid, "SIGKILL");
  }
  await eventually("the end of everything", () =>
    Promise.resolve(records.some(([, record]) => isRunning(record)) ? undefined : true),
  );
  run("ip", "route", "del", "local", stack.network.serviceCidr, "dev", "lo");
  const boot = "the boot before";
  const others = strangers.identities();
  const recycled = records.map(([name, record], index) => [name, { ...record, ...others[index], boot }]);
  writeFileWhole(
    join(directory, "state.json"),
    JSON.stringify({ ...state, processes: Object.fromEntries(recycled) as unknown }),
  );
  for (const lock of [`${directory}.lock`, join(cacheDirectory(), "service-routes", "lock")]) {
    writeFileSync(lock, JSON.stringify({ ...others[0], boot }));
  }
  for (const name of readdirSync(join(cacheDirectory(), "service-routes")).filter((file) => file.endsWith(".json"))) {
    const path = join(cacheDirectory(), "service-routes", name);
    const claim = JSON.parse(readOrUndefined(path) ?? "{}") as object;
    writeFileSync(path, JSON.stringify({ ...claim, boot }));
  }
}

test("after a restart of the machine the cluster starts again, and can be removed; whoever has its numbers is left alone", async () => {
  leaveFree(diskSize);
  assert.deepEqual(await start(), everything);
  const strangers = new Strangers(everything.length);
  try {
    const before = strangers.identities();
    await restartMachine(strangers);
    assert.deepEqual(await start(), everything);
    assert.match(run("ip", ...serviceRoute), /dev lo/);
    assert.deepEqual(strangers.identities(), before);

    await restartMachine(strangers);
    // Since the restart it is somebody else's.
    run("ip", "route", "add", "local", stack.network.serviceCidr, "dev", "lo");
    await removed();
    assert.match(run("ip", ...serviceRoute), /dev lo/);
    assert.deepEqual(strangers.identities(), before);
    assert.equal(existsSync(directory), false);
  } finally {
    strangers.end();
  }
});
