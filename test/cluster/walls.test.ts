// What monitoring sees of walls, backups and drills: the real blackbox exporter, with the configuration and the account that
// are declared for it, asks a real API server; Prometheus would ask it the same.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { KubernetesObject } from "../../cluster/objects.ts";
import { failedDrillAnnotation, provenAnnotation } from "../../components/plan/drill.ts";
import { monitoringNamespace, services } from "../../components/plan/monitoring/parts.ts";
import { freePorts } from "../../local/state.ts";
import { silentReporter } from "../../local/terminal.ts";
import { readyTools, toolPath } from "../../local/toolchain/ready.ts";
import { tokensOf } from "./boundary/identities.ts";
import { type Embedded, eventually } from "./embedded.ts";
import { platform } from "./platform.ts";

const tenant = (name: string) => ({ domains: [`${name}.example`], size: "small" });
const config = {
  "kraft:alerts": { ntfy: "http://ntfy.test/kraft", heartbeat: "http://heartbeat.test/kraft" },
  "kraft:dashboards": "grafana",
  "kraft:tenants": { acme: tenant("acme"), blue: tenant("blue") },
};

interface Target {
  readonly job: string;
  readonly object: string;
  readonly tenant?: string;
  readonly path: string;
}

type ConfigMap = KubernetesObject & { readonly data: Readonly<Record<string, string>> };

const folder = mkdtempSync(join(tmpdir(), "kraft-walls-"));
let host: Embedded;
let exporter: ChildProcess;
let port: number;
let targets: readonly Target[];

before(async () => {
  host = await platform();
  await host.up(config);
  const { api } = host.cluster;
  const account = { exporter: [monitoringNamespace, services.objects] } as const;
  const { access } = (await tokensOf(api, account)).get("exporter") ?? assert.fail();
  writeFileSync(join(folder, "token"), access.token, { mode: 0o600 });
  writeFileSync(join(folder, "ca.crt"), access.certificateAuthority);
  const inPod = "/var/run/secrets/kubernetes.io/serviceaccount";
  const declared = (await configMap(services.objects))["objects.json"] ?? assert.fail();
  writeFileSync(join(folder, "objects.json"), declared.replaceAll(inPod, folder));
  targets = targetsOf((await configMap(services.prometheus))["prometheus.json"] ?? assert.fail());
  [port = 0] = await freePorts(1);
  exporter = spawn(
    toolPath(await readyTools(silentReporter, ["monitoring"]), "blackbox_exporter"),
    [`--config.file=${join(folder, "objects.json")}`, `--web.listen-address=127.0.0.1:${port}`],
    { stdio: "ignore" },
  );
  await eventually("the exporter", async () =>
    (await fetch(`http://127.0.0.1:${port}/-/healthy`).catch(() => undefined))?.ok === true ? true : undefined,
  );
});

after(async () => {
  exporter.kill();
  rmSync(folder, { recursive: true, force: true });
  await host.remove();
});

async function configMap(name: string): Promise<ConfigMap["data"]> {
  const path = `/api/v1/namespaces/${monitoringNamespace}/configmaps/${name}`;
  return ((await host.cluster.api.get<ConfigMap>(path)) ?? assert.fail(name)).data;
}

/** What Prometheus' configuration has the exporter asked for. */
function targetsOf(prometheus: string): readonly Target[] {
  const { scrape_configs: jobs } = JSON.parse(prometheus) as {
    readonly scrape_configs: readonly {
      readonly job_name: string;
      readonly static_configs?: readonly {
        readonly targets: readonly string[];
        readonly labels?: Readonly<Record<string, string>>;
      }[];
    }[];
  };
  return jobs.flatMap(({ job_name: job, static_configs = [] }) =>
    static_configs
      .filter((config) => config.targets[0]?.startsWith(`${services.objects}:`) === true)
      .map(({ labels = {} }) => ({
        job,
        object: labels["object"] ?? "",
        ...(labels["tenant"] !== undefined && { tenant: labels["tenant"] }),
        path: new URL(labels["__param_target"] ?? "").pathname,
      })),
  );
}

/** What the exporter says of one object. */
async function ask({ object, path }: Target): Promise<"as it should be" | "not as it should be" | "no answer"> {
  const { server } = host.cluster.api.access;
  const query = new URLSearchParams({ module: object, target: `${server}${path}` });
  const text = await (await fetch(`http://127.0.0.1:${port}/probe?${query.toString()}`)).text();
  const value = (name: string): string | undefined => new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1];
  return value("probe_failed_due_to_cel") === "1"
    ? "not as it should be"
    : value("probe_success") === "1"
      ? "as it should be"
      : "no answer";
}

