import assert from "node:assert/strict";
import { copyFileSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { parse } from "yaml";
import type { KubernetesObject } from "../../cluster/objects.ts";
import { tenantPolicies } from "../../components/plan/network/tenant-policies.ts";
import {
  datastoreStorage,
  k3kQuota,
  limitRange,
  objectQuota,
  podQuota,
  type Size,
  tenantAllowance,
} from "../../components/plan/size.ts";
import { classLimits, schedules, type TierName } from "../../components/plan/storage.ts";
import { chartsFolder, engineFolder } from "../../local/engine.ts";
import type { EngineRun } from "../../local/engine-run.ts";
import { startHostCluster } from "../../local/host-cluster.ts";
import { isRunning } from "../../local/processes.ts";
import { type Config, type Embedded, embedded, eventually, type Tenants } from "./embedded.ts";

interface Quota extends KubernetesObject {
  readonly spec: { readonly hard: Readonly<Record<string, string>> };
  readonly status?: {
    readonly hard?: Readonly<Record<string, string>>;
    readonly used?: Readonly<Record<string, string>>;
  };
}

interface LimitRange extends KubernetesObject {
  readonly spec: unknown;
}

interface Pod extends KubernetesObject {
  readonly spec: {
    readonly containers: readonly { readonly resources?: { readonly requests?: Readonly<Record<string, string>> } }[];
  };
}

interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly protect?: boolean;
  readonly retainOnDelete?: boolean;
  /** When it was created, in UTC. */
  readonly created?: string;
  readonly inputs?: Partial<KubernetesObject>;
}

interface Workload extends KubernetesObject {
  readonly status?: { readonly currentNumberScheduled?: number; readonly replicas?: number };
}

const stackFile = parse(readFileSync(new URL("../../Pulumi.local.yaml", import.meta.url), "utf8")) as {
  config: { "kraft:tenants": Tenants };
};
const tenants = stackFile.config["kraft:tenants"];

/** For the names of the policies: no address matters. */
const network = { podCidr: "10.42.0.0/16", serviceCidr: "10.43.0.0/16", nodes: [], resolvers: [], home: [] };

let local: Embedded;
let firstUp: EngineRun;

before(async () => {
  local = await embedded("local");
  firstUp = await local.up();
});

after(async () => {
  await local.remove();
});

/** What a run changed; what stays the same or is only read is no change. */
function changes(run: EngineRun): string[] {
  return run.steps.map(({ operation, urn }) => `${operation} ${urn.slice(urn.lastIndexOf("::") + 2)}`).sort();
}

function missing(what: string): never {
  throw new Error(`there is no ${what}`);
}

test("from nothing, one up creates everything without a complaint but K3k's known one", () => {
  assert.ok((firstUp.changes["create"] ?? 0) > 60, JSON.stringify(firstUp.changes));
  assert.deepEqual(
    firstUp.messages.filter(({ text }) => !text.includes("K3k 1.1.0: known to be bad on 3 nodes")),
    [],
  );
});

