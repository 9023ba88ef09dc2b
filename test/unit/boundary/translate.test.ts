import assert from "node:assert/strict";
import { test } from "node:test";
import { legitimate, legitimateObjects } from "../../cluster/boundary/legitimate.ts";
import {
  type GuestCluster,
  hostName,
  type KubernetesObject,
  type Pod,
  projectedTokenName,
  safeConcatName,
  synced,
  updatedPod,
} from "../../cluster/boundary/translate.ts";

const acme: GuestCluster = { name: "acme", namespace: "k3k-acme", uid: "6a2d2f0e-0f55-4b3c-9a46-0b6f6f6d1f7a" };

/** A pod with all that K3k translates in one. */
const guestPod: Pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name: "web-0",
    namespace: "shop",
    uid: "11111111-1111-4111-8111-111111111111",
    resourceVersion: "42",
    labels: { app: "web" },
    finalizers: ["batch.kubernetes.io/job-tracking"],
    ownerReferences: [{ apiVersion: "apps/v1", kind: "StatefulSet", name: "web", uid: "2" }],
  },
  spec: {
    nodeName: "node-2",
    nodeSelector: { disk: "ssd" },
    priority: 0,
    serviceAccountName: "robot",
    serviceAccount: "robot",
    imagePullSecrets: [{ name: "registry" }],
    initContainers: [{ name: "init", image: "busybox" }],
    containers: [
      {
        name: "web",
        image: "nginx",
        env: [
          { name: "NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
          { name: "NODE", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
          { name: "KUBERNETES_SERVICE_HOST", value: "kubernetes.default.svc" },
        ],
        envFrom: [{ configMapRef: { name: "settings" } }, { secretRef: { name: "db" } }],
        volumeMounts: [
          { name: "data", mountPath: "/data" },
          { name: "kube-api-access-abc12", mountPath: "/var/run/secrets/kubernetes.io/serviceaccount", readOnly: true },
        ],
      },
    ],
    volumes: [
      { name: "data", persistentVolumeClaim: { claimName: "data-web-0" } },
      { name: "info", downwardAPI: { items: [{ path: "name", fieldRef: { fieldPath: "metadata.name" } }] } },
      {
        name: "tokens",
        projected: {
          sources: [
            { serviceAccountToken: { path: "vault-token", expirationSeconds: 3600, audience: "vault" } },
            { secret: { name: "credentials" } },
          ],
        },
      },
      { name: "kube-api-access-abc12", projected: { sources: [{ configMap: { name: "kube-root-ca.crt" } }] } },
    ],
  },
};

function onHost(name: string): string {
  return hostName(acme, name, "shop");
}

function syncedPod(pod: Pod, options: Parameters<typeof synced>[2] = {}): Pod {
  return synced(acme, pod, options) as Pod;
}

test("names are those of K3k's own tests", () => {
  assert.equal(
    hostName({ name: "mycluster" }, "nginx", "test"),
    "nginx-test-mycluster-6e67696e782b746573742b6d79636c7573746572",
  );
  assert.equal(
    hostName({ name: "c-test" }, "my-secret", "my-namespace"),
    "my-secret-my-namespace-c-test-6d792d7365637265742b6d792d6-887db",
  );
  assert.equal(
    hostName({ name: "c-test" }, "my-configmap", "my-namespace"),
    "my-configmap-my-namespace-c-test-6d792d636f6e6669676d6170-301f6",
  );
});

test("names are those that the research derived for a tenant", () => {
  assert.equal(hostName(acme, "web-tls", "default"), "web-tls-default-acme-7765622d746c732b64656661756c742b61636d65");
  assert.equal(
    hostName(acme, "shop-acme-com-tls", "default"),
    "shop-acme-com-tls-default-acme-73686f702d61636d652d636f6d-3916e",
  );
});

test("what is of the whole guest has no namespace in its name", () => {
  assert.equal(hostName({ name: "c" }, "p"), "p-c-702b63");
});

test("a name is cut from 64 characters on, and never before a hyphen", () => {
  assert.equal(safeConcatName("a".repeat(63)), "a".repeat(63));
  assert.match(safeConcatName("a".repeat(64)), /^a{57}-[0-9a-f]{5}$/);
  assert.match(safeConcatName("a".repeat(56), "b".repeat(20)), /^a{56}-[0-9a-f]{6}$/);
});

test("Secrets with projected tokens are named as in K3k's own tests", () => {
  const token = { audiences: ["api"], expirationSeconds: 3600, path: "token" };
  for (const release of ["1.1.0", "1.2.0-rc4"] as const) {
    assert.equal(projectedTokenName(release, "default", { audiences: [], path: "" }), "k3k-default");
    assert.equal(projectedTokenName(release, "default", { ...token, audiences: [] }), "k3k-default-3600-token");
    assert.equal(projectedTokenName(release, "my-sa", token), "k3k-my-sa-api-3600-token");
    assert.equal(
      projectedTokenName(release, "my-sa", { ...token, audiences: ["api", "vault"] }),
      "k3k-my-sa-api-vault-3600-token",
    );
    assert.equal(
      projectedTokenName(release, "my-sa", { audiences: ["api"], path: "vault-token" }),
      "k3k-my-sa-api-vault-token",
    );
  }
  const long = { ...token, audiences: ["some-very-long-audience-string"], path: "some-very-long-token-path-value" };
  assert.equal(projectedTokenName("1.1.0", "my-very-long-service-account-name", long).length, 63);
});

test("only the later release makes a valid name of every audience and path", () => {
  const vectors = [
    [["https://unsanitized-audience"], "", "k3k-my-serviceaccount-https-unsanitized-audience-23d739"],
    [["MyAudience"], "", "k3k-my-serviceaccount-myaudience-753a30"],
    [["api", "vault.example.com:8200"], "", "k3k-my-serviceaccount-api-vault.example.com-8200-2a7048"],
    [[], "other-path/..", "k3k-my-serviceaccount-other-path-0e329c"],
    [
      ["https://unsanitized-audience"],
      "other-path/..",
      "k3k-my-serviceaccount-https-unsanitized-audience-23d739-o-0aa54",
    ],
  ] as const;
  for (const [audiences, path, expected] of vectors) {
    assert.equal(projectedTokenName("1.2.0-rc4", "my-serviceaccount", { audiences, path }), expected);
  }
  const url = { audiences: ["https://vault"], path: "" };
  assert.equal(projectedTokenName("1.1.0", "app", url), "k3k-app-https://vault");
});

test("a pod's metadata says where it comes from, and the Cluster controls it", () => {
  const { metadata } = syncedPod(guestPod, { release: "1.1.0" });
  assert.deepEqual(metadata, {
    name: onHost("web-0"),
    namespace: "k3k-acme",
    labels: { app: "web", "k3k.io/clusterName": "acme" },
    annotations: { "k3k.io/name": "web-0", "k3k.io/namespace": "shop" },
    ownerReferences: [
      {
        apiVersion: "k3k.io/v1beta1",
        kind: "Cluster",
        name: "acme",
        uid: acme.uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
  });
  assert.equal(syncedPod(guestPod).metadata.labels?.["k3k.io/agentName"], "node-2");
});

test("a pod's references are translated, its token becomes a Secret, its place a preference", () => {
  const { spec } = syncedPod(guestPod);
  const [web] = spec.containers;
  assert.equal(spec.nodeName, undefined);
  assert.equal(spec.nodeSelector, undefined);
  assert.match(JSON.stringify(spec.affinity), /preferredDuring.*kubernetes\.io\/hostname.*node-2/);
  assert.equal(spec.hostname, "web-0");
  assert.deepEqual(spec.imagePullSecrets, [{ name: onHost("registry") }]);
  assert.deepEqual(web?.envFrom, [
    { configMapRef: { name: onHost("settings") } },
    { secretRef: { name: onHost("db") } },
  ]);
  assert.deepEqual(web.env?.slice(0, 3), [
    { name: "NAME", value: "web-0" },
    { name: "NODE", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
    { name: "KUBERNETES_SERVICE_HOST", value: "10.43.0.20" },
  ]);
  assert.deepEqual(spec.volumes, [
    { name: "data", persistentVolumeClaim: { claimName: onHost("data-web-0") } },
    {
      name: "info",
      downwardAPI: { items: [{ path: "name", fieldRef: { fieldPath: "metadata.annotations['k3k.io/name']" } }] },
    },
    {
      name: "tokens",
      projected: {
        sources: [
          { secret: { name: onHost("k3k-robot-vault-3600-vault-token") } },
          { secret: { name: onHost("credentials") } },
        ],
      },
    },
    { name: "k3k-kube-api-access", secret: { secretName: onHost("k3k-robot-token") } },
  ]);
  const mount = { name: "k3k-kube-api-access", mountPath: "/var/run/secrets/kubernetes.io/serviceaccount" };
  assert.deepEqual(web.volumeMounts, [{ name: "data", mountPath: "/data" }, mount]);
  assert.deepEqual(spec.initContainers?.[0]?.volumeMounts, [mount]);
});

test("a service account's name goes with its token volume; without one only the later release clears it", () => {
  const tokenless: Pod = { ...guestPod, spec: { ...guestPod.spec, volumes: [] } };
  const cleared = { name: undefined, automount: false };
  const account = ({ spec }: Pod): unknown => ({
    name: spec.serviceAccountName,
    automount: spec.automountServiceAccountToken,
  });
  assert.deepEqual(account(syncedPod(guestPod, { release: "1.1.0" })), cleared);
  assert.deepEqual(account(syncedPod(tokenless)), cleared);
  assert.deepEqual(account(syncedPod(tokenless, { release: "1.1.0" })), { name: "robot", automount: undefined });
});

test("a second volume that calls itself the API's token is left as it is", () => {
  const second = { name: "kube-api-access-mine", secret: { secretName: "k3k-acme-kubeconfig" } };
  const pod: Pod = { ...guestPod, spec: { ...guestPod.spec, volumes: [...(guestPod.spec.volumes ?? []), second] } };
  assert.ok(syncedPod(pod).spec.volumes?.some((volume) => volume.secret?.secretName === "k3k-acme-kubeconfig"));
});

test("a class of priority is Kubernetes' own, or the policy's, or a translated one", () => {
  const withClass = (priorityClassName: string, priority: number): Pod => ({
    ...guestPod,
    spec: { ...guestPod.spec, priorityClassName, priority },
  });
  const classOf = (pod: Pod, priorityClass?: string): unknown => {
    const { spec } = syncedPod(pod, priorityClass === undefined ? {} : { priorityClass });
    return [spec.priorityClassName, spec.priority];
  };
  assert.deepEqual(classOf(guestPod), [undefined, 0]);
  assert.deepEqual(classOf(guestPod, "tenant"), ["tenant", undefined]);
  assert.deepEqual(classOf(withClass("system-node-critical", 2), "tenant"), ["system-node-critical", undefined]);
  assert.deepEqual(classOf(withClass("urgent", 9), "tenant"), ["tenant", undefined]);
  assert.deepEqual(classOf(withClass("urgent", 9)), [hostName(acme, "urgent"), undefined]);
});

test("the guest's DNS goes to pods without a DNS configuration, but not to CoreDNS, which each release knows its way", () => {
  const named = (name: string, namespace: string, labels: Record<string, string>): Pod => ({
    ...guestPod,
    metadata: { name, namespace, labels },
    spec: { ...guestPod.spec, dnsPolicy: "ClusterFirst" },
  });
  const policy = (pod: Pod, release: "1.1.0" | "1.2.0-rc4"): unknown => syncedPod(pod, { release }).spec.dnsPolicy;
  const coreDns = named("coredns-1", "kube-system", { "k8s-app": "kube-dns" });
  const lookalike = named("coredns-of-mine", "shop", {});
  assert.equal(policy(guestPod, "1.1.0"), "None");
  assert.equal(policy(coreDns, "1.1.0"), "ClusterFirst");
  assert.equal(policy(coreDns, "1.2.0-rc4"), "ClusterFirst");
  assert.equal(policy(lookalike, "1.1.0"), "ClusterFirst");
  assert.equal(policy(lookalike, "1.2.0-rc4"), "None");
  const own = syncedPod({ ...guestPod, spec: { ...guestPod.spec, dnsConfig: { options: [] }, dnsPolicy: "Default" } });
  assert.equal(own.spec.dnsPolicy, "Default");
  assert.equal(syncedPod(coreDns).spec.containers[0]?.securityContext?.["runAsUser"], 65534);
  assert.equal(syncedPod(coreDns, { release: "1.1.0" }).spec.containers[0]?.securityContext, undefined);
});

test("an Ingress' backends and Secrets are translated, its default backend is not", () => {
  const backend = { service: { name: "web", port: { number: 80 } } };
  const guest: KubernetesObject = {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name: "web", namespace: "shop" },
    spec: {
      defaultBackend: backend,
      rules: [{ host: "acme.example", http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }],
      tls: [{ hosts: ["acme.example"], secretName: "web-tls" }, { hosts: ["www.acme.example"] }],
    },
  };
  const translatedBackend = { service: { name: onHost("web"), port: { number: 80 } } };
  const spec = {
    defaultBackend: backend,
    rules: [{ host: "acme.example", http: { paths: [{ path: "/", pathType: "Prefix", backend: translatedBackend }] } }],
    tls: [{ hosts: ["acme.example"], secretName: onHost("web-tls") }, { hosts: ["www.acme.example"] }],
  };
  const ingress = synced(acme, guest);
  assert.deepEqual(ingress["spec"], spec);
  assert.deepEqual(ingress.metadata.ownerReferences, [
    { apiVersion: "k3k.io/v1beta1", kind: "Cluster", name: "acme", uid: acme.uid },
  ]);
  assert.deepEqual(synced(acme, guest, { translateTls: false })["spec"], {
    ...spec,
    tls: [{ hosts: ["acme.example"], secretName: "web-tls" }, { hosts: ["www.acme.example"] }],
  });
});

test("a service account's token is Opaque on the host; what K3k does not copy is refused", () => {
  const object = { apiVersion: "v1", metadata: { name: "a", namespace: "shop" } };
  const token = { ...object, kind: "Secret", type: "kubernetes.io/service-account-token" };
  assert.equal(synced(acme, token)["type"], "Opaque");
  assert.equal(synced(acme, { ...token, type: "kubernetes.io/tls" })["type"], "kubernetes.io/tls");
  assert.throws(() => synced(acme, { ...object, kind: "NetworkPolicy" }), /does not copy NetworkPolicy/);
});

test("a changed pod loses K3k's own marks with 1.1.0, and keeps them later", () => {
  const changed: Pod = {
    ...guestPod,
    metadata: { ...guestPod.metadata, labels: { app: "web", role: "primary" } },
    spec: { ...guestPod.spec, containers: [{ name: "web", image: "nginx:2" }] },
  };
  const after = (release: "1.1.0" | "1.2.0-rc4"): Pod => updatedPod(release, syncedPod(guestPod, { release }), changed);
  assert.deepEqual(after("1.1.0").metadata.labels, { app: "web", role: "primary" });
  assert.deepEqual(after("1.1.0").metadata.annotations, {});
  assert.deepEqual(after("1.2.0-rc4").metadata.labels, {
    app: "web",
    role: "primary",
    "k3k.io/clusterName": "acme",
    "k3k.io/agentName": "node-2",
  });
  assert.equal(after("1.1.0").spec.containers[0]?.image, "nginx:2");
});

test("the guest's object stays as it is", () => {
  const before = structuredClone(guestPod);
  syncedPod(guestPod, { release: "1.1.0", priorityClass: "tenant" });
  assert.deepEqual(guestPod, before);
});

test("the legitimate objects are each of their own name, in the tenant's namespace, and complete", () => {
  assert.ok(legitimate.length >= 55);
  assert.equal(new Set(legitimate.map(({ name }) => name)).size, legitimate.length);
  for (const { name, object, operation, before, change } of legitimate) {
    const { metadata } = object;
    assert.equal(metadata.namespace, "k3k-acme", name);
    assert.match(metadata.name ?? `${metadata.generateName ?? ""}x`, /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, name);
    assert.deepEqual([before !== undefined, change !== undefined], Array(2).fill(operation === "update"), name);
  }
});

test("one of them has a Secret whose translated name no longer ends in what the guest called it", () => {
  const translated = legitimateObjects(acme, { translateTls: true }).map(({ object }) => JSON.stringify(object));
  assert.ok(translated.some((text) => /"secretName":"customer-portal-[a-z-]+-[0-9a-f]{5,6}"/.test(text)));
});
