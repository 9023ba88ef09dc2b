import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { parse } from "yaml";
import { deletionPolicies } from "../../components/plan/admission/deletions.ts";
import { hostPolicies } from "../../components/plan/admission/policies.ts";
import { bindingSpec } from "../../components/plan/admission/policy.ts";
import type { Api } from "../../local/api.ts";
import { toolPath } from "../../local/toolchain/ready.ts";
import { attacks } from "./boundary/attacks/attacks.ts";
import { guestTests } from "./boundary/guest-tests.ts";
import { identities, type Identity } from "./boundary/identities.ts";
import { legitimateObjects } from "./boundary/legitimate.ts";
import type { LegitimateObject } from "./boundary/legitimate/entry.ts";
import { collectionPath } from "./boundary/paths.ts";
import { rawPacketTests } from "./boundary/raw-packets.ts";
import { seccompTests } from "./boundary/seccomp.ts";
import { type KubernetesObject, type Pod as GuestPod, updatedPod } from "./boundary/translate.ts";
import { certificatesAreCounted, type Config, type Embedded, eventually } from "./embedded.ts";
import { type Guest, startGuest } from "./guest.ts";
import { bindClusterRoles } from "./k3k-rights.ts";
import { platform } from "./platform.ts";
import type { Pod } from "./reachability/analyser.ts";
import { destinations, portsOfAcme, senders } from "./reachability/expected.ts";
import { matrix, podLabels, snapshot } from "./reachability/matrix.ts";

const stackFile = parse(readFileSync(new URL("../../Pulumi.local.yaml", import.meta.url), "utf8")) as {
  readonly config: { readonly "kraft:tenants": Readonly<Record<"acme", object>> };
};
const { acme, ...others } = stackFile.config["kraft:tenants"];
const config: Config = { "kraft:tenants": { acme: { ...acme, ports: portsOfAcme }, ...others } };

let host: Embedded;
let guest: Guest;
let clients: ReadonlyMap<Identity, Api>;
let honest: ReadonlyMap<string, LegitimateObject>;

before(async () => {
  host = await platform();
  await host.up(config);
  await host.cluster.api.apply("/apis/node.k8s.io/v1/runtimeclasses/of-the-operator", {
    apiVersion: "node.k8s.io/v1",
    kind: "RuntimeClass",
    metadata: { name: "of-the-operator" },
    handler: "runc",
  });
  await bindClusterRoles(host.cluster.api);
  clients = await identities(host.cluster.api);
  guest = await startGuest(host.cluster, "acme");
  const cluster = await host.cluster.api.get("/apis/k3k.io/v1beta1/namespaces/k3k-acme/clusters/acme");
  const objects = legitimateObjects({ ...placeholder, uid: cluster?.metadata.uid ?? "" });
  honest = new Map(objects.map((entry) => [entry.name, entry]));
  await certificatesAreCounted(host.cluster, "acme");
});

after(async () => {
  await (guest as Guest | undefined)?.stop();
  await host.remove();
});

/** Only the names of what the tests are made of are known before there is a cluster. */
const placeholder = { name: "acme", namespace: "k3k-acme", uid: "00000000-0000-0000-0000-000000000000" };

/** Sends an object as its writer would. What it changes is first put there, as the operator. */
async function send(entry: LegitimateObject): Promise<{ readonly status: number; readonly message: string }> {
  const { object, before: existing, change, subresource } = entry;
  const path = collectionPath(object.kind, object.metadata.namespace);
  if (existing === undefined || change === undefined) {
    return as(entry.as).answer("POST", path, object);
  }
  const operator = host.cluster.api;
  const name = existing.metadata.name ?? "";
  const client = as(entry.as);
  const parts = [path, name, ...(subresource === undefined ? [] : [subresource])];
  return eventually(`${name} to change`, async () => {
    const found =
      (await operator.get<KubernetesObject>(`${path}/${name}`)) ??
      (await client.create<KubernetesObject>(path, existing));
    const answer = await client.answer("PUT", parts.join("/"), change(found));
    // Its owner is made up, so the garbage collector may have taken it away in between.
    return answer.status === 404 ? undefined : answer;
  });
}