for (const [name, { size, tier = "standard" }] of Object.entries(tenants)) {
  const namespace = `k3k-${name}`;

  test(`${name}: the quotas that follow from the size are enforced, and K3k's own pods count in theirs`, async () => {
    const allowance = tenantAllowance(size as Size);
    for (const [quota, expected, counted] of [
      [`k3k-tenant-${name}`, podQuota(allowance), "pods"],
      ["kraft-k3k", k3kQuota(3), "requests.cpu"],
      [
        "kraft-objects",
        objectQuota(allowance, classLimits(tier as TierName, datastoreStorage)),
        "count/certificates.cert-manager.io",
      ],
    ] as const) {
      const found = await eventually(`quota ${quota} of ${name} with its use`, async () => {
        const object = await local.cluster.api.get<Quota>(`/api/v1/namespaces/${namespace}/resourcequotas/${quota}`);
        return object?.status?.used?.[counted] === undefined ? undefined : object;
      });
      assert.deepEqual(found.spec, expected);
      assert.deepEqual(found.status?.hard, expected.hard);
    }
    // A server and three kubelets, which K3k makes in its own time.
    const used = { "requests.cpu": "400m", "requests.memory": "1408Mi" };
    await eventually(`K3k's own pods in the quota of ${name}: ${JSON.stringify(used)}`, async () => {
      const k3k = await local.cluster.api.get<Quota>(`/api/v1/namespaces/${namespace}/resourcequotas/kraft-k3k`);
      return isDeepStrictEqual(k3k?.status?.used, used) ? true : undefined;
    });
  });

  test(`${name}: K3k wrote limit range and pod security, and no network policy of its own`, async () => {
    const limits = await eventually(`limit range of ${name}`, () =>
      local.cluster.api.get<LimitRange>(`/api/v1/namespaces/${namespace}/limitranges/k3k-tenant-${name}`),
    );
    const [container, claim] = limitRange(tenantAllowance(size as Size));
    // Kubernetes fills in the default: what there is at most.
    assert.deepEqual(limits.spec, { limits: [{ ...container, default: container?.max }, claim] });
    const { metadata } = (await local.cluster.api.get(`/api/v1/namespaces/${namespace}`)) ?? missing(namespace);
    assert.equal(metadata.labels?.["pod-security.kubernetes.io/enforce"], "baseline");
    assert.equal(metadata.labels["kraft.dev/tenant"], name);
    const policies = await local.cluster.api.list(`/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`);
    assert.deepEqual(
      policies.map((policy) => policy.metadata.name),
      tenantPolicies(name, network)
        .map((policy) => `kraft-${policy.name}`)
        .sort(),
    );
  });

  test(`${name}: the guest has its services, secrets, server and kubelets, and their pods fit the quota`, async () => {
    const names = async (path: string) =>
      (await local.cluster.api.list(path.replace("NS", `namespaces/${namespace}`))).map((o) => o.metadata.name);
    const kubelets = await eventually(`kubelets of ${name}`, async () => {
      const found = await local.cluster.api.get<Workload>(
        `/apis/apps/v1/namespaces/${namespace}/daemonsets/k3k-${name}-kubelet`,
      );
      return found?.status?.currentNumberScheduled === 3 ? found : undefined;
    });
    assert.ok(kubelets);
    for (const [collection, expected] of [
      ["pods", [`k3k-${name}-server-0`]],
      ["services", ["service", "service-headless", "kubelet", "kube-dns"].map((suffix) => `k3k-${name}-${suffix}`)],
      [
        "secrets",
        ["token", "init-server-config", "server-config", "agent-config"].map((suffix) => `k3k-${name}-${suffix}`),
      ],
      ["persistentvolumeclaims", [`varlibrancherk3s-k3k-${name}-server-0`]],
    ] as const) {
      await eventually(`${collection} of ${name}: ${expected.join(", ")}`, async () => {
        const found = await names(`/api/v1/NS/${collection}`);
        return expected.every((one) => found.includes(one)) ? true : undefined;
      });
    }
    assert.deepEqual(await names("/api/v1/NS/persistentvolumeclaims"), [`varlibrancherk3s-k3k-${name}-server-0`]);
    assert.deepEqual(await names("/apis/traefik.io/v1alpha1/NS/ingressroutetcps"), [`${name}-api`]);
  });
}

test("no pod of a guest was created before quota and limit range: every container requests what they ask for", async () => {
  const pods = await local.cluster.api.list<Pod>("/api/v1/pods");
  const ofGuests = pods.filter(
    ({ metadata }) => metadata.namespace?.startsWith("k3k-") && metadata.namespace !== "k3k-system",
  );
  assert.equal(ofGuests.length, 4 * Object.keys(tenants).length);
  for (const { metadata, spec } of ofGuests) {
    for (const { resources } of spec.containers) {
      assert.deepEqual(
        Object.keys(resources?.requests ?? {}).sort(),
        ["cpu", "ephemeral-storage", "memory"],
        metadata.name,
      );
    }
  }
});

test("K3k complains of nothing but the guests' API servers, which do not run here", () => {
  const log = readFileSync(local.cluster.state.processes["k3k"]?.logFile ?? "", "utf8");
  const errors = log
    .split("\n")
    .filter((line) => /"level":"(error|fatal|panic)"/.test(line))
    // The one call that needs a guest's K3s; calls to a service without pods are refused at once.
    .filter((line) => !/server-bootstrap.*connection refused/.test(line))
    // Two of K3k's own controllers wrote at once; it tries again by itself.
    .filter((line) => !line.includes("the object has been modified; please apply your changes to the latest version"));
  assert.deepEqual(errors, []);
});

