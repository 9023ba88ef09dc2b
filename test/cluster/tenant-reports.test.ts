// What brings tenants' use into their guests, with kubectl itself and what Prometheus would answer.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { KubernetesObject } from "../../cluster/objects.ts";
import { longestUse } from "../../components/plan/admission/reports.ts";
import { reporter } from "../../components/plan/monitoring/parts.ts";
import { useFile, useFrame } from "../../components/plan/monitoring/tenant-use.ts";
import type { Api } from "../../local/api.ts";
import type { EngineRun } from "../../local/engine-run.ts";
import { silentReporter } from "../../local/terminal.ts";
import { readyTools, toolPath } from "../../local/toolchain/ready.ts";
import { tokensOf } from "./boundary/identities.ts";
import type { Embedded } from "./embedded.ts";
import { platform } from "./platform.ts";

interface Secret extends KubernetesObject {
  readonly type?: string;
  readonly immutable?: boolean;
  readonly data?: Readonly<Record<string, string>>;
}

interface Job extends KubernetesObject {
  readonly spec: {
    readonly jobTemplate: {
      readonly spec: {
        readonly template: { readonly spec: { readonly containers: readonly { readonly args: readonly string[] }[] } };
      };
    };
  };
}

const tenant = (name: string) => ({ domains: [`${name}.example`], size: "small" });
const config = {
  "kraft:alerts": { ntfy: "http://ntfy.test/kraft", heartbeat: "http://heartbeat.test/kraft" },
  "kraft:tenants": { acme: tenant("acme"), blue: tenant("blue") },
};
const addons = (name: string): string => `/api/v1/namespaces/k3k-${name}/secrets/${name}-addons`;

let host: Embedded;
let asReporter: Api;
let args: readonly string[];
const folder = mkdtempSync(join(tmpdir(), "kraft-reports-"));
let answer = "";
const prometheus = createServer((_, response) => response.end(answer));

before(async () => {
  host = await platform();
  await host.up(config);
  const { api } = host.cluster;
  const tokens = await tokensOf(api, { reporter: [reporter.namespace, reporter.account] });
  asReporter = tokens.get("reporter") ?? assert.fail();
  const path = `/apis/batch/v1/namespaces/${reporter.namespace}/cronjobs/${reporter.account}`;
  const job = await api.get<Job>(path);
  args = job?.spec.jobTemplate.spec.template.spec.containers[0]?.args ?? assert.fail("no job");
  await new Promise<void>((resolve) => prometheus.listen(0, "127.0.0.1", resolve));
});

after(async () => {
  prometheus.close();
  rmSync(folder, { recursive: true, force: true });
  await host.remove();
});

/** The job, with the reporter's token and this Prometheus in place of what it has in its pod. */
async function report(): Promise<{ readonly code: number | null; readonly output: string }> {
  const tools = await readyTools(silentReporter, ["kubectl"]);
  const { server, certificateAuthority, token } = asReporter.access;
  const kubeconfig = join(folder, "kubeconfig");
  const cluster = {
    server,
    "certificate-authority-data": Buffer.from(certificateAuthority).toString("base64"),
  };
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "host", cluster }],
      users: [{ name: "reporter", user: { token } }],
      contexts: [{ name: "host", context: { cluster: "host", user: "reporter" } }],
      "current-context": "host",
    }),
    { mode: 0o600 },
  );
  const { port } = prometheus.address() as AddressInfo;
  const given = args.map((argument) => argument.replace(/http:\/\/[^/]+/, `http://127.0.0.1:${port}`));
  assert.notDeepEqual(given, args);
  const child = spawn(toolPath(tools, "kubectl"), given, {
    // As in its pod, there is no folder, and none can be made: in /proc not even by root.
    env: { KUBECONFIG: kubeconfig, HOME: "/proc/nowhere" },
  });
  let output = "";
  child.stdout.on("data", (text) => (output += String(text)));
  child.stderr.on("data", (text) => (output += String(text)));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, output };
}

/** As Prometheus writes it (test/unit/components/plan/monitoring/tenant-use.test.ts). */
function use(name: string, text: string): string {
  return `---
apiVersion: v1
kind: Secret
metadata: { name: ${name}-addons, namespace: k3k-${name} }
stringData:
  ${useFile}: |-
    ${useFrame.before}${text}${useFrame.after}
`;
}

async function secretOf(name: string): Promise<Secret> {
  return (await host.cluster.api.get<Secret>(addons(name))) ?? assert.fail(`no addons of ${name}`);
}

/** The text that is on its way to the guest. */
async function reported(name: string): Promise<string> {
  const file = Buffer.from((await secretOf(name)).data?.[useFile] ?? "", "base64").toString();
  return (JSON.parse(file) as { data: { report: string } }).data.report;
}

function changed(run: EngineRun): string[] {
  return run.steps.map(({ operation, urn }) => `${operation} ${urn.slice(urn.lastIndexOf("::") + 2)}`).sort();
}

