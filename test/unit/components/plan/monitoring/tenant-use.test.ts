// What Prometheus itself makes of the template, from figures of two tenants with names as hostile as nothing may have.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { parseAllDocuments } from "yaml";
import { longestUse } from "../../../../../components/plan/admission/reports.ts";
import { base64Pattern } from "../../../../../components/plan/base64-pattern.ts";
import { useFile, useFrame, useTemplate } from "../../../../../components/plan/monitoring/tenant-use.ts";
import { syncedName, tenantNames } from "../../../../../components/plan/names.ts";
import { tenantAllowance } from "../../../../../components/plan/size.ts";
import { freePorts } from "../../../../../local/state.ts";
import { terminalReporter } from "../../../../../local/terminal.ts";
import { readyTools, toolPath } from "../../../../../local/toolchain/ready.ts";

const tenants = ["acme", "blue", "none"].map((tenant) => ({
  tenant,
  namespace: tenantNames(tenant).namespace,
  allowance: tenantAllowance("small"),
}));

/** Ends strings, manifests and templates, if anything does. */
const hostile = "x\"}}\n---\nkind: ClusterRole\n    {{ query `up` }}<b>'&\\n\\";

/** A series in Prometheus' text format. */
function series(name: string, labels: Readonly<Record<string, string>>, value: number): string {
  const written = Object.entries(labels).map(
    ([label, text]) => `${label}="${text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"')}"`,
  );
  return `${name}{${written.join(",")}} ${value}\n`;
}

const gibibyte = 1024 ** 3;
const day = (text: string): number => Date.parse(text) / 1000;

function volume(tenant: string, claim: string, fullPercent: number, lastBackup: number): string {
  const { namespace } = tenantNames(tenant);
  const mounted = { namespace, persistentvolumeclaim: claim, node: "optiplex-1" };
  const ofLonghorn = { volume: `pvc-${tenant}`, pvc: claim, pvc_namespace: namespace };
  return (
    series("kubelet_volume_stats_capacity_bytes", mounted, 10 * gibibyte) +
    series("kubelet_volume_stats_available_bytes", mounted, (10 * gibibyte * (100 - fullPercent)) / 100) +
    series("longhorn_volume_last_backup_at", ofLonghorn, lastBackup)
  );
}

function site(tenant: string, host: string, ends: number, answers: 0 | 1): string {
  const labels = { job: "sites", tenant, host, instance: `${host}/` };
  return series("probe_ssl_earliest_cert_expiry", labels, ends) + series("probe_success", labels, answers);
}

function pod(tenant: string, name: string, bytes: number): string {
  return series("pod_memory_working_set_bytes", { namespace: tenantNames(tenant).namespace, pod: name }, bytes);
}

const figures = [
  pod("acme", "web-1", 1.5 * gibibyte),
  pod("acme", "web-2", 0.5 * gibibyte),
  volume("acme", syncedName("acme", { name: "data", namespace: "shop" }), 25, day("2026-11-29T01:07:00Z")),
  volume("acme", tenantNames("acme").datastoreClaim, 3, 0),
  site("acme", "shop.acme.example", day("2027-02-01T00:00:00Z"), 1),
  site("acme", "old.acme.example", day("2026-12-01T00:00:00Z"), 0),
  pod("blue", "of-blue", 3 * gibibyte),
  volume("blue", hostile, 77, day("2026-11-28T02:00:00Z")),
  site("blue", hostile, day("2027-03-03T00:00:00Z"), 0),
  site("blue", `*.${"b".repeat(40)}.blue.example`, day("2027-03-04T00:00:00Z"), 1),
].join("");

let prometheus: ChildProcess;
let url: string;
const folder = mkdtempSync(join(tmpdir(), "kraft-use-"));
const exporter = createServer((_, response) => {
  response.setHeader("Content-Type", "text/plain; version=0.0.4").end(figures);
});