/** The objects that are not as they should be. */
async function wrong(among: readonly Target[] = targets): Promise<string[]> {
  const answers = [];
  for (const target of among) {
    answers.push([target.object, await ask(target)] as const);
  }
  assert.deepEqual(
    answers.filter(([, answer]) => answer === "no answer"),
    [],
  );
  return answers.filter(([, answer]) => answer === "not as it should be").map(([object]) => object);
}

test("on a platform that is up, every object is as it should be, but the backup target that nobody keeps here, and drills that nobody made", async () => {
  assert.ok(targets.length > 50, String(targets.length));
  assert.deepEqual([...new Set(targets.map(({ job }) => job))].sort(), [
    "backup-target",
    "drills",
    "failed-backups",
    "proofs",
    "walls",
  ]);
  const never = ["acme", "blue"].map((name) => `any restore drill of ${name}`);
  const expected = (await backupTargetIsAvailable()) ? never : ["backup target", ...never];
  assert.deepEqual((await wrong()).sort(), expected.sort());
});

async function backupTargetIsAvailable(): Promise<boolean> {
  const target = await host.cluster.api.get<KubernetesObject & { readonly status?: { readonly available?: boolean } }>(
    "/apis/longhorn.io/v1beta2/namespaces/longhorn-system/backuptargets/default",
  );
  return target?.status?.available === true;
}

describe("what an administrator changes by hand", () => {
  const policies = "/apis/networking.k8s.io/v1/namespaces/k3k-acme/networkpolicies";
  const admission = "/apis/admissionregistration.k8s.io/v1";
  const namespace = "/api/v1/namespaces/k3k-acme";
  const opened = { ingress: [{}] };
  const slips: readonly {
    readonly what: string;
    readonly object: string;
    readonly slip: () => Promise<unknown>;
    readonly back: (before: KubernetesObject) => Promise<unknown>;
    readonly path: string;
  }[] = [
    {
      what: "a NetworkPolicy that lets everybody in",
      object: "NetworkPolicies of k3k-acme",
      path: `${policies}/kraft-default-deny`,
      slip: () => host.cluster.api.merge(`${policies}/kraft-default-deny`, { spec: opened }),
      back: () => host.cluster.api.merge(`${policies}/kraft-default-deny`, { spec: { ingress: null } }),
    },
    {
      what: "one peer that is widened by a second selector",
      object: "NetworkPolicies of k3k-acme",
      path: `${policies}/kraft-within-namespace`,
      slip: () =>
        host.cluster.api.merge(`${policies}/kraft-within-namespace`, {
          spec: { ingress: [{ from: [{ podSelector: {}, namespaceSelector: {} }] }] },
        }),
      back: () =>
        host.cluster.api.merge(`${policies}/kraft-within-namespace`, {
          spec: { ingress: [{ from: [{ podSelector: {} }] }] },
        }),
    },
    {
      what: "a NetworkPolicy more",
      object: "NetworkPolicies of k3k-acme",
      path: `${policies}/kraft-default-deny`,
      slip: () =>
        host.cluster.api.create(policies, {
          apiVersion: "networking.k8s.io/v1",
          kind: "NetworkPolicy",
          metadata: { name: "open", namespace: "k3k-acme" },
          spec: { podSelector: {}, policyTypes: ["Ingress"], ...opened },
        }),
      back: () => host.cluster.api.delete(`${policies}/open`),
    },
    {
      what: "a domain that is somebody else's",
      object: "labels and domains of k3k-acme",
      path: namespace,
      slip: () =>
        host.cluster.api.merge(namespace, { metadata: { annotations: { "kraft.dev/domains": "evil.example" } } }),
      back: () =>
        host.cluster.api.merge(namespace, { metadata: { annotations: { "kraft.dev/domains": "acme.example" } } }),
    },
    {
      what: "an admission policy that overlooks what it cannot evaluate",
      object: "validatingadmissionpolicies kraft-tenant-pods",
      path: `${admission}/validatingadmissionpolicies/kraft-tenant-pods`,
      slip: () =>
        host.cluster.api.merge(`${admission}/validatingadmissionpolicies/kraft-tenant-pods`, {
          spec: { failurePolicy: "Ignore" },
        }),
      back: () =>
        host.cluster.api.merge(`${admission}/validatingadmissionpolicies/kraft-tenant-pods`, {
          spec: { failurePolicy: "Fail" },
        }),
    },
    {
      what: "a binding that only warns",
      object: "validatingadmissionpolicybindings kraft-tenant-pods",
      path: `${admission}/validatingadmissionpolicybindings/kraft-tenant-pods`,
      slip: () =>
        host.cluster.api.merge(`${admission}/validatingadmissionpolicybindings/kraft-tenant-pods`, {
          spec: { validationActions: ["Warn"] },
        }),
      back: () =>
        host.cluster.api.merge(`${admission}/validatingadmissionpolicybindings/kraft-tenant-pods`, {
          spec: { validationActions: ["Deny", "Audit"] },
        }),
    },
    {
      what: "an admission policy that is deleted",
      object: "validatingadmissionpolicies kraft-tenant-services",
      path: `${admission}/validatingadmissionpolicies/kraft-tenant-services`,
      slip: () => host.cluster.api.delete(`${admission}/validatingadmissionpolicies/kraft-tenant-services`),
      back: (before) =>
        host.cluster.api.create(`${admission}/validatingadmissionpolicies`, {
          ...before,
          metadata: { name: before.metadata.name },
        }),
    },
  ];

  for (const { what, object, slip, back, path } of slips) {
    test(`${what}: told of this object alone, and no longer when it is put back`, async () => {
      const among = targets.filter(({ job }) => job === "walls");
      const before = (await host.cluster.api.get(path)) ?? assert.fail(path);
      await slip();
      assert.deepEqual(await wrong(among), [object]);
      await back(before);
      assert.deepEqual(await wrong(among), []);
    });
  }
});