test("the job writes one key for each tenant, again and again, and leaves the others alone", async () => {
  const before = await secretOf("acme");
  answer = use("acme", String.raw`first of acme\n`) + use("blue", String.raw`first of blue\n`);
  const first = await report();
  assert.equal(first.code, 0, first.output);
  assert.equal(await reported("acme"), "first of acme\n");
  answer = use("acme", String.raw`second of acme\n`) + use("blue", String.raw`second of blue\n`);
  const second = await report();
  assert.equal(second.code, 0, second.output);
  assert.equal(await reported("acme"), "second of acme\n");
  assert.equal(await reported("blue"), "second of blue\n");
  const { data: { [useFile]: _, ...others } = {}, metadata, type } = await secretOf("acme");
  assert.deepEqual(others, before.data);
  assert.deepEqual(metadata.annotations, before.metadata.annotations);
  assert.equal(type, before.type);
});

test("a run that looks at the cluster first neither reports what was written nor takes it away", async () => {
  const again = await host.preview(config);
  assert.deepEqual(changed(again), []);
  assert.deepEqual(again.byHand, []);
  const noticed = await host.up({ ...config, "kraft:notice": "Saturday: new disks" });
  assert.deepEqual(changed(noticed), ["update tenant-acme-addons", "update tenant-blue-addons"]);
  assert.deepEqual(noticed.byHand, []);
  assert.equal(await reported("acme"), "second of acme\n");
  const terms = Buffer.from((await secretOf("acme")).data?.["kraft-terms.yaml"] ?? "", "base64").toString();
  assert.match(terms, /Saturday: new disks/);
});

test("the longest text that may be written costs the API server no more than it allows", async () => {
  const text = "x".repeat((longestUse / 4) * 3 - useFrame.before.length - useFrame.after.length);
  answer = use("blue", text);
  const longest = await report();
  assert.equal(longest.code, 0, longest.output);
  assert.equal(await reported("blue"), text);
  answer = use("blue", `${text}x`);
  const longer = await report();
  assert.notEqual(longer.code, 0);
  assert.match(longer.output, /kraft-use\.yaml has to be one ConfigMap/);
});

test("one tenant whose addons are not there yet keeps nobody else from being told", async () => {
  answer = use("gone", String.raw`x\n`) + use("acme", String.raw`third of acme\n`);
  const { code, output } = await report();
  assert.notEqual(code, 0);
  assert.match(output, /forbidden/);
  assert.equal(await reported("acme"), "third of acme\n");
});

describe("the reporter cannot", () => {
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const file = (text: string): string => base64(`${useFrame.before}${text}${useFrame.after}`);
  const role = '\n---\n{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"x"}}';
  const attempts: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    "change another addon": { data: { "admission.yaml": base64("---\n") } },
    "take another addon away": { data: { "admission.yaml": null } },
    "add an addon": { data: { "more.yaml": file("x") } },
    "bring a second object into the guest": {
      data: { [useFile]: base64(`${useFrame.before}x${useFrame.after}${role}`) },
    },
    "bring one in before it": { data: { [useFile]: base64(`${role}\n---\n${useFrame.before}x${useFrame.after}`) } },
    "end the text early": { data: { [useFile]: file('x"},"kind":"Secret","data":{"report":"') } },
    "break the line": { data: { [useFile]: file(`x${role}`) } },
    "bring another kind into the guest": {
      data: { [useFile]: base64(`${useFrame.before.replace("ConfigMap", "Secret")}x${useFrame.after}`) },
    },
    "write into another namespace of the guest": {
      data: { [useFile]: base64(`${useFrame.before.replace("kube-public", "kube-system")}x${useFrame.after}`) },
    },
    "write without end": { data: { [useFile]: file("x".repeat(64 * 1024)) } },
    "keep everybody from writing": { immutable: true },
    "label it": { metadata: { labels: { "kraft.dev/tenant": "blue" } } },
    "permit its deletion": { metadata: { annotations: { "kraft.dev/deletion-permitted-on": "2026-11-29" } } },
    "keep it from being deleted": { metadata: { finalizers: ["example.org/kept"] } },
    "give it an owner": {
      metadata: { ownerReferences: [{ apiVersion: "v1", kind: "ConfigMap", name: "x", uid: "1" }] },
    },
  };
  for (const [what, body] of Object.entries(attempts)) {
    test(what, async () => {
      const before = await secretOf("acme");
      const { status, text } = await asReporter.send("PATCH", addons("acme"), {
        body,
        type: "application/merge-patch+json",
      });
      assert.equal(status, 422, text);
      assert.match(text, /kraft-tenant-reports/);
      assert.deepEqual(await secretOf("acme"), before);
    });
  }

  test("read it, make one, delete it, or touch any other Secret", async () => {
    const other = "/api/v1/namespaces/k3k-acme/secrets/k3k-acme-token";
    const patch = { body: { data: {} }, type: "application/merge-patch+json" };
    for (const [method, path, more] of [
      ["GET", addons("acme"), {}],
      ["GET", "/api/v1/secrets", {}],
      ["DELETE", addons("acme"), {}],
      ["POST", "/api/v1/namespaces/k3k-acme/secrets", { body: { metadata: { name: "x" } } }],
      ["PATCH", other, patch],
      ["PATCH", "/api/v1/namespaces/kube-system/secrets/acme-addons", patch],
      ["GET", "/api/v1/namespaces/k3k-acme/pods", {}],
    ] as const) {
      assert.equal((await asReporter.send(method, path, more)).status, 403, `${method} ${path}`);
    }
  });
});
