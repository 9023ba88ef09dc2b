// The rules of nftables on each node, in addition to network policies: each is tried, and tried again without it, so that no
// test passes for another reason.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import type { Pod } from "../../cluster/objects.ts";
import { paths } from "../../cluster/paths.ts";
import { nas, provider } from "../../local/home/addresses.ts";
import { machineProcess, runInMachine } from "../../local/home/enter.ts";
import { podBridgesFile } from "../../local/home/node.ts";
import { eventually } from "../cluster/embedded.ts";
import { directory, guest, host, inPod, namespace, readyPod } from "./home.ts";
import { inNetworkOfProcess, ofNodes, ofPods } from "./processes.ts";

const nodes = ["optiplex-1", "optiplex-2", "optiplex-3"];

/** Works on nodes that have lost one of the two tables of `podBridgeRules`, which they get back. */
async function withoutTable(family: "bridge" | "ip", nodes: readonly string[], work: () => Promise<void> | void) {
  const nft = (...line: readonly string[]): void => {
    for (const node of nodes) {
      const { status, stderr } = runInMachine(directory, node, "nft", ...line);
      assert.equal(status, 0, stderr);
    }
  };
  nft("delete", "table", family, "kraft");
  try {
    await work();
  } finally {
    nft("--file", podBridgesFile);
  }
}

/** The address that the kernel gave a device, from what /proc/net/if_inet6 says in its network. */
function linkLocal(text: string, device: string): string {
  const found = text.split("\n").map((line) => line.trim().split(/\s+/));
  const [address = ""] = found.find(([address, , , , , name]) => address?.startsWith("fe80") && name === device) ?? [];
  return address.match(/.{4}/g)?.join(":") ?? assert.fail(`${device} has no address: ${text}`);
}

/** The pod that test/live/packets.ts made, its node, and a process of it. */
async function probePod() {
  const name = await readyPod("probe");
  const isProbe = ({ metadata }: Pod): boolean => metadata.name.startsWith(`${name}-`);
  const pod = (await host().list<Pod>(paths.pods.in(namespace))).find(isProbe);
  const [processes] = await ofPods({ host }, paths.pods.in(namespace), isProbe);
  return { name, node: pod?.spec?.nodeName ?? assert.fail("no probe on the host"), process: processes?.[0] };
}

test("no IPv6 leaves a pod, by which it would reach its node and its neighbours there, whatever policies say", async () => {
  const { name: probe, node } = await probePod();
  const [traefik] = await ofPods({ host }, paths.pods.in("traefik"), ({ spec }) => spec?.nodeName === node);
  const [executable = "", ...rest] = inNetworkOfProcess(traefik?.[0], "cat", "/proc/net/if_inet6");
  const neighbour = linkLocal(spawnSync(executable, rest, { encoding: "utf8" }).stdout, "eth0");
  const own = linkLocal(runInMachine(directory, node, "cat", "/proc/net/if_inet6").stdout, "cni0");
  const reached = async (): Promise<readonly boolean[]> => {
    const targets = [`${own}%eth0 10250`, `${neighbour}%eth0 8000`];
    const answers = targets.map((target) => inPod(probe, "sh", "-c", `nc -w 2 ${target} </dev/null`));
    return (await Promise.all(answers)).map(({ code }) => code === 0);
  };
  assert.deepEqual(await reached(), [false, false]);
  await withoutTable("bridge", [node], async () => {
    assert.deepEqual(await reached(), [true, true], "something else than the rules stopped it");
  });
  assert.deepEqual(await reached(), [false, false]);
});

test("a pod's pings get to the internet, and to nothing at home, also where the firewall lets all of them through", async () => {
  const { node, process } = await probePod();
  const files = `--mount=/proc/${machineProcess(directory, node) ?? "none"}/ns/mnt`;
  const isAnswered = (address: string): boolean => {
    const ping = ["ping", "-c", "1", "-W", "2", address];
    const [executable = "", ...rest] = inNetworkOfProcess(process, "nsenter", files, ...ping);
    return spawnSync(executable, rest).status === 0;
  };
  const answers = (): readonly boolean[] => [provider.address, nas.address, "192.168.1.11"].map(isAnswered);
  // As the firewall of k3s does, whose release is newer than the one here.
  const letThrough = (command: "-I" | "-D"): void => {
    for (const chain of ["FORWARD", "INPUT"]) {
      const rule = ["iptables", command, chain, "-p", "icmp", "--icmp-type", "echo-request", "-j", "ACCEPT"];
      assert.equal(runInMachine(directory, node, ...rule).status, 0);
    }
  };
  letThrough("-I");
  try {
    assert.deepEqual(answers(), [true, false, false]);
    await withoutTable("ip", [node], () => {
      assert.deepEqual(answers(), [true, true, true], "something else than the rules stopped it");
    });
  } finally {
    letThrough("-D");
  }
});