/** The API server as an identity reaches it. */
function as(identity: Identity): Api {
  const client = clients.get(identity);
  assert.ok(client, identity);
  return client;
}

for (const [target, list] of Object.entries(attacks)) {
  describe(`attacks on ${target}`, () => {
    for (const attack of list) {
      test(attack.name, async () => {
        const { status, message } = await as(attack.as).answer(attack.method, attack.path, attack.object);
        assert.ok([400, 403, 422].includes(status), `answered with ${status}: ${message}`);
        // Of the policies that refuse a deletion, the API server names one.
        const isDeletion =
          attack.method === "DELETE" && /'kraft-deletions-of-tenants'.* was not deleted: /.test(message);
        assert.ok(isDeletion || message.includes(attack.refusal), message);
      });
    }
  });
}

describe("honest work", () => {
  for (const { name } of legitimateObjects(placeholder)) {
    test(name, async () => {
      const entry = honest.get(name);
      assert.ok(entry);
      const { status, message } = await send(entry);
      // What is there already, or is more than what is left, has passed every policy before.
      const passed = status < 300 || status === 409 || (status === 403 && message.includes("exceeded quota"));
      assert.ok(passed, `${status} ${message}`);
    });
  }
});

test("the guest's name server keeps the label by which its Service finds it, which K3k 1.1.0 would take away", async () => {
  const entry = [...honest.values()].find(({ name }) => name.startsWith("CoreDNS of K3s"));
  assert.ok(entry !== undefined && entry.before === undefined);
  const guestPod = entry.object as GuestPod;
  const { namespace, name = "" } = guestPod.metadata;
  const path = collectionPath("Pod", namespace);
  const changed = (release: "1.1.0" | "1.2.0-rc4"): Promise<string> =>
    eventually(`${name} to change`, async () => {
      const found =
        (await host.cluster.api.get<GuestPod>(`${path}/${name}`)) ??
        (await as("k3k-kubelet").create<GuestPod>(path, guestPod));
      // As the guest has it, without labels of K3k's.
      const inGuest = structuredClone(found);
      inGuest.metadata.labels = { "k8s-app": "kube-dns", changed: "true" };
      const pod = updatedPod(release, found, inGuest);
      const { status, message } = await as("k3k-kubelet").answer("PUT", `${path}/${name}`, pod);
      // Its status changes meanwhile.
      return status === 409 ? undefined : status < 300 ? "changed" : message;
    });
  assert.match(await changed("1.1.0"), /k3k\.io\/clusterName may not be taken from the guest's name server/);
  assert.equal(await changed("1.2.0-rc4"), "changed");
});

test("who reaches whom, by the NetworkPolicies that the API server holds", async () => {
  const { api, tools } = host.cluster;
  const labels = {
    kubelet: (tenant: string) =>
      podLabels(api, `/apis/apps/v1/namespaces/k3k-${tenant}/daemonsets/k3k-${tenant}-kubelet`),
    server: (tenant: string) =>
      podLabels(api, `/apis/apps/v1/namespaces/k3k-${tenant}/statefulsets/k3k-${tenant}-server`),
    deployment: (namespace: string, name: string) =>
      podLabels(api, `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`),
  };
  const all: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    "k3k-acme/web": { app: "web", "k3k.io/clusterName": "acme" },
    // Labels that a tenant may write, each of which some rule of the platform's looks at.
    "k3k-acme/disguised": {
      "app.kubernetes.io/name": "traefik",
      "app.kubernetes.io/component": "webhook",
      "k8s-app": "kube-dns",
      "longhorn.io/admission-webhook": "longhorn-admission-webhook",
      "longhorn.io/component": "share-manager",
      cluster: "acme",
    },
    "k3k-acme/solver": { "acme.cert-manager.io/http01-solver": "true" },
    "k3k-acme/kubelet": await labels.kubelet("acme"),
    "k3k-acme/server": await labels.server("acme"),
    "k3k-blue/web": { app: "web", "k3k.io/clusterName": "blue" },
    "k3k-blue/kubelet": await labels.kubelet("blue"),
    "k3k-blue/server": await labels.server("blue"),
    "cert-manager/controller": await labels.deployment("cert-manager", "cert-manager"),
    "cert-manager/webhook": await labels.deployment("cert-manager", "cert-manager-webhook"),
    "k3k-system/k3k": await labels.deployment("k3k-system", "k3k"),
    // The charts of Traefik and Longhorn are stand-ins here: these are the labels of the real ones.
    "traefik/traefik": { "app.kubernetes.io/name": "traefik", "app.kubernetes.io/instance": "traefik-traefik" },
    "longhorn-system/manager": {
      app: "longhorn-manager",
      "longhorn.io/admission-webhook": "longhorn-admission-webhook",
    },
    "longhorn-system/ui": { app: "longhorn-ui" },
    "longhorn-system/instance-manager": { "longhorn.io/component": "instance-manager" },
    "longhorn-system/share-manager": { "longhorn.io/component": "share-manager" },
    "kube-system/coredns": { "k8s-app": "kube-dns" },
  };
  const pods = Object.fromEntries(
    Object.entries(all).map(([key, labels], index): [string, Pod] => [key, { labels, ip: `10.42.1.${index + 2}` }]),
  );
  const { found, expected } = await matrix(
    toolPath(tools, "network-policy-analyser"),
    await snapshot(api, pods),
    senders,
    destinations,
  );
  assert.equal(found, expected, found);
});

