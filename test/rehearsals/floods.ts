// A tenant takes all that they can get: memory, processes, the node's disk, the disk of a volume, and requests to their own site. Every
// flood ends at a limit of the tenant's own; a neighbour's site and API are asked every second meanwhile.
import { setTimeout as sleep } from "node:timers/promises";
import type { Pod } from "../../cluster/objects.ts";
import { paths } from "../../cluster/paths.ts";
import { processesPerPod } from "../../components/plan/size.ts";
import { withoutRights } from "../../kraft/welcome/sample.ts";
import { eventually } from "../cluster/embedded.ts";
import type { EmbeddedHome } from "../live/embedded-home.ts";
import { clock, type Rehearsal } from "./rehearsal.ts";
import { RequestFlood } from "./request-flood.ts";
import { checksums, database, moveIn, shop, writeFiles } from "./tenants.ts";
import { everyoneSees, tenantAtTheirApi, Visitor } from "./visitor.ts";

const tenant = "acme";
const neighbour = "blue";

interface Scene {
  readonly rehearsal: Rehearsal;
  readonly home: EmbeddedHome;
  /** Of the neighbour. */
  readonly site: Visitor;
  /** Of the neighbour. */
  readonly api: Visitor;
}

const floods: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  "nobody floods anything": () => sleep(60_000),
  "a pod takes memory until it has no more": memory,
  "a pod starts processes until it may no more": processes,
  "a pod fills the node's disk, outside of its volumes": nodeDisk,
  "a pod fills its volume": volume,
  "a stranger calls the tenant's site as fast as it answers": requests,
};

export async function run(rehearsal: Rehearsal): Promise<void> {
  const home = rehearsal.home();
  await rehearsal.step("a home comes up", () => rehearsal.bringUp(home));
  for (const name of [tenant, neighbour]) {
    await rehearsal.step(`${name} moves in`, async () => {
      await moveIn(home, name);
      await writeFiles(home.guest(name), shop, 1);
      await writeFiles(home.guest(name), database, 1);
    });
  }
  await runFloods(rehearsal, home);
}

/** All floods, in a home whose tenants have moved in. */
export async function runFloods(rehearsal: Rehearsal, home: EmbeddedHome): Promise<void> {
  const site = new Visitor(home, `https://${shop}.${neighbour}.example/`);
  const api = await tenantAtTheirApi(home, neighbour);
  rehearsal.removeAtEnd(() => {
    site.leave();
    api.leave();
  });
  await everyoneSees([site, api]);
  const before = await checksums(home.guest(neighbour), database);
  for (const [what, flood] of Object.entries(floods)) {
    const start = Date.now();
    await rehearsal.part(what, () => flood({ rehearsal, home, site, api }));
    // What it brought about may come late.
    await sleep(5000);
    rehearsal.figure(
      `${what}: the neighbour's site, half of all calls within, the slowest`,
      `${site.times(start)}; missed ${site.missed(start)} ${site.reasons(start)}`.trim(),
    );
    rehearsal.figure(
      `${what}: the neighbour's API, half of all calls within, the slowest`,
      `${api.times(start)}; missed ${api.missed(start)} ${api.reasons(start)}`.trim(),
    );
    const pressed = await nodesUnderPressure(home);
    rehearsal.expect(`${what}: nodes that are not Ready, or under pressure`, pressed || "none", pressed === "");
  }
  const same = (await checksums(home.guest(neighbour), database)) === before;
  rehearsal.expect("the neighbour's files", same ? "equal" : "others", same);
  await rehearsal.command("npx kraft status -s local", () => home.tool("status", "-s", "local"));
}

async function memory({ rehearsal, home }: Scene): Promise<void> {
  const { end } = await runToEnd(home, "memory", "tail /dev/zero", { memory: "256Mi" });
  rehearsal.expect("its pod ends with", `${end?.reason ?? "?"}, ${end?.exitCode ?? "?"}`, end?.reason === "OOMKilled");
}