before(async () => {
  const tools = await readyTools(terminalReporter(), ["monitoring"]);
  await new Promise<void>((resolve) => exporter.listen(0, "127.0.0.1", resolve));
  const { port: target } = exporter.address() as AddressInfo;
  const [port = 0] = await freePorts(1);
  const config = {
    global: { scrape_interval: "1s", scrape_timeout: "1s" },
    scrape_configs: [{ job_name: "all", honor_labels: true, static_configs: [{ targets: [`127.0.0.1:${target}`] }] }],
  };
  writeFileSync(join(folder, "prometheus.json"), JSON.stringify(config));
  writeFileSync(join(folder, "use.yaml"), useTemplate(tenants));
  prometheus = spawn(
    toolPath(tools, "prometheus"),
    [
      `--config.file=${join(folder, "prometheus.json")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
      `--web.console.templates=${folder}`,
    ],
    { stdio: "ignore" },
  );
  url = `http://127.0.0.1:${port}`;
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const known = await fetch(`${url}/api/v1/query?query=probe_success`).then(
      // While it starts, it answers that it is not available, and not in JSON.
      async (response) =>
        response.ok ? ((await response.json()) as { data: { result: unknown[] } }).data.result.length : 0,
      () => 0,
    );
    if (known === 4) {
      return;
    }
    await sleep(100);
  }
  assert.fail("Prometheus has no figures");
});

after(async () => {
  prometheus.kill();
  await new Promise((resolve) => prometheus.once("exit", resolve));
  exporter.closeAllConnections();
  await new Promise((resolve) => exporter.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

interface Secret {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly stringData: Readonly<Record<string, string>>;
}

/** What Prometheus answers, by the namespace of the Secret. */
async function secrets(): Promise<ReadonlyMap<string, Secret>> {
  const response = await fetch(`${url}/consoles/use.yaml`);
  const text = await response.text();
  assert.equal(response.status, 200, text);
  const documents = parseAllDocuments(text);
  assert.deepEqual(
    documents.flatMap(({ errors }) => errors),
    [],
  );
  return new Map(documents.map((document) => document.toJS() as Secret).map((s) => [s.metadata.namespace, s]));
}

/** The text that a tenant reads in the guest. */
async function textOf(tenant: string): Promise<string> {
  const { namespace } = tenantNames(tenant);
  const manifest = (await secrets()).get(namespace)?.stringData[useFile] ?? "";
  const [document, ...others] = parseAllDocuments(manifest);
  assert.deepEqual(others, []);
  const { data, ...object } = document?.toJS() as { readonly data: Readonly<Record<string, string>> };
  assert.deepEqual(object, {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "kraft-use", namespace: "kube-public" },
  });
  assert.deepEqual(Object.keys(data), ["report"]);
  return data["report"] ?? "";
}

test("Prometheus writes one key of the addons of every tenant, whatever names there are", async () => {
  const found = [...(await secrets()).values()];
  assert.deepEqual(
    found.map(({ stringData, ...secret }) => ({ ...secret, stringData: Object.keys(stringData) })),
    tenants.map(({ tenant, namespace }) => ({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: `${tenant}-addons`, namespace },
      stringData: ["kraft-use.yaml"],
    })),
  );
});

test("a tenant reads use, volumes, backups, certificates and what does not answer", async () => {
  const text = (await textOf("acme")).replace(/^Measured at \d{4}-\d\d-\d\d \d\d:\d\d UTC/, "Measured at NOW");
  assert.equal(
    text,
    `Measured at NOW, and every 15 minutes.

Used of what your own pods and volumes may use together, or more: only what runs and is mounted is counted
  memory: 2GiB of 4Gi
  volumes: 10GiB of 50Gi
  pods: 2 of 30

Volumes that are mounted: claim and namespace, and how full
  data-shop: 25 %
  the objects of the cluster: 3 %

Last backup of each volume, in UTC
  data-shop: 2026-11-29 01:07
  the objects of the cluster: none yet

Certificates of your sites, the first to end above; each is renewed before by itself
  old.acme.example: until 2026-12-01
  shop.acme.example: until 2027-02-01

Sites that do not answer, or with an error of the server
  old.acme.example
`,
  );
});

test("nothing of one tenant is in another's, and a tenant of whom nothing is known reads that", async () => {
  const [acme, blue, none] = [await textOf("acme"), await textOf("blue"), await textOf("none")];
  for (const word of ["blue", "77 %", "3GiB", "2027-03"]) {
    assert.ok(!acme.includes(word) && !none.includes(word), word);
  }
  for (const word of ["acme", "shop", "25 %"]) {
    assert.ok(!blue.includes(word), word);
  }
  assert.match(none, /pods: none runs\n/);
  assert.match(none, /memory: no figures at the moment\n/);
});

test("of a hostile name there is left what a name may have, on its one line", async () => {
  const blue = await textOf("blue");
  assert.equal(blue.split("\n").length, 20);
  assert.match(blue, /^ {2}x\?{4}---\?kind\?\?ClusterRole[?a-z]+: 77 %$/m);
  assert.match(blue, /^ {2}\*\.b{40}\.blue\.example: until 2027-03-04$/m);
  assert.doesNotMatch(blue, /[{}"'<>&`\\]/);
});

test("whatever it writes, the API server's policy lets pass", async () => {
  const pattern = new RegExp(base64Pattern(useFrame.before, useFrame.after));
  for (const { stringData } of (await secrets()).values()) {
    const written = Buffer.from(stringData[useFile] ?? "").toString("base64");
    assert.match(written, pattern);
    assert.ok(written.length < longestUse / 4);
  }
});
