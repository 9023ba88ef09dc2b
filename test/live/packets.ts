// Where a tenant's pod gets: real packets, beside what is computed from the policies in test/cluster/reachability/.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { labelled, paths } from "../../cluster/paths.ts";
import { tenantNames } from "../../components/plan/names.ts";
import { nas, provider, router, visitor } from "../../local/home/addresses.ts";
import { inNetworkOf, runInMachine } from "../../local/home/enter.ts";
import { readOrUndefined } from "../../local/processes.ts";
import { destinations } from "../cluster/reachability/expected.ts";
import { directory, guest, host, inPod, namespace, readyPod } from "./home.ts";
import { inNetworkOfProcess, ofPods, type Processes } from "./processes.ts";

const app = "probe";
let probe: string;

test("the tenant starts a pod to look around from", async () => {
  await (
    await guest()
  ).create("/api/v1/namespaces/default/pods", {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: app, labels: { app } },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [{ name: "main", image: "busybox:1.37.0", command: ["sleep", "100000"] }],
    },
  });
  probe = await readyPod(app);
  // A pod's first connection waits: see `podBridgeRules`.
  const { code, text } = await inPod(probe, "sh", "-c", "nc -w 15 kubernetes.default 443 </dev/null");
  assert.equal(code, 0, text);
});

async function podAddress(namespace: string, ...labels: readonly string[]): Promise<string> {
  const [pod] = await host().list<{ readonly status?: { readonly podIP?: string } }>(
    labelled(paths.pods.in(namespace), ...labels),
  );
  return pod?.status?.podIP ?? assert.fail(`no pod ${labels.join()} in ${namespace}`);
}

async function serviceAddress(namespace: string, name: string): Promise<string> {
  const service = await host().get<{ readonly spec: { readonly clusterIP: string } }>(
    `/api/v1/namespaces/${namespace}/services/${name}`,
  );
  return service?.spec.clusterIP ?? assert.fail(`no Service ${name} in ${namespace}`);
}

/**
 * What is tried: the name of the row of the computed matrix that it is one of, the address here, and the port, which is
 * that of the row where there is none. Something listens on each but the metadata service.
 */
const rows: readonly (readonly [row: string, address: () => Promise<string> | string, port?: number])[] = [
  ["the guest's API", () => podAddress("k3k-acme", "role=server")],
  ["the guest's etcd", () => podAddress("k3k-acme", "role=server")],
  ["the router's DNS, TCP", () => router.address],
  ["the internet, http", () => provider.address],
  ["the internet, https", () => provider.address],
  ["Traefik, http", () => podAddress("traefik")],
  ["Traefik, https", () => podAddress("traefik")],
  ["Traefik's dashboard", () => podAddress("traefik")],
  ["Traefik's metrics", () => podAddress("traefik")],
  ["another tenant's pod", () => podAddress("k3k-blue", "k8s-app=kube-dns"), 53],
  ["another guest's API", () => podAddress("k3k-blue", "role=server")],
  ["another guest's etcd", () => podAddress("k3k-blue", "role=server")],
  ["another guest's kubelet", () => podAddress("k3k-blue", "type=agent")],
  // Packets to a Service's address are judged by the pod that they end at.
  ["another tenant's pod", () => serviceAddress("k3k-blue", "k3k-blue-kube-dns"), 53],
  ["another guest's API", () => serviceAddress("k3k-blue", "k3k-blue-service"), 443],
  ["a machine at home", () => nas.address, 80],
  ["the router's pages", () => router.address, 80],
  ["the home's public address", () => router.publicAddress],
  ["a node's kubelet", () => "192.168.1.12"],
  ["a node's API server", () => "192.168.1.11"],
  ["a node's etcd", () => "192.168.1.11"],
  ["the API server's Service", () => serviceAddress("default", "kubernetes")],
  ["the host's DNS", () => podAddress("kube-system", "k8s-app=kube-dns"), 53],
  ["cert-manager's webhook", () => podAddress("cert-manager", "app.kubernetes.io/component=webhook")],
  ["cert-manager's metrics", () => podAddress("cert-manager", "app.kubernetes.io/component=controller")],
  ["the K3k controller", () => podAddress("k3k-system"), 8080],
  ["a cloud's metadata", () => "169.254.169.254"],
];

interface Case {
  readonly row: string;
  readonly address: string;
  readonly port: number;
  /** Who must get there. */
  readonly from: readonly string[];
}

function cases(): Promise<readonly Case[]> {
  return Promise.all(
    rows.map(async ([row, address, port]) => {
      const expected = destinations.find(({ name }) => name === row) ?? assert.fail(`no row ${row}`);
      return { row, address: await address(), port: port ?? expected.port, from: expected.from };
    }),
  );
}

/** One line a case, so that a difference names what it is. */
function table(all: readonly Case[], isReached: (one: Case) => boolean): string[] {
  return all.map((one) => `${isReached(one) ? "reached" : "refused"}: ${one.row} (${one.address} ${one.port})`);
}

test("a pod of the tenant gets where the computed matrix says, and nowhere else", async () => {
  const all = await cases();
  // All at once: what is dropped takes its whole time.
  const script = all
    .map(({ address, port }, index) => `( nc -w 3 ${address} ${port} </dev/null >/dev/null 2>&1 && echo ${index} ) &`)
    .join("\n");
  const { text } = await inPod(probe, "sh", "-c", `${script}\nwait`);
  const reached = new Set(text.trim().split(/\s+/).map(Number));
  assert.deepEqual(
    table(all, (one) => reached.has(all.indexOf(one))),
    table(all, ({ from }) => from.includes("pod")),
  );
});

