import assert from "node:assert/strict";
import { before, test } from "node:test";
import { datastoreStorage, mebibytes } from "../../../components/plan/size.ts";
import { validate } from "../../../infra/config/validate.ts";
import { platform, type PlatformOutputs } from "../../../infra/platform.ts";
import { type Declared, declared } from "../../../kraft/diff/mocked-resources.ts";
import { stacks } from "../../../stacks/index.ts";
import { stackFile } from "../../fixtures/stack-file.ts";

const { raw } = stackFile();
let resources: Declared[];
let outputs: PlatformOutputs;

before(async () => {
  resources = await declared("homelab", async () => {
    const model = validate("homelab", stacks, raw);
    const staged = model.tenants.map((tenant) => ({ tenant, stage: "guest" as const }));
    const tenant = model.tenants[0] ?? assert.fail();
    const deletionPermittedOn = "2026-11-28";
    const leaving = [
      { tenant: { ...tenant, name: "leaving" }, stage: "removing" as const, deletionPermittedOn },
      { tenant: { ...tenant, name: "closing" }, stage: "closing" as const, deletionPermittedOn },
    ];
    ({ outputs } = await platform(model, [...staged, ...leaving]));
  });
});

function find(type: string, name: string): Declared {
  const found = resources.find((resource) => resource.type === type && resource.name === name);
  assert.ok(found, `${type} ${name}; there are ${resources.map((r) => `${r.type} ${r.name}`).join(", ")}`);
  return found;
}

test("everything that carries data is protected, and stays in the cluster when it leaves the program", () => {
  for (const [type, name] of [
    ["kubernetes:core/v1:Namespace", "longhorn-namespace"],
    ["kubernetes:core/v1:Secret", "longhorn-backup-credentials"],
    ["kubernetes:helm.sh/v4:Chart", "longhorn"],
    ["kubernetes:core/v1:Namespace", "tenant-acme-namespace"],
    ["kubernetes:k3k.io/v1beta1:VirtualClusterPolicy", "tenant-acme-policy"],
    ["kubernetes:core/v1:Secret", "tenant-acme-token"],
    ["kubernetes:k3k.io/v1beta1:Cluster", "tenant-acme-cluster"],
  ] as const) {
    const { protect, retainOnDelete } = find(type, name);
    assert.deepEqual({ protect, retainOnDelete }, { protect: true, retainOnDelete: true }, name);
  }
});

test("a tenant who is purged goes with the namespace, and nothing waits for what Kubernetes makes anew in it", () => {
  const namespace = find("kubernetes:core/v1:Namespace", "tenant-leaving-namespace");
  assert.deepEqual([namespace.protect, namespace.retainOnDelete], [false, false]);
  const account = find("kubernetes:core/v1:ServiceAccount", "tenant-leaving-service-account");
  assert.deepEqual([account.protect, account.retainOnDelete], [false, true]);
});

test("only what the next run deletes is permitted to be deleted", () => {
  const permitted = resources.flatMap(({ name, inputs }) => {
    const { annotations } = (inputs["metadata"] ?? {}) as { readonly annotations?: Readonly<Record<string, string>> };
    const day = annotations?.["kraft.dev/deletion-permitted-on"];
    return day === undefined ? [] : [`${name} ${day}`];
  });
  assert.deepEqual(permitted.sort(), [
    "tenant-closing-addons 2026-11-28",
    "tenant-closing-cluster 2026-11-28",
    // All that is in it goes with it.
    "tenant-leaving-namespace 2026-11-28",
    "tenant-leaving-policy 2026-11-28",
  ]);
  for (const [tenant, state] of [
    ["closing", "archived"],
    ["leaving", "purged"],
  ] as const) {
    const { inputs } = find("kubernetes:core/v1:ConfigMap", `tenant-${tenant}-leaving`);
    assert.deepEqual(inputs["data"], { state, permittedOn: "2026-11-28" });
  }
});

test("what is printed of a tenant's allowance is what the quotas enforce", () => {
  const hard = (spec: unknown): Record<string, string> => (spec as { hard: Record<string, string> }).hard;
  const policy = find("kubernetes:k3k.io/v1beta1:VirtualClusterPolicy", "tenant-acme-policy").inputs["spec"];
  const pods = hard((policy as { quota: unknown }).quota);
  const objects = hard(find("kubernetes:core/v1:ResourceQuota", "tenant-acme-quota-objects").inputs["spec"]);
  const { cpu, memory, storage, pods: count } = outputs.tenants["acme"]?.allowance ?? assert.fail();
  assert.deepEqual(pods, { "requests.cpu": cpu, "requests.memory": memory, pods: String(count) });
  const datastore = mebibytes(datastoreStorage);
  assert.equal(mebibytes(objects["requests.storage"] ?? ""), mebibytes(storage) + datastore);
});