test("the ClusterIssuer passed cert-manager's own webhook", async () => {
  assert.ok(await local.cluster.api.get("/apis/cert-manager.io/v1/clusterissuers/kraft-issuer"));
  const refused = local.cluster.api.create("/apis/cert-manager.io/v1/clusterissuers", {
    apiVersion: "cert-manager.io/v1",
    kind: "ClusterIssuer",
    metadata: { name: "two-classes" },
    spec: {
      acme: {
        server: "https://ca.example",
        privateKeySecretRef: { name: "key" },
        solvers: [{ http01: { ingress: { ingressClassName: "a", class: "b" } } }],
      },
    },
  });
  await assert.rejects(refused, /only one of 'ingressClassName', 'name' or 'class' should be specified/);
});

/** What the engine knows of each resource. */
function state(): readonly StateResource[] {
  const file = join(local.cluster.directory, "pulumi/state/.pulumi/stacks/kraft/local.json");
  const { checkpoint } = JSON.parse(readFileSync(file, "utf8")) as {
    checkpoint: { latest: { resources: readonly StateResource[] } };
  };
  return checkpoint.latest.resources;
}

test("the ClusterIssuer is made once the API server knows the authority of cert-manager's webhook", () => {
  const [webhook, issuer] = [
    "ValidatingWebhookConfiguration::cert-manager:cert-manager-webhook",
    "ClusterIssuer::cert-manager-issuer",
  ].map((end) => state().find(({ urn }) => urn.endsWith(end)) ?? assert.fail(`${end} is not in the state`));
  const waitFor = webhook?.inputs?.metadata?.annotations?.["pulumi.com/waitFor"];
  assert.equal(waitFor, "jsonpath={.webhooks[0].clientConfig.caBundle}");
  assert.ok((issuer?.created ?? "") > (webhook?.created ?? "never"));
});

test("nothing of a tenant is made before the whole boundary is in force", () => {
  const resources = state();
  const bindings = resources.filter(({ type }) => type.endsWith(":ValidatingAdmissionPolicyBinding"));
  assert.ok(bindings.length >= 10, String(bindings.length));
  const first = resources.filter(({ urn }) => /::tenant-[a-z]+-(namespace|policy)$/.test(urn));
  assert.equal(first.length, 2 * Object.keys(tenants).length);
  const inForce =
    bindings
      .map(({ created = "never" }) => created)
      .sort()
      .at(-1) ?? "never";
  for (const { urn, created = "" } of first) {
    assert.ok(created > inForce, `${urn} at ${created}, the last policy at ${inForce}`);
  }
});

test("the engine's state protects and keeps whatever data hangs on, down to each of Longhorn's CRDs", () => {
  const holdsData =
    /::(longhorn:longhorn\.io|.*CustomResourceDefinition.*::longhorn:|tenant-[a-z]+-(addons|api|cluster|namespace|network|network-[a-z0-9-]+|policy|quota-[a-z0-9]+|service-account|token)$|longhorn-namespace$)/;
  const found = state().filter(({ urn }) => holdsData.test(urn));
  const crds = found.filter(({ type }) => type.endsWith(":CustomResourceDefinition"));
  assert.ok(crds.length >= 20, `${crds.length} CRDs of Longhorn`);
  // Longhorn's namespace; of each tenant 6 that K3k needs, and the boundary: 7 network policies in one component, 2 quotas, 1 account.
  assert.equal(found.length - crds.length, 1 + (6 + 8 + 2 + 1) * Object.keys(tenants).length);
  for (const { urn, protect, retainOnDelete } of found) {
    const holdsNone = /-(addons|api|network|network-[a-z0-9-]+|quota-[a-z0-9]+)$/.test(urn);
    assert.deepEqual({ protect, retainOnDelete }, { protect: true, retainOnDelete: holdsNone ? undefined : true }, urn);
  }
});