async function processes({ rehearsal, home }: Scene): Promise<void> {
  // The shell ends when it cannot start another one.
  const script = "n=1; while true; do sleep 600 & n=$((n+1)); echo $n; done";
  const { end, log } = await runToEnd(home, "processes", script, { memory: "3500Mi" });
  const most = Number(log.match(/^\d+$/gm)?.at(-1));
  rehearsal.expect(
    "its pod ends with",
    `${end?.reason ?? "?"}, ${/.*can't fork.*/.exec(log)?.[0] ?? "?"}`,
    log.includes("can't fork"),
  );
  rehearsal.expect(
    `processes at most, of ${processesPerPod}`,
    String(most),
    most > processesPerPod - 20 && most <= processesPerPod,
  );
}

async function nodeDisk({ rehearsal, home }: Scene): Promise<void> {
  const start = Date.now();
  const script = "dd if=/dev/zero of=/scratch/full bs=1M count=600; sleep 600";
  const { pod } = await runToEnd(home, "disk", script, { "ephemeral-storage": "200Mi" });
  const { reason, message } = pod.status ?? {};
  rehearsal.expect("its pod ends with", `${reason ?? "?"}: ${message ?? "?"}`, reason === "Evicted");
  rehearsal.figure("after", clock((Date.now() - start) / 1000));
}

async function volume({ rehearsal, home }: Scene): Promise<void> {
  const guest = home.guest(tenant);
  const pod = await guest.readyPod(database);
  const { code, text } = await guest.inPod(pod, "sh", "-c", "dd if=/dev/zero of=/data/full bs=1M count=4000");
  rehearsal.expect(
    "its dd ends with",
    `${code}, ${text.trim()}`,
    code !== 0 && text.includes("No space left on device"),
  );
  const still = await guest.readyPod(database);
  rehearsal.expect("its pod is ready, and the same", still, still === pod);
  await guest.inPod(pod, "rm", "/data/full");
}

async function requests({ rehearsal, home }: Scene): Promise<void> {
  const flood = new RequestFlood(home, `${shop}.${tenant}.example`);
  rehearsal.removeAtEnd(() => flood.leave());
  await sleep(60_000);
  await flood.leave();
  rehearsal.expect("answers in a minute", flood.counted, flood.answers > 0);
}

/** How a pod of the tenant's ended. */
interface Ended {
  readonly pod: Pod;
  readonly end: { readonly reason?: string; readonly exitCode?: number } | undefined;
  /** What it printed last. */
  readonly log: string;
}

/** Has a pod of the tenant's run a shell script, with limits, until it ends; then it is deleted. */
async function runToEnd(
  home: EmbeddedHome,
  name: string,
  script: string,
  limits: Readonly<Record<string, string>>,
): Promise<Ended> {
  const api = await home.guest(tenant).api();
  const path = paths.pods.named("default", name);
  await api.create(paths.pods.in("default"), {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "default" },
    spec: {
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 1,
      securityContext: withoutRights.pod,
      volumes: [{ name: "scratch", emptyDir: {} }],
      containers: [
        {
          name: "main",
          image: "busybox:1.37.0",
          command: ["sh", "-c", script],
          resources: { requests: { cpu: "10m", memory: "32Mi", "ephemeral-storage": "10Mi" }, limits },
          securityContext: withoutRights.container,
          volumeMounts: [{ name: "scratch", mountPath: "/scratch" }],
        },
      ],
    },
  });
  const pod = await eventually(
    `the end of ${name}`,
    async () => {
      const found = await api.get(path);
      return found?.status?.phase === "Failed" ? found : undefined;
    },
    300,
  );
  const { text } = await api.send("GET", `${path}/log?tailLines=5`);
  await api.delete(path);
  return { pod, end: pod.status?.containerStatuses?.[0]?.state?.terminated, log: text };
}

/** The nodes that a flood did something to, with what. */
async function nodesUnderPressure(home: EmbeddedHome): Promise<string> {
  return (await home.host().list(paths.nodes.all))
    .flatMap(({ metadata, status }) =>
      (status?.conditions ?? [])
        .filter(({ type, status: is }) =>
          type === "Ready" ? is !== "True" : type?.endsWith("Pressure") && is === "True",
        )
        .map(({ type = "?" }) => `${metadata.name} ${type}`),
    )
    .join(", ");
}
