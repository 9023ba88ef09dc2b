// What tenants have in their guests before something happens to them.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as k8s from "@kubernetes/client-node";
import { parseAllDocuments } from "yaml";
import { condition, hasEnded, type Pod } from "../../cluster/objects.ts";
import { labelled, paths } from "../../cluster/paths.ts";
import { tenantNames } from "../../components/plan/names.ts";
import { tenantFiles } from "../../kraft/welcome/files.ts";
import { sampleName, withoutRights } from "../../kraft/welcome/sample.ts";
import { eventually } from "../cluster/embedded.ts";
import type { EmbeddedHome, Guest } from "../live/embedded-home.ts";
import type { Rehearsal } from "./rehearsal.ts";

/** The web shop that a tenant's bundle has: a Deployment with one volume, a Service and an Ingress. */
export const shop = sampleName;

/** A StatefulSet with one volume a pod. */
export const database = "db";

/** Both, each with its files in its volume. */
export const applications = [shop, database] as const;

type ClaimObject = k8s.KubernetesObject & { readonly spec?: { readonly storageClassName?: string } };

/** What the specification of a pod has that prefers a node as long as that is there. */
export function preferring(node: string): object {
  const here = { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [node] }] };
  return {
    affinity: {
      nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, preference: here }] },
    },
  };
}

/**
 * Gives a tenant the shop of their bundle, and a database; both run when it returns.
 *
 * @param node Where both run, as long as that node is there. Default: anywhere
 */
export async function moveIn(home: EmbeddedHome, tenant: string, node?: string): Promise<void> {
  const guest = home.guest(tenant);
  const client = k8s.KubernetesObjectApi.makeApiClient(await guest.kubeconfig());
  const bundle = await bundleOf(home, tenant);
  const where = node === undefined ? {} : preferring(node);
  for (const object of bundle) {
    await client.create(object.kind === "Deployment" ? withPodSpec(object, where) : object);
  }
  const claim: ClaimObject | undefined = bundle.find(({ kind }) => kind === "PersistentVolumeClaim");
  const statefulSets = "/apis/apps/v1/namespaces/default/statefulsets";
  const databaseHere = withPodSpec(databaseObject(claim?.spec?.storageClassName), where);
  await (await guest.api()).create(statefulSets, databaseHere);
  await guest.readyPod(shop, node, 180);
  await guest.readyPod(database, node, 180);
}

/** Gives a tenant both applications, and each of these four files; returns what they hold, by application. */
export async function moveInWithFiles(home: EmbeddedHome, tenant: string): Promise<Readonly<Record<string, string>>> {
  await moveIn(home, tenant);
  for (const app of applications) {
    await writeFiles(home.guest(tenant), app, 4);
  }
  return filesOf(home.guest(tenant));
}

/** The pod of a guest's server, on the host; undefined while there is none. */
export function serverOf(home: EmbeddedHome, tenant: string): Promise<Pod | undefined> {
  const { namespace, server } = tenantNames(tenant);
  return home.host().get(paths.pods.named(namespace, `${server}-0`));
}

async function bundleOf(home: EmbeddedHome, tenant: string): Promise<readonly k8s.KubernetesObject[]> {
  const out = join(mkdtempSync(join(tmpdir(), "kraft-bundle-")), tenant);
  try {
    const { code, stderr } = await home.tool("onboard", tenant, "--out", out);
    assert.equal(code, 0, stderr);
    const text = readFileSync(join(out, tenantFiles.sample), "utf8");
    return parseAllDocuments(text).map((document) => document.toJS() as k8s.KubernetesObject);
  } finally {
    rmSync(dirname(out), { recursive: true });
  }
}

/** A workload with more in the specification of its pods. */
function withPodSpec(workload: object, more: object): object {
  const { spec, ...rest } = workload as { readonly spec: { readonly template: { readonly spec: object } } };
  return { ...rest, spec: { ...spec, template: { ...spec.template, spec: { ...spec.template.spec, ...more } } } };
}

function databaseObject(storageClassName: string | undefined): object {
  const labels = { app: database };
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name: database, namespace: "default" },
    spec: {
      serviceName: database,
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          terminationGracePeriodSeconds: 2,
          securityContext: withoutRights.pod,
          containers: [
            {
              name: "main",
              image: "busybox:1.37.0",
              command: ["sleep", "1000000"],
              resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "64Mi" } },
              securityContext: withoutRights.container,
              volumeMounts: [{ name: "data", mountPath: "/data" }],
            },
          ],
        },
      },
      volumeClaimTemplates: [
        {
          metadata: { name: "data" },
          spec: {
            accessModes: ["ReadWriteOnce"],
            ...(storageClassName === undefined ? {} : { storageClassName }),
            resources: { requests: { storage: "1Gi" } },
          },
        },
      ],
    },
  };
}