/**
 * Connects to every address and port that it is given, and prints the places in the list of those that answered. What a pod
 * sends to itself meets no policy, and is left out.
 */
const connector = `const net = require("node:net");
const own = Object.values(require("node:os").networkInterfaces()).flat().map(({ address }) => address);
JSON.parse(process.argv[1]).forEach(([host, port], index) => {
  if (own.includes(host)) { console.log("own" + index); return; }
  const socket = net.connect({ host, port, timeout: 3000 }, () => { console.log(index); socket.destroy(); });
  socket.on("timeout", () => socket.destroy()).on("error", () => undefined);
});`;

/** Address and port. */
type Target = readonly [string, number];

const senders: Readonly<Record<string, () => Promise<readonly Processes[]>>> = {
  "K3k kubelet": () => ofPods({ host }, labelled(paths.pods.in(namespace), "type=agent")),
  "K3k server": () => ofPods({ host }, labelled(paths.pods.in(namespace), "role=server")),
  Traefik: () => ofPods({ host }, paths.pods.in("traefik")),
  "cert-manager": () =>
    ofPods({ host }, labelled(paths.pods.in("cert-manager"), "app.kubernetes.io/component=controller")),
  K3k: () => ofPods({ host }, paths.pods.in("k3k-system")),
};

/** What `connector` prints in the network that a command line enters. */
function connected(enter: (...command: readonly string[]) => readonly string[], targets: readonly Target[]): string[] {
  const [executable = "", ...rest] = enter(process.execPath, "-e", connector, JSON.stringify(targets));
  const { stdout, stderr, status } = spawnSync(executable, rest, { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return stdout.trim().split(/\s+/);
}

for (const [sender, find] of Object.entries(senders)) {
  test(`${sender} gets where the computed matrix says, and nowhere else`, async () => {
    const all = await cases();
    const targets = all.map(({ address, port }): Target => [address, port]);
    const found = await find();
    assert.ok(found.length > 0);
    for (const [pid] of found) {
      const lines = connected((...command) => inNetworkOfProcess(pid, ...command), targets);
      const others = all.filter((_, index) => !lines.includes(`own${index}`));
      assert.deepEqual(
        table(others, (one) => lines.includes(String(all.indexOf(one)))),
        table(others, ({ from }) => from.includes(sender)),
      );
    }
  });
}

/** Of every process in the namespaces of two tenants, what the kernel says of it. */
async function tenantProcesses(): Promise<string[]> {
  const all = ["acme", "blue"].map(async (tenant) => {
    const found = (await ofPods({ host }, paths.pods.in(tenantNames(tenant).namespace))).flat();
    assert.ok(found.length >= 4, `${tenant} has ${found.length} processes`);
    // A probe's process may have ended since.
    return found.flatMap((pid) => readOrUndefined(`/proc/${pid}/status`) ?? []);
  });
  return (await Promise.all(all)).flat();
}

test("every process in a tenant's namespace runs under a seccomp profile, whether its pod names one or not", async () => {
  for (const status of await tenantProcesses()) {
    // SECCOMP_MODE_FILTER in Linux' seccomp.h.
    assert.match(status, /^Seccomp:\s*2$/m);
  }
  const { code, text } = await inPod(probe, "unshare", "--user", "true");
  assert.notEqual(code, 0);
  assert.match(text, /not permitted/);
});

/** CAP_NET_RAW in Linux' capability.h, as a bit of the sets in /proc. */
const rawPackets = 1n << 13n;

test("no process in a tenant's namespace can ever write raw packets, under addresses that no policy knows", async () => {
  const { code, text } = await inPod(probe, "arping", "-I", "eth0", "-c", "1", "-w", "2", "10.42.0.1");
  assert.notEqual(code, 0);
  assert.match(text, /not permitted/);
  for (const status of await tenantProcesses()) {
    const [, bounding = "none"] = /^CapBnd:\s*([0-9a-f]+)$/m.exec(status) ?? [];
    assert.equal(BigInt(`0x${bounding}`) & rawPackets, 0n, status);
  }
});

test("the internet gets to ports 80 and 443 of the home, and to no other that anything listens on", () => {
  const listening = [22, 53, 80, 443, 2379, 2380, 6443, 8000, 8080, 8443, 9100, 10249, 10250, 10257, 10259, 30080];
  const targets = listening.map((port): Target => [router.publicAddress, port]);
  const inVisitorsNetwork = (...command: readonly string[]): readonly string[] =>
    inNetworkOf(directory, visitor.name, ...command);
  const open = connected(inVisitorsNetwork, targets).map((index) => listening[Number(index)]);
  assert.deepEqual(new Set(open), new Set([80, 443]));
});

test("everything that it must not reach is there to be reached: the nodes reach it", () => {
  for (const address of [`${nas.address}/`, `${router.address}/`]) {
    const { stdout } = runInMachine(directory, "optiplex-2", "curl", "-sS", "-m", "5", `http://${address}`);
    assert.match(stdout, /photographs|own page/);
  }
});

test("names: of the internet, of the guest's own Services, none of the host's", async () => {
  const lookUp = async (name: string): Promise<string> => (await inPod(probe, "nslookup", name)).text;
  assert.match(await lookUp("www.internet.test"), new RegExp(provider.address.replaceAll(".", "\\.")));
  assert.match(await lookUp("shop.default.svc.cluster.local"), /Address: 10\.43\./);
  assert.match(await lookUp("traefik.traefik.svc.cluster.local"), /NXDOMAIN|can't find/);
  assert.equal((await inPod(probe, "wget", "-qO-", "http://www.internet.test/")).text, "A site on the internet.\n");
});