/**
 * What no tenant's pod may reach: the network storage at home, the host's API server, the kubelet of each node, its own too, and the
 * host's name server, whose own policies let everybody in.
 */
const forbidden = [
  `${nas.address} 80`,
  "192.168.1.11 6443",
  ...[1, 2, 3].map((node) => `192.168.1.1${node} 10250`),
  "10.43.0.10 53",
];

/**
 * Tries everything in `forbidden` at once, three times, and then the internet. It takes less than the five seconds that the rules
 * wait, since where the firewall is held still nothing ends its mistake.
 */
const firstSeconds = [
  "for round in 1 2 3; do",
  ...forbidden.map((target) => `( nc -w 1 ${target} </dev/null >/dev/null 2>&1 && echo "reached ${target}" ) &`),
  "wait",
  "done",
  `wget -qO- http://${provider.address}/`,
  "echo end",
].join("\n");

/** What a new pod of the guest prints until it ends by itself. */
async function printedBy(name: string, script: string, node?: string): Promise<string> {
  const api = await guest();
  const pods = "/api/v1/namespaces/default/pods";
  const path = `${pods}/${name}`;
  await api.create(pods, {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: {
      restartPolicy: "Never",
      ...(node === undefined ? {} : { nodeSelector: { "kubernetes.io/hostname": node } }),
      terminationGracePeriodSeconds: 1,
      containers: [{ name: "main", image: "busybox:1.37.0", command: ["sh", "-c", script] }],
    },
  });
  const text = await eventually(`the end of ${name}`, async () => {
    const phase = (await api.get<Pod>(path))?.status?.phase;
    return phase === "Succeeded" || phase === "Failed" ? (await api.send("GET", `${path}/log`)).text : undefined;
  });
  await api.delete(path);
  return text;
}

/** What new pods print whose first act it is to try what they may not reach. */
async function newPods(name: string): Promise<readonly string[]> {
  return Promise.all([1, 2, 3].map((index) => printedBy(`${name}-${index}`, firstSeconds)));
}

/** Holds the firewall of every node still for some seconds, in which it learns of no new pod. */
async function withoutFirewall<Result>(work: () => Promise<Result>): Promise<Result> {
  const firewalls = (await ofNodes({ directory, host }, "kube-router")).flat();
  assert.equal(firewalls.length, nodes.length);
  const signal = (name: NodeJS.Signals): void => {
    firewalls.forEach((pid) => process.kill(pid, name));
  };
  signal("SIGSTOP");
  const timer = setTimeout(signal, 10_000, "SIGCONT");
  try {
    return await work();
  } finally {
    clearTimeout(timer);
    signal("SIGCONT");
  }
}

/** Lets the firewall judge every connection of a pod by no policy, as it does by a race of its own in a new pod's first second. */
async function withoutPolicies<Result>(work: () => Promise<Result>): Promise<Result> {
  const mark = (command: "-A" | "-D"): void => {
    for (const node of nodes) {
      for (const chain of ["FORWARD", "INPUT"]) {
        // Not in the table that the firewall reads and writes again as a whole.
        const rule = ["-t", "mangle", command, chain, "-i", "cni0", "-j", "MARK", "--set-xmark", "0x20000/0x20000"];
        assert.equal(runInMachine(directory, node, "iptables", ...rule).status, 0);
      }
    }
  };
  mark("-A");
  try {
    return await work();
  } finally {
    mark("-D");
  }
}

/** What pods print that reached the internet and nothing that is forbidden. */
const confined = ["", "", ""].fill("A site on the internet.\nend\n");

test("a new pod reaches nothing while the firewall of its node does not know it, and while that judges it by no policy", async () => {
  assert.deepEqual(await withoutFirewall(() => newPods("unknown")), confined);
  assert.deepEqual(await withoutFirewall(() => withoutPolicies(() => newPods("misjudged"))), confined);
  await withoutTable("ip", nodes, async () => {
    const text = (await withoutFirewall(() => newPods("free"))).join("");
    for (const target of forbidden) {
      assert.ok(text.includes(`reached ${target}`), `something else than the rules stopped it: ${target}`);
    }
  });
});

test("a new pod finds its name server on any node, and then the rules let it reach what it may", async () => {
  const now = "cut -d' ' -f1 /proc/uptime";
  const lookup = "nslookup kubernetes.default.svc.cluster.local >/dev/null";
  const connection = "nc -w 15 kubernetes.default 443 </dev/null";
  const script = `${now} && ${lookup} && ${now} && ${connection} && ${now}`;
  for (const text of await Promise.all(nodes.map((node) => printedBy(`lookup-${node}`, script, node)))) {
    const [start = NaN, found = NaN, connected = NaN] = text.trim().split("\n").map(Number);
    assert.ok(found - start < 4, `no answer of the first lookup within 4 seconds: ${text}`);
    assert.ok(connected - start < 12, `no first connection within 12 seconds: ${text}`);
  }
});