test("what holds no data of Longhorn's chart is not protected: a new version may drop it", () => {
  const others = state().filter(
    ({ urn, type }) =>
      urn.includes("kraft:index:Longhorn$kubernetes:helm.sh/v4:Chart$") && !type.endsWith("Definition"),
  );
  assert.deepEqual([...new Set(others.map(({ type }) => type.slice(type.lastIndexOf(":") + 1)))].sort(), [
    "CSIDriver",
    "ConfigMap",
    "PriorityClass",
  ]);
  for (const { urn, protect, retainOnDelete } of others) {
    assert.deepEqual([protect ?? false, retainOnDelete ?? false], [false, false], urn);
  }
});

test("a second up changes nothing, and no run leaves a copy of the kubeconfig", async () => {
  const again = await local.up();
  assert.deepEqual(changes(again), []);
  const { directory, kubeconfig } = local.cluster;
  const server = /server: (\S+)/.exec(readFileSync(kubeconfig, "utf8"))?.[1] ?? assert.fail("no server");
  const copies = readdirSync(tmpdir()).filter(
    (name) => /^kubeconfig\d+$/.test(name) && readFileSync(join(tmpdir(), name), "utf8").includes(server),
  );
  assert.deepEqual([...copies, ...readdirSync(join(engineFolder(directory), "temporary"))], []);
});

test("one more tenant changes only that tenant's resources, and who has K3k's rights on nodes and priority classes", async () => {
  const more = await local.preview({
    "kraft:tenants": { ...tenants, delta: { domains: ["delta.example"], size: "small" } },
  });
  assert.deepEqual(changes(more), [
    "create tenant-delta",
    "create tenant-delta-addons",
    "create tenant-delta-api",
    "create tenant-delta-cluster",
    "create tenant-delta-namespace",
    "create tenant-delta-network",
    ...tenantPolicies("delta", network)
      .map(({ name }) => `create tenant-delta-network-${name}`)
      .sort(),
    "create tenant-delta-policy",
    "create tenant-delta-quota-k3k",
    "create tenant-delta-quota-objects",
    "create tenant-delta-service-account",
    "create tenant-delta-token",
    "update k3k:k3k-kubelet-node",
    "update k3k:k3k-priorityclass",
  ]);
});

test("a changed size changes only that tenant's policy, quota and what its guest says of them, in place", async () => {
  const larger = await local.preview({ "kraft:tenants": { ...tenants, acme: { ...tenants["acme"], size: "large" } } });
  assert.deepEqual(changes(larger), [
    "update tenant-acme-addons",
    "update tenant-acme-policy",
    "update tenant-acme-quota-objects",
  ]);
});

test("edits that look dangerous replace nothing", async () => {
  const { kubeconfig, context, uid } = local.cluster;
  const moved = join(local.cluster.directory, "moved.yaml");
  copyFileSync(kubeconfig, moved);
  const acme = { ...tenants["acme"], domains: ["acme.test"] };
  const edits: readonly (readonly [edit: Config, changes: readonly string[]])[] = [
    [{ "kraft:cluster": { kubeconfig: moved, context, uid } }, ["update host-provider"]],
    [{ "kraft:tenants": { ...tenants, acme } }, ["update tenant-acme-addons", "update tenant-acme-namespace"]],
    [{ "kraft:charts": { source: "folder", path: chartsFolder(local.cluster.directory) } }, []],
    [{ "kraft:issuer": { server: "production" } }, ["update cert-manager-issuer"]],
    [
      {
        "kraft:backup": {
          bucket: "another",
          region: "eu-central-1",
          prefix: "another",
          replaces: "s3://kraft-local@eu-central-2/local/",
        },
      },
      [
        "update longhorn-backup-credentials",
        "update longhorn:longhorn-system/longhorn-default-resource",
        // Each target has minutes of its own.
        ...schedules.map(({ name }) => `update longhorn-schedule-${name}`),
        // Tenants read in their guests when backups are made.
        ...Object.keys(tenants).map((name) => `update tenant-${name}-addons`),
      ],
    ],
    [
      { "kraft:domain": "moved.test" },
      [
        // Traefik tells every Ingress the entrypoint's name: an argument of its DaemonSet.
        "update traefik:traefik/traefik",
        ...Object.keys(tenants).flatMap((name) => [`update tenant-${name}-api`, `update tenant-${name}-cluster`]),
      ],
    ],
    [{ "kraft:storage": { replicas: 1 } }, ["update longhorn:longhorn-system/longhorn-default-setting"]],
  ];
  for (const [edit, expected] of edits) {
    assert.deepEqual(changes(await local.preview(edit)), [...expected].sort(), JSON.stringify(edit));
  }
});