/** The pods of a guest that are not ready, in every namespace. */
export async function waitingPods(guest: Guest): Promise<readonly Pod[]> {
  const pods = await (await guest.api()).list(paths.pods.all);
  return pods.filter((pod) => !hasEnded(pod) && condition(pod.status, "Ready")?.status !== "True");
}

/** What `kraft status --guests` says of pods that the host does not have, and the command beside it. */
const lostPod =
  /its guest has (?<pods>.+) on (?<node>\S+), and the host has no such pod: kubectl -n (?<namespace>\S+) delete pod -l (?<selector>\S+) /;

/** How often node-lost.md is followed: a kubelet of K3k's that starts may lose a pod once more. */
const rounds = 3;

/**
 * Waits until every pod of a guest is ready. K3k 1.1.0's kubelets delete each other's pods when they start (rancher/k3k#1021),
 * and may then leave a new one without a container for ever: `kraft status --guests` names it, and the command beside it is
 * followed, as docs/runbooks/node-lost.md says.
 *
 * @param patience How many seconds the pods have before that. Default: what node-lost.md says
 * @returns names of the pods that waited for that, once for each time
 */
export async function bringBackLostPods(
  home: EmbeddedHome,
  tenant: string,
  patience = 120,
): Promise<readonly string[]> {
  const ready = (): Promise<true | undefined> =>
    waitingPods(home.guest(tenant)).then((pods) => (pods.length === 0 ? true : undefined));
  const lost: string[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    try {
      await eventually(`the pods of ${tenant}`, ready, patience);
      return lost;
    } catch {
      lost.push(...(await startKubeletsOfLostPods(home, tenant)));
    }
  }
  await eventually(`the pods of ${tenant}, once K3k's kubelets had started again`, ready, 180);
  return lost;
}

/** Follows the commands that `kraft status --guests` names for a tenant; gives the names of the pods that it named. */
async function startKubeletsOfLostPods(home: EmbeddedHome, tenant: string): Promise<readonly string[]> {
  const { namespace } = tenantNames(tenant);
  const waiting = await waitingPods(home.guest(tenant));
  const { stdout } = await home.tool("status", "-s", home.stack, "--guests", "--json");
  const { problems } = JSON.parse(stdout) as { readonly problems: readonly { readonly message: string }[] };
  const told = problems
    .map(({ message }) => lostPod.exec(message)?.groups)
    .filter((groups) => groups?.["namespace"] === namespace);
  const names = told.flatMap((groups) => groups?.["pods"]?.split(", ") ?? []);
  for (const { metadata } of waiting) {
    const name = `${metadata.namespace ?? ""}/${metadata.name}`;
    assert.ok(names.includes(name), `${name} is not ready, and status --guests does not name it: ${stdout}`);
  }
  for (const groups of told) {
    const kubelets = await home.host().list(labelled(paths.pods.in(namespace), groups?.["selector"] ?? ""));
    for (const { metadata } of kubelets.filter(({ spec }) => spec?.nodeName === groups?.["node"])) {
      await home.host().delete(paths.pods.named(namespace, metadata.name));
    }
  }
  return names;
}

/** Has a pod write files of random bytes to its volume, and wait until they are on the disk. */
export async function writeFiles(guest: Guest, app: string, files: number): Promise<void> {
  const script = `cd /data && mkdir -p files && for n in $(seq 1 ${files}); do
    dd if=/dev/urandom of=files/$n bs=64k count=16 2>/dev/null || exit 1; done; echo "the page of ${guest.tenant}" >index.html; sync`;
  const { code, text } = await guest.inPod(await guest.readyPod(app), "sh", "-c", script);
  assert.equal(code, 0, text);
}

/** SHA-256 of every file in the volume of a pod, one a line. */
export async function checksums(guest: Guest, app: string, seconds = 90): Promise<string> {
  const pod = await guest.readyPod(app, undefined, seconds);
  const { code, text } = await guest.inPod(pod, "sh", "-c", "cd /data && find . -type f | sort | xargs sha256sum");
  assert.equal(code, 0, text);
  return text;
}

/** SHA-256 of every file of every application, by application. */
export async function filesOf(guest: Guest, seconds?: number): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {};
  for (const app of applications) {
    found[app] = await checksums(guest, app, seconds);
  }
  return found;
}

/** Has a rehearsal fail where a tenant's files are not those of before. */
export async function expectFiles(
  rehearsal: Rehearsal,
  guest: Guest,
  before: Readonly<Record<string, string>>,
  seconds?: number,
): Promise<void> {
  for (const [app, text] of Object.entries(await filesOf(guest, seconds))) {
    const count = text.trim().split("\n").length;
    const same = text === before[app];
    const what = `${guest.tenant}, ${app}: ${count} files, byte for byte`;
    rehearsal.expect(what, same ? "equal" : `${before[app] ?? "nothing"}became\n${text}`, same);
  }
}