test("every namespace that the platform declares denies what is not named, and says how strict it is with pods", () => {
  const namespaces = resources.filter(({ type }) => type === "kubernetes:core/v1:Namespace");
  const denying = resources
    .filter(
      ({ type, name }) => type === "kubernetes:networking.k8s.io/v1:NetworkPolicy" && name.endsWith("-default-deny"),
    )
    .map(({ inputs }) => (inputs["metadata"] as { namespace: string }).namespace);
  for (const { name, inputs } of namespaces) {
    const metadata = inputs["metadata"] as { name: string; labels: Record<string, string> } | undefined;
    // One that is only read, for its UID.
    if (metadata === undefined || name === "host-kube-system") {
      continue;
    }
    assert.ok(denying.includes(metadata.name), metadata.name);
    assert.equal("pod-security.kubernetes.io/enforce" in metadata.labels, !("kraft.dev/tenant" in metadata.labels));
  }
});

test("every storage class keeps a volume whose claim is deleted", () => {
  const classes = resources.filter(({ type }) => type === "kubernetes:storage.k8s.io/v1:StorageClass");
  assert.equal(classes.length, 3);
  assert.deepEqual(
    classes.map(({ inputs }) => inputs["reclaimPolicy"]),
    ["Retain", "Retain", "Retain"],
  );
});

test("every resource has a parent, and a name that begins with its parent's", () => {
  for (const { name, parent, type } of resources) {
    if (type === "pulumi:pulumi:Stack") {
      continue;
    }
    // The boundary of a namespace is part of what the namespace is for; every other component stands by itself.
    const isComponent = type.startsWith("kraft:") && type !== "kraft:index:NetworkBoundary";
    assert.equal(parent === undefined || parent === "kraft-homelab", isComponent, `${type} ${name} under ${parent}`);
    assert.ok(isComponent || name.startsWith(parent ?? ""), `${name} under ${parent}`);
  }
});

test("names of components' types are Kraft's own and of one form", () => {
  const own = resources.map(({ type }) => type).filter((type) => type.startsWith("kraft:"));
  assert.deepEqual([...new Set(own)].sort(), [
    "kraft:index:CertManager",
    "kraft:index:DeletionPolicies",
    "kraft:index:HostCluster",
    "kraft:index:K3k",
    "kraft:index:Longhorn",
    "kraft:index:NetworkBoundary",
    "kraft:index:RestoreDrill",
    "kraft:index:Tenant",
    "kraft:index:TenantBoundary",
    "kraft:index:Traefik",
  ]);
});

test("policy and Cluster state the same synchronisation, since K3k reads parts of it from each", () => {
  const policy = find("kubernetes:k3k.io/v1beta1:VirtualClusterPolicy", "tenant-acme-policy").inputs["spec"];
  const cluster = find("kubernetes:k3k.io/v1beta1:Cluster", "tenant-acme-cluster").inputs["spec"];
  assert.deepEqual((policy as { sync: unknown }).sync, (cluster as { sync: unknown }).sync);
});

test("the namespace names its policy and its domains, and leaves Pod Security to K3k", () => {
  const { metadata } = find("kubernetes:core/v1:Namespace", "tenant-acme-namespace").inputs as {
    metadata: Record<string, Record<string, string>>;
  };
  assert.deepEqual(metadata, {
    name: "k3k-acme",
    labels: { "kraft.dev/tenant": "acme", "policy.k3k.io/policy-name": "tenant-acme" },
    annotations: {
      "kraft.dev/domains": "acme.example",
      "pulumi.com/waitFor": 'jsonpath={.metadata.labels["pod-security.kubernetes.io/enforce"]}=baseline',
      "pulumi.com/timeoutSeconds": "1800",
    },
  });
});

test("the provider is bound to a context and to an identity that outlives addresses", () => {
  const { inputs } = find("pulumi:providers:kubernetes", "host-provider");
  assert.equal(inputs["context"], "kraft-homelab");
  assert.equal(inputs["kubeconfig"], "~/.kube/kraft-homelab.yaml");
  assert.equal(inputs["clusterIdentifier"], "kraft-homelab");
});