guestTests(() => ({ host, guest }));

for (const mutationTests of [rawPacketTests, seccompTests]) {
  mutationTests(() => ({ operator: host.cluster.api, kubelet: as("k3k-kubelet") }));
}

test("where a policy cannot be evaluated, or has no say, it refuses: every one is in force as it was declared", async () => {
  interface Policy extends KubernetesObject {
    readonly spec: { readonly failurePolicy: string };
    readonly status?: { readonly typeChecking?: { readonly expressionWarnings?: readonly unknown[] } };
  }
  interface Binding extends KubernetesObject {
    readonly spec: { readonly policyName: string; readonly validationActions: readonly string[] };
  }
  const group = "/apis/admissionregistration.k8s.io/v1";
  const policies = await host.cluster.api.list<Policy>(`${group}/validatingadmissionpolicies`);
  const bindings = await host.cluster.api.list<Binding>(`${group}/validatingadmissionpolicybindings`);
  const declared = [...hostPolicies({ ingressClassName: "traefik", issuerName: "kraft-issuer" }), ...deletionPolicies];
  assert.deepEqual(
    policies.map(({ metadata }) => metadata.name),
    declared.map(({ name }) => name).sort(),
  );
  for (const { metadata, spec, status } of policies) {
    assert.equal(spec.failurePolicy, "Fail", metadata.name);
    assert.deepEqual(status?.typeChecking?.expressionWarnings ?? [], [], metadata.name);
    const binding = bindings.find(({ spec }) => spec.policyName === metadata.name);
    const policy = declared.find(({ name }) => name === metadata.name);
    assert.ok(policy);
    // Without the fields that a binding leaves out.
    const { policyName, validationActions, paramRef } = bindingSpec(policy);
    const expected = { policyName, validationActions, ...(paramRef !== undefined && { paramRef }) };
    assert.deepEqual(binding?.spec, expected);
  }
});

