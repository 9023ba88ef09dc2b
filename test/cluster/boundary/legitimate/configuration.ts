// ConfigMaps and Secrets of a guest. K3k copies all of them, those of the guest's own system included.
import { accountTokenName, type KubernetesObject, projectedTokenName, synced, translated } from "../translate.ts";
import {
  base64,
  type GuestWork,
  type Host,
  type LegitimateObject,
  syncedObjects,
  syncedUpdate,
  updateEntry,
} from "./entry.ts";

/** What every ConfigMap and Secret has, and what some have. */
interface Configuration {
  readonly namespace?: string;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly immutable?: boolean;
  readonly binaryData?: Record<string, string>;
}

const certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
const privateKey = "-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----\n";

/** ConfigMaps of the guest's system, of applications and of their tools. */
export function configMaps(host: Host): LegitimateObject[] {
  const before = configMap("settings", { mode: "quiet" });
  return [
    ...syncedObjects(host, "configmap.go", maps),
    syncedUpdate(
      host,
      "configmap.go",
      { name: "a ConfigMap changes", source: "kubectl edit configmap" },
      { before, after: configMap("settings", { mode: "loud" }) },
    ),
  ];
}

/** Secrets of the guest's system, of applications and of their tools, and the tokens that K3k's kubelet writes itself. */
export function secrets(host: Host): LegitimateObject[] {
  const release = (status: string): KubernetesObject =>
    secret(
      "sh.helm.release.v1.shop.v3",
      "helm.sh/release.v1",
      { release: "H4sIAAAAAAAC".repeat(200) },
      { labels: { name: "shop", owner: "helm", status, version: "3" } },
    );
  return [
    ...syncedObjects(host, "secret.go", [
      ...applicationSecrets,
      {
        name: "a release of Helm",
        source: "helm.sh, Advanced Helm Techniques: storage backends",
        object: release("deployed"),
      },
    ]),
    syncedUpdate(
      host,
      "secret.go",
      { name: "a release of Helm is superseded", source: "helm.sh, helm upgrade" },
      { before: release("deployed"), after: release("superseded") },
    ),
    ...tokens(host),
  ];
}

/**
 * Tokens. K3k's kubelet writes them for a pod, with no owner. The token of a service account is also a Secret of the
 * guest, so that the syncer later writes the same object with its annotations and an owner.
 */
function tokens(host: Host): LegitimateObject[] {
  const { cluster } = host;
  const data = { token: "eyJhbGciOiJSUzI1NiJ9.e30.c2ln", "ca.crt": certificate, namespace: "shop" };
  const guest = secret(accountTokenName("robot"), "kubernetes.io/service-account-token", data, {
    annotations: {
      "kubernetes.io/service-account.name": "robot",
      "kubernetes.io/service-account.uid": "9a6f0d0e-2f57-4f0e-8d0b-1c6a5b7e3d21",
    },
  });
  const ofKubelet = (name: string, values: Record<string, string>): KubernetesObject => {
    const { type: _, ...object } = secret(name, "Opaque", values);
    return translated(cluster, object);
  };
  const forPod = ofKubelet(accountTokenName("robot"), data);
  const source = "k3k v1.1.0 k3k-kubelet/provider/token.go translateAndCreateHostTokenSecret";
  const token = { audiences: ["vault"], expirationSeconds: 7200, path: "vault-token" };
  const projected = projectedTokenName("1.1.0", "build-robot", token);
  return [
    { name: "the token of a service account, for a pod", source, as: "k3k-kubelet", object: forPod },
    {
      name: "a projected token, for a pod",
      source,
      as: "k3k-kubelet",
      object: ofKubelet(projected, { "vault-token": "eyJhbGciOiJSUzI1NiJ9.e30.c2ln" }),
    },
    updateEntry({
      name: "the token of a service account, by the syncer after the pod",
      source: "k3k v1.1.0 k3k-kubelet/controller/syncer/secret.go translateSecret",
      as: "k3k-kubelet",
      before: forPod,
      change: () => synced(cluster, guest),
    }),
    updateEntry({
      name: "a projected token is renewed for the next pod",
      source,
      as: "k3k-kubelet",
      before: ofKubelet(projected, { "vault-token": "eyJhbGciOiJSUzI1NiJ9.e30.b2xk" }),
      change: (existing) => ({ ...existing, data: { "vault-token": base64("eyJhbGciOiJSUzI1NiJ9.e30.bmV3") } }),
    }),
  ];
}

function metadata(name: string, more: Configuration): KubernetesObject["metadata"] {
  return {
    name,
    namespace: more.namespace ?? "shop",
    ...(more.labels === undefined ? {} : { labels: more.labels }),
    ...(more.annotations === undefined ? {} : { annotations: more.annotations }),
  };
}

function configMap(name: string, data: Record<string, string>, more: Configuration = {}): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: metadata(name, more),
    data,
    ...(more.binaryData === undefined ? {} : { binaryData: more.binaryData }),
    ...(more.immutable === undefined ? {} : { immutable: more.immutable }),
  };
}

function secret(
  name: string,
  type: string,
  values: Readonly<Record<string, string>>,
  more: Configuration = {},
): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: metadata(name, more),
    type,
    data: Object.fromEntries(Object.entries(values).map(([key, value]) => [key, base64(value)])),
    ...(more.immutable === undefined ? {} : { immutable: more.immutable }),
  };
}