test("a drill that failed is told of, with its tenant, until one succeeds", async () => {
  const drills = targets.filter(({ job }) => job === "drills");
  const annotate = (text: string | null) =>
    host.cluster.api.merge("/api/v1/namespaces/k3k-blue", {
      metadata: { annotations: { [failedDrillAnnotation]: text } },
    });
  await annotate("2026-11-29T03:00:00Z data: 1 file is truncated");
  assert.deepEqual(await wrong(drills), ["restore drill of blue"]);
  assert.equal(drills.find(({ object }) => object === "restore drill of blue")?.tenant, "blue");
  await annotate(null);
  assert.deepEqual(await wrong(drills), []);
});

test("a tenant whose backups were never tried is told of, until a drill succeeds", async () => {
  const proofs = targets.filter(({ tenant, job }) => job === "proofs" && tenant === "blue");
  const annotate = (text: string | null) =>
    host.cluster.api.merge("/api/v1/namespaces/k3k-blue", { metadata: { annotations: { [provenAnnotation]: text } } });
  assert.deepEqual(await wrong(proofs), ["any restore drill of blue"]);
  await annotate("2026-11-29T03:00:00Z");
  assert.deepEqual(await wrong(proofs), []);
  await annotate(null);
});

test("a backup that failed is told of, with its tenant, until a later one of the same volume succeeds", async () => {
  const { api } = host.cluster;
  const backups = "/apis/longhorn.io/v1beta2/namespaces/longhorn-system/backups";
  const among = targets.filter(({ job }) => job === "failed-backups");
  const backup = async (name: string, volume: string, state: string): Promise<void> => {
    const claim = { namespace: "k3k-blue", pvcName: "data" };
    await api.create(backups, {
      apiVersion: "longhorn.io/v1beta2",
      kind: "Backup",
      metadata: {
        name,
        namespace: "longhorn-system",
        labels: { "backup-volume": volume, "backup-target": "default" },
      },
      spec: { snapshotName: `of-${name}`, labels: { KubernetesStatus: JSON.stringify(claim) } },
    });
    await api.merge(`${backups}/${name}/status`, { status: { state, volumeName: volume } });
  };
  await backup("first", "pvc-1", "Completed");
  await backup("other", "pvc-2", "Completed");
  // Times of objects are of whole seconds.
  const nextSecond = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 1100));
  await nextSecond();
  await backup("second", "pvc-1", "Error");
  assert.deepEqual(await wrong(among), ["backups of blue"]);
  await nextSecond();
  await backup("elsewhere", "pvc-2", "Completed");
  assert.deepEqual(await wrong(among), ["backups of blue"]);
  await backup("third", "pvc-1", "Completed");
  assert.deepEqual(await wrong(among), []);
});

test("whoever may not ask is no reason to say that a wall is open", async () => {
  writeFileSync(join(folder, "token"), "revoked", { mode: 0o600 });
  const [wall = assert.fail()] = targets.filter(({ job }) => job === "walls");
  assert.equal(await ask(wall), "no answer");
});