test("in a namespace that K3k knows and Kraft does not, nothing may be created", async () => {
  const { api } = host.cluster;
  const path = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/kraft-tenant-namespaces";
  const binding = await api.get<KubernetesObject>(path);
  assert.ok(binding);
  // No such namespace can come into being while this policy is in force.
  await api.delete(path);
  await eventually("the namespace", () =>
    api
      .create("/api/v1/namespaces", {
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { name: "k3k-rogue", labels: { "policy.k3k.io/policy-name": "tenant-acme" } },
      })
      .catch(() => undefined),
  );
  await api.apply(path, { ...binding, metadata: { name: binding.metadata.name, labels: binding.metadata.labels } });
  for (const object of [
    { apiVersion: "v1", kind: "ConfigMap", data: {} },
    { apiVersion: "v1", kind: "Pod", spec: { containers: [{ name: "x", image: "x:1" }] } },
    { apiVersion: "networking.k8s.io/v1", kind: "Ingress", spec: { rules: [{ host: "www.blue.example" }] } },
    { apiVersion: "k3k.io/v1beta1", kind: "Cluster", spec: { mode: "shared" } },
  ]) {
    const metadata = { name: "rogue", namespace: "k3k-rogue" };
    const { message } = await api.answer("POST", collectionPath(object.kind, "k3k-rogue"), { ...object, metadata });
    assert.match(
      message,
      /has the label policy\.k3k\.io\/policy-name but not kraft\.dev\/tenant|stands in the namespace of its tenant/,
    );
  }
});

// The last: whatever it leaves behind would be in the way of the others.
test("a tenant fills neither the host's etcd nor the quota of K3k's own pods", async () => {
  const kubelet = as("k3k-kubelet");
  const create = async (kind: string, apiVersion: string, name: string, more: object): Promise<string> => {
    const metadata = { name: `${name}-66696c6c`, namespace: "k3k-acme", labels: { fill: "true" } };
    const object = { apiVersion, kind, metadata, ...more };
    return kubelet.create(collectionPath(kind, "k3k-acme"), object).then(
      () => "",
      (error: unknown) => (error as Error).message,
    );
  };
  const untilRefused = async (kind: string, apiVersion: string, more: object, most: number): Promise<string> => {
    for (let number = 0; number <= most; number += 1) {
      const refusal = await create(kind, apiVersion, `n${number}`, more);
      if (refusal !== "") {
        return refusal;
      }
    }
    return `${most} of ${kind} were let through`;
  };
  const pod = (priorityClassName: string) => ({
    spec: {
      priorityClassName,
      automountServiceAccountToken: false,
      containers: [{ name: "x", image: "x:1", resources: { requests: { cpu: "1m", memory: "1Mi" } } }],
    },
  });
  for (const [kind, apiVersion, more, quota, most] of [
    ["ConfigMap", "v1", { data: {} }, "kraft-objects", 200],
    ["Lease", "coordination.k8s.io/v1", {}, "kraft-objects", 5],
    ["Pod", "v1", pod("kraft-tenant"), "k3k-tenant-acme", 30],
  ] as const) {
    const refusal = await untilRefused(kind, apiVersion, more, most);
    assert.ok(refusal.includes(`exceeded quota: ${quota}`), refusal);
  }
  const { api } = host.cluster;
  // The tenant has no pod left; K3k's own and a solver still start.
  await api.delete("/api/v1/namespaces/k3k-acme/pods/k3k-acme-server-0");
  await eventually("the guest's server", () => api.get("/api/v1/namespaces/k3k-acme/pods/k3k-acme-server-0"));
  const solver = honest.get("cert-manager's solver pod");
  assert.ok(solver, [...honest.keys()].filter((name) => name.includes("solver")).join(", "));
  assert.equal((await send(solver)).status, 201);
  // Pods that have ended are in no quota on pods; each still lies in etcd.
  const pods = collectionPath("Pod", "k3k-acme");
  let refusal = "";
  for (let number = 0; number <= 300 && !refusal.includes("kraft-objects"); number += 1) {
    for (const { metadata } of await api.list(
      `${pods}?labelSelector=fill%3Dtrue&fieldSelector=status.phase!%3DSucceeded`,
    )) {
      const { name, namespace } = metadata;
      const ended = { apiVersion: "v1", kind: "Pod", metadata: { name, namespace }, status: { phase: "Succeeded" } };
      await api.apply(`${pods}/${name}/status`, ended);
    }
    refusal = await create("Pod", "v1", `ended${number}`, pod("kraft-tenant"));
    if (refusal.includes("k3k-tenant-acme")) {
      // Kubernetes takes the ended ones out of the quota in its own time.
      await sleep(500);
    }
  }
  assert.ok(refusal.includes("exceeded quota: kraft-objects, requested: count/pods=1"), refusal);
});