test("a tenant that leaves the file is refused, and nothing of theirs is touched", async () => {
  const others = Object.fromEntries(Object.entries(tenants).filter(([name]) => name !== "acme"));
  for (const verb of ["preview", "up"] as const) {
    const message = await local.refusal(verb, { "kraft:tenants": others });
    assert.match(message, /kraft:tenants\.acme\n {4}found: {3}nothing, but the cluster has the guest cluster of acme/);
  }
  assert.ok(await local.cluster.api.get("/apis/k3k.io/v1beta1/namespaces/k3k-acme/clusters/acme"));
  assert.ok(await local.cluster.api.get("/api/v1/namespaces/k3k-acme/secrets/acme-addons"));
  assert.deepEqual(changes(await local.preview()), []);
});

test("a changed token seed would lock the guests out of their data, and is refused", async () => {
  const secrets = { "kraft:guestTokenSeed": "another seed, of 32 characters or more" };
  const message = await local.preview({}, secrets).then(
    ({ steps }) => `accepted: ${JSON.stringify(steps)}`,
    (error: unknown) => (error as Error).message,
  );
  for (const name of Object.keys(tenants)) {
    assert.match(
      message,
      new RegExp(`unable to replace resource "\\S+::tenant-${name}-token"\\nas it is currently marked for protection`),
    );
  }
});

test("a rotated backup key is changed in place", async () => {
  const rotated = await local.preview({}, { "kraft:wasabiSecretAccessKey": "another-key" });
  assert.deepEqual(changes(rotated), ["update longhorn-backup-credentials"]);
});

test("a file with problems is refused in words, and nothing is touched", async () => {
  const message = await local.refusal("up", {
    "kraft:tenants": { ...tenants, delta: { domains: ["shop.acme.example"], size: "tiny" } },
  });
  assert.ok(
    message.includes(`Pulumi.local.yaml has 2 problems. Nothing was changed.

  kraft:tenants.delta.domains[0]
    found:   "shop.acme.example", inside acme.example of kraft:tenants.acme.domains[0]
    allowed: a domain that is no other's, not inside one and not around one
    fix:     leave it with the tenant who owns it, and remove it here or there

  kraft:tenants.delta.size
    found:   "tiny"
    allowed: small, medium, large
    fix:     choose one of them, for example small`),
    message,
  );
  assert.equal(await local.cluster.api.get("/api/v1/namespaces/k3k-delta"), undefined);
  assert.deepEqual(changes(await local.preview()), []);
});

test("a kubeconfig that points at another cluster is refused, and nothing is touched", async () => {
  const { kubeconfig, context } = local.cluster;
  const message = await local.refusal("up", {
    "kraft:cluster": { kubeconfig, context, uid: "99999999-2222-3333-4444-555555555555" },
    "kraft:tenants": { ...tenants, delta: { domains: ["delta.example"], size: "small" } },
  });
  assert.ok(message.includes(`found:   "99999999-2222-3333-4444-555555555555", but context`), message);
  assert.ok(message.includes(`is the cluster ${local.cluster.uid}`), message);
  assert.equal(await local.cluster.api.get("/api/v1/namespaces/k3k-delta"), undefined);
});

test("killed processes are started again by the next run, and everything is still there", async () => {
  const { state, stack, directory, tools, uid } = local.cluster;
  const killed = ["kube-apiserver", "etcd", "k3k"].map((name) => state.processes[name] ?? missing(name));
  for (const { pid } of killed) {
    process.kill(pid, "SIGKILL");
  }
  await eventually("the end of all three", () => Promise.resolve(killed.some(isRunning) ? undefined : true));
  const repaired = await startHostCluster({ stack, directory, tools });
  // Some of the others end by themselves when the API server is gone.
  assert.ok(["etcd", "kube-apiserver"].every((name) => repaired.started.includes(name)));
  assert.equal(repaired.uid, uid);
  repaired.api.close();
  const again = await local.up();
  assert.deepEqual(changes(again), []);
});