const maps: readonly GuestWork[] = [
  {
    name: "the API server's certificate in a namespace of the guest",
    source: "Kubernetes v1.35 pkg/controller/certificates/rootcacertpublisher/publisher.go, in the guest",
    object: configMap(
      "kube-root-ca.crt",
      { "ca.crt": certificate },
      {
        annotations: {
          "kubernetes.io/description":
            "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc.",
        },
      },
    ),
  },
  {
    name: "CoreDNS' configuration, applied by K3s",
    source: "k3s manifests/coredns.yaml, with the marks of its deploy controller",
    object: configMap(
      "coredns",
      { Corefile: ".:53 {\n    errors\n}\n", NodeHosts: "10.43.12.7 node-1\n" },
      {
        namespace: "kube-system",
        labels: { "objectset.rio.cattle.io/hash": "bce283298811743a0386ab510f2f67ef74240c57" },
        annotations: {
          "objectset.rio.cattle.io/id": "",
          "objectset.rio.cattle.io/owner-gvk": "k3s.cattle.io/v1, Kind=Addon",
          "objectset.rio.cattle.io/owner-name": "coredns",
          "objectset.rio.cattle.io/owner-namespace": "kube-system",
        },
      },
    ),
  },
  {
    name: "the authentication of extension API servers",
    source: "Kubernetes v1.35 pkg/controlplane/controller/clusterauthenticationtrust, in the guest",
    object: configMap(
      "extension-apiserver-authentication",
      { "client-ca-file": certificate, "requestheader-allowed-names": '["system:auth-proxy"]' },
      { namespace: "kube-system" },
    ),
  },
  {
    name: "a ConfigMap of a quarter of a mebibyte, with binary data",
    source: "kubernetes.io, ConfigMaps: up to 1 MiB",
    object: configMap(
      "large",
      { "words.txt": "a few words more\n".repeat(12_000) },
      { binaryData: { "logo.png": Buffer.alloc(32 * 1024, 7).toString("base64") } },
    ),
  },
  {
    name: "a dashboard for a Grafana in the guest",
    source: "Helm chart grafana/grafana, sidecar.dashboards",
    object: configMap(
      "dashboard",
      { "shop.json": "{}" },
      { namespace: "monitoring", labels: { grafana_dashboard: "1" } },
    ),
  },
  {
    name: "an immutable ConfigMap of Kustomize",
    source: "kubernetes.io, Kustomize: configMapGenerator",
    object: configMap("settings-8h2d5tk9gm", { mode: "quiet" }, { immutable: true }),
  },
];

const applicationSecrets: readonly GuestWork[] = [
  { name: "a Secret", source: "kubectl create secret generic", object: secret("api-key", "Opaque", { key: "s3cret" }) },
  {
    name: "the password of a registry",
    source: "kubectl create secret docker-registry",
    object: secret("registry", "kubernetes.io/dockerconfigjson", {
      ".dockerconfigjson": '{"auths":{"registry.acme.example":{"auth":"YWRhOnBhc3M="}}}',
    }),
  },
  {
    name: "a name and a password",
    source: "kubernetes.io, Secrets: basic authentication; CloudNativePG keeps its superuser so",
    object: secret(
      "db",
      "kubernetes.io/basic-auth",
      { username: "app", password: "s3cret" },
      { labels: { "cnpg.io/cluster": "db", "cnpg.io/reload": "true" } },
    ),
  },
  {
    name: "a deploy key",
    source: "kubernetes.io, Secrets: SSH authentication",
    object: secret("deploy-key", "kubernetes.io/ssh-auth", { "ssh-privatekey": privateKey }, { immutable: true }),
  },
  {
    name: "the certificate of an application's own webhook",
    source: "kubernetes.io, Secrets: TLS",
    object: secret("operator-webhook", "kubernetes.io/tls", { "tls.crt": certificate, "tls.key": privateKey }),
  },
  {
    name: "a certificate of the tenant's own, for its own pods",
    source: "kubectl create secret tls",
    object: secret("mail-server-tls", "kubernetes.io/tls", { "tls.crt": certificate, "tls.key": privateKey }),
  },
  {
    name: "the certificate of the guest's API server",
    source: "github.com/rancher/dynamiclistener v1.27.5 factory/gen.go and storage/kubernetes, as K3s uses it",
    object: secret(
      "k3s-serving",
      "kubernetes.io/tls",
      { "tls.crt": certificate, "tls.key": privateKey },
      {
        namespace: "kube-system",
        annotations: {
          "listener.cattle.io/cn-10.43.0.1": "10.43.0.1",
          "listener.cattle.io/cn-kubernetes.default.svc": "kubernetes.default.svc",
          "listener.cattle.io/fingerprint": "SHA1=2A6E0A4C2F3F0B7C4DA1F6D3E2B1C0A9F8E7D6C5",
        },
      },
    ),
  },
  {
    name: "a long-lived token of a service account, which is Opaque on the host",
    source: "kubernetes.io, Manually create a long-lived API token for a ServiceAccount",
    object: secret(
      "ci-token",
      "kubernetes.io/service-account-token",
      { token: "eyJhbGciOiJSUzI1NiJ9.e30.c2ln", "ca.crt": certificate, namespace: "shop" },
      {
        annotations: {
          "kubernetes.io/service-account.name": "ci",
          "kubernetes.io/service-account.uid": "1f0b3c8a-77a0-4e0f-9a2b-5d4e3c2b1a00",
        },
      },
    ),
  },
];
