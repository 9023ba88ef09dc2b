// What K3k writes on the host for an object of a guest cluster, in shared mode, written from reading K3k's source. Attacks
// and honest work are made with it, of every release of K3k; guest-tests.ts holds it against what K3k's own kubelet of
// release 1.1.0 does in a real guest.
//
//   k3k-kubelet/translate/host.go             names, labels and annotations
//   k3k-kubelet/controller/syncer/*.go        everything but pods
//   k3k-kubelet/provider/{provider,token}.go  pods
import { createHash } from "node:crypto";

/** The releases of K3k that Kraft may run; they differ in what they leave on a pod. */
export type K3kRelease = "1.1.0" | "1.2.0-rc4";

/** The Cluster object on the host that a guest is described by. */
export interface GuestCluster {
  readonly name: string;
  readonly namespace: string;
  /** The garbage collector deletes what it finds under an owner that does not exist. */
  readonly uid: string;
}

/** A reference in `metadata.ownerReferences`. */
export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

/** The part of an object's metadata that anybody but the API server writes. */
export interface Metadata {
  name?: string;
  generateName?: string;
  namespace?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
  uid?: string;
  resourceVersion?: string;
}

/** Any Kubernetes object, as JSON. */
export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: Metadata;
  [field: string]: unknown;
}

interface Named {
  name: string;
  [field: string]: unknown;
}

/** A variable of a container's environment. */
export interface EnvironmentVariable extends Named {
  value?: string;
  valueFrom?: {
    fieldRef?: { fieldPath: string; apiVersion?: string };
    configMapKeyRef?: Named;
    secretKeyRef?: Named;
    resourceFieldRef?: Record<string, unknown>;
  };
}

/** A container, with the fields that K3k changes. */
export interface Container extends Named {
  image?: string;
  env?: EnvironmentVariable[];
  envFrom?: { prefix?: string; configMapRef?: Named; secretRef?: Named }[];
  volumeMounts?: (Named & { mountPath: string })[];
  securityContext?: Record<string, unknown>;
}

/** A service account's token as a projected volume asks for it. */
export interface TokenProjection {
  path: string;
  audience?: string;
  expirationSeconds?: number;
}

/** One source of a projected volume. */
export interface ProjectedSource {
  configMap?: Named;
  secret?: Named;
  serviceAccountToken?: TokenProjection;
  downwardAPI?: Record<string, unknown>;
}

/** A volume, with the kinds that K3k changes. */
export interface Volume extends Named {
  configMap?: Named;
  secret?: { secretName: string; [field: string]: unknown };
  persistentVolumeClaim?: { claimName: string; readOnly?: boolean };
  projected?: { sources: ProjectedSource[]; defaultMode?: number };
  downwardAPI?: { items: { path: string; fieldRef?: { fieldPath: string; apiVersion?: string } }[] };
}

/** The `spec` of a pod, with the fields that K3k changes. */
export interface PodSpec {
  containers: Container[];
  initContainers?: Container[];
  ephemeralContainers?: Container[];
  volumes?: Volume[];
  nodeName?: string;
  nodeSelector?: Record<string, string>;
  affinity?: Record<string, unknown>;
  hostname?: string;
  priorityClassName?: string;
  priority?: number;
  imagePullSecrets?: { name: string }[];
  serviceAccountName?: string;
  /** The same as `serviceAccountName`: the API server fills in both. */
  serviceAccount?: string;
  automountServiceAccountToken?: boolean;
  hostAliases?: { ip: string; hostnames: string[] }[];
  dnsPolicy?: string;
  dnsConfig?: Record<string, unknown>;
  tolerations?: Record<string, unknown>[];
  activeDeadlineSeconds?: number;
  [field: string]: unknown;
}

/** A pod. */
export interface Pod extends KubernetesObject {
  spec: PodSpec;
}

interface Ingress extends KubernetesObject {
  spec: {
    rules?: { http?: { paths: { backend: { service?: Named } }[] } }[];
    tls?: { secretName?: string; hosts?: string[] }[];
  };
}

/** What the host adds to what the guest's object says. */
export interface SyncOptions {
  /** `1.2.0-rc4` where nothing is said. */
  readonly release?: K3kRelease;
  /** `defaultPriorityClass` of the tenant's policy; none where nothing is said. */
  readonly priorityClass?: string;
  /** False for `sync.ingresses.disableTLSSecretTranslation: true`. */
  readonly translateTls?: boolean;
  /** Node selector of the policy or the Cluster, which replaces the pod's own. */
  readonly nodeSelector?: Readonly<Record<string, string>>;
  /** Address of the Service of the guest's API server. */
  readonly serverAddress?: string;
  /** Address of the Service of the guest's CoreDNS. */
  readonly dnsAddress?: string;
}

const clusterLabel = "k3k.io/clusterName";
const agentLabel = "k3k.io/agentName";
const nameAnnotation = "k3k.io/name";
const namespaceAnnotation = "k3k.io/namespace";
const k3kPrefix = "k3k.io/";

/** Volumes of this prefix K3k takes for the token of a service account, and translates nothing in them. */
const tokenVolumePrefix = "kube-api-access";
const hostTokenVolume = "k3k-kube-api-access";
const tokenMountPath = "/var/run/secrets/kubernetes.io/serviceaccount";

/**
 * The parts joined by hyphens; from 64 characters on cut and told apart by a digest (`SafeConcatName` in
 * pkg/controller/controller.go).
 */
export function safeConcatName(...parts: readonly string[]): string {
  const full = parts.filter((part) => part !== "").join("-");
  if (full.length < 64) {
    return full;
  }
  const digest = createHash("sha256").update(full).digest("hex");
  // A name may not end in a hyphen or dot, which the cut could leave.
  return /[a-z0-9]/.test(full.charAt(56))
    ? `${full.slice(0, 57)}-${digest.slice(0, 5)}`
    : `${full.slice(0, 56)}-${digest.slice(0, 6)}`;
}

/**
 * The name on the host of a guest's object.
 *
 * @param namespace Of the guest; empty for what is of the whole guest cluster, such as a PriorityClass.
 */
export function hostName(cluster: Pick<GuestCluster, "name">, name: string, namespace = ""): string {
  const parts = namespace === "" ? [name, cluster.name] : [name, namespace, cluster.name];
  return safeConcatName(parts.join("-"), Buffer.from(parts.join("+")).toString("hex"));
}

/**
 * The name, before translation, of the Secret that K3k keeps a projected token in. With 1.1.0 it is no valid name when
 * audience or path are not, and the pod cannot be created.
 *
 * @param audiences As the guest's API server answers: its own where the pod names none.
 */
export function projectedTokenName(
  release: K3kRelease,
  serviceAccount: string,
  token: { readonly audiences: readonly string[]; readonly expirationSeconds?: number; readonly path: string },
): string {
  const component = release === "1.1.0" ? (text: string): string => text : nameComponent;
  return safeConcatName(
    "k3k",
    serviceAccount,
    ...token.audiences.map(component),
    token.expirationSeconds === undefined ? "" : String(token.expirationSeconds),
    component(token.path),
  );
}

/** The name, before translation, of the Secret with the token that every pod of a service account mounts. */
export function accountTokenName(serviceAccount: string): string {
  return safeConcatName("k3k", serviceAccount, "token");
}

/** A text as part of a name; what had to be changed is told apart by a digest. */
function nameComponent(text: string): string {
  const valid = text
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, "-")
    .replace(/^[-.]+|[-.]+$/g, "");
  return valid === text ? valid : `${valid}-${createHash("sha256").update(text).digest("hex").slice(0, 6)}`;
}

/** The reference to the Cluster that K3k puts on everything it copies; on pods as their controller. */
export function clusterReference(cluster: GuestCluster, controller: boolean): OwnerReference {
  return {
    apiVersion: "k3k.io/v1beta1",
    kind: "Cluster",
    name: cluster.name,
    uid: cluster.uid,
    ...(controller ? { controller: true, blockOwnerDeletion: true } : {}),
  };
}

/**
 * The object under its name on the host, with nothing but its metadata changed (`TranslateTo`). Labels, annotations and
 * `generateName` stay as the guest has them, owners and finalizers go.
 */
export function translated<Kind extends KubernetesObject>(cluster: GuestCluster, guestObject: Kind): Kind {
  // Not structuredClone, which keeps what is shared shared: one variable of two containers would be translated twice.
  const object = JSON.parse(JSON.stringify(guestObject)) as Kind;
  const metadata = object.metadata;
  const { name = "", namespace = "" } = metadata;
  delete metadata.ownerReferences;
  delete metadata.finalizers;
  delete metadata.uid;
  delete metadata.resourceVersion;
  metadata.name = hostName(cluster, name, namespace);
  metadata.namespace = cluster.namespace;
  metadata.labels = { ...metadata.labels, [clusterLabel]: cluster.name };
  metadata.annotations = { ...metadata.annotations, [nameAnnotation]: name, [namespaceAnnotation]: namespace };
  return object;
}

/**
 * What K3k writes on the host for an object of the guest.
 *
 * @throws Error for a kind that K3k does not copy.
 */
export function synced(
  cluster: GuestCluster,
  guestObject: KubernetesObject,
  options: SyncOptions = {},
): KubernetesObject {
  switch (guestObject.kind) {
    case "Pod":
      return syncedPod(cluster, guestObject as Pod, options);
    case "Ingress":
      return owned(cluster, syncedIngress(cluster, guestObject as Ingress, options));
    case "Secret":
      return owned(cluster, syncedSecret(cluster, guestObject));
    case "ConfigMap":
    case "PersistentVolumeClaim":
    case "Service":
      return owned(cluster, translated(cluster, guestObject));
    default:
      throw new Error(`K3k does not copy ${guestObject.kind} to the host`);
  }
}

/**
 * What K3k makes of a pod on the host when the guest's pod has changed: images, deadline, tolerations, labels and
 * annotations, and nothing else. Release 1.1.0 puts the guest's labels and annotations in place of all of the host's,
 * its own included.
 */
export function updatedPod(release: K3kRelease, hostPod: Pod, guestPod: Pod): Pod {
  const pod = structuredClone(hostPod);
  for (const list of ["containers", "initContainers"] as const) {
    const images = new Map((guestPod.spec[list] ?? []).map(({ name, image }) => [name, image ?? ""]));
    for (const container of pod.spec[list] ?? []) {
      container.image = images.get(container.name) ?? "";
    }
  }
  const { activeDeadlineSeconds, tolerations } = guestPod.spec;
  setOrDelete(pod.spec, "activeDeadlineSeconds", activeDeadlineSeconds);
  setOrDelete(pod.spec, "tolerations", tolerations);
  for (const field of ["labels", "annotations"] as const) {
    pod.metadata[field] = {
      ...guestPod.metadata[field],
      ...(release === "1.1.0" ? {} : ofK3k(hostPod.metadata[field] ?? {})),
    };
  }
  return pod;
}

/** The host's pod with the debug containers of the guest's, which K3k copies as they are (`pods/ephemeralcontainers`). */
export function debuggedPod(hostPod: Pod, guestPod: Pod): Pod {
  const pod = structuredClone(hostPod);
  setOrDelete(pod.spec, "ephemeralContainers", guestPod.spec.ephemeralContainers);
  return pod;
}

function owned<Kind extends KubernetesObject>(cluster: GuestCluster, object: Kind): Kind {
  object.metadata.ownerReferences = [clusterReference(cluster, false)];
  return object;
}

/** Only rules are translated: a default backend keeps the guest's name and points at nothing. */
function syncedIngress(cluster: GuestCluster, guestIngress: Ingress, options: SyncOptions): Ingress {
  const ingress = translated(cluster, guestIngress);
  const namespace = guestIngress.metadata.namespace ?? "";
  for (const { backend } of (ingress.spec.rules ?? []).flatMap(({ http }) => http?.paths ?? [])) {
    translateName(cluster, namespace, backend.service);
  }
  if (options.translateTls !== false) {
    for (const tls of ingress.spec.tls ?? []) {
      if (tls.secretName !== undefined && tls.secretName !== "") {
        tls.secretName = hostName(cluster, tls.secretName, namespace);
      }
    }
  }
  return ingress;
}

function syncedSecret(cluster: GuestCluster, guestSecret: KubernetesObject): KubernetesObject {
  const secret = translated(cluster, guestSecret);
  // The host's controller would fill the Secret with a token of the host, or delete it.
  if (secret["type"] === "kubernetes.io/service-account-token") {
    secret["type"] = "Opaque";
  }
  return secret;
}

function syncedPod(cluster: GuestCluster, guestPod: Pod, options: SyncOptions): Pod {
  const release = options.release ?? "1.2.0-rc4";
  const pod = translated(cluster, guestPod);
  const { name = "", namespace = "" } = guestPod.metadata;
  const guestNode = guestPod.spec.nodeName ?? "node-1";
  const spec = pod.spec;
  pod.metadata.ownerReferences = [clusterReference(cluster, true)];
  if (release !== "1.1.0") {
    pod.metadata.labels = { ...pod.metadata.labels, [agentLabel]: guestNode };
  }
  delete spec.nodeName;
  spec.affinity ??= preferNode(guestNode);
  setOrDelete(spec, "nodeSelector", options.nodeSelector && { ...options.nodeSelector });
  if ((spec.hostname ?? "") === "") {
    spec.hostname = safeConcatName(name);
  }
  setPriority(cluster, spec, options.priorityClass ?? "");
  for (const container of containers(spec)) {
    translateEnvironment(cluster, guestPod, container);
  }
  for (const volume of spec.volumes ?? []) {
    translateVolume(cluster, namespace, volume);
  }
  replaceTokens(cluster, guestPod, spec, release);
  for (const secret of spec.imagePullSecrets ?? []) {
    translateName(cluster, namespace, secret);
  }
  const isCoreDns =
    release === "1.1.0"
      ? name.startsWith("coredns")
      : namespace === "kube-system" && guestPod.metadata.labels?.["k8s-app"] === "kube-dns";
  setNetwork(spec, namespace, isCoreDns, options);
  if (isCoreDns && release !== "1.1.0") {
    hardenCoreDns(spec);
  }
  return pod;
}

/** Keeps a pod near the virtual kubelet that it was scheduled to in the guest. */
function preferNode(node: string): Record<string, unknown> {
  const expression = { key: "kubernetes.io/hostname", operator: "In", values: [node] };
  return {
    nodeAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        { weight: 100, preference: { matchExpressions: [expression] } },
      ],
    },
  };
}

/**
 * The classes of Kubernetes' own keep their name; any other gives way to the policy's, or is translated where there is
 * none. The number goes with a class, for the host's own to be looked up; `preemptionPolicy` stays as the guest's API
 * server filled it in.
 */
function setPriority(cluster: GuestCluster, spec: PodSpec, policyClass: string): void {
  const own = spec.priorityClassName ?? "";
  if (!own.startsWith("system-")) {
    const name = policyClass !== "" || own === "" ? policyClass : hostName(cluster, own);
    setOrDelete(spec, "priorityClassName", name === "" ? undefined : name);
  }
  if (spec.priorityClassName !== undefined) {
    delete spec.priority;
  }
}

function containers(spec: PodSpec): readonly Container[] {
  return [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])];
}

function translateEnvironment(cluster: GuestCluster, guestPod: Pod, container: Container): void {
  const { name = "", namespace = "" } = guestPod.metadata;
  for (const variable of container.env ?? []) {
    const from = variable.valueFrom;
    const field = from?.fieldRef?.fieldPath;
    if (field === "metadata.name" || field === "metadata.namespace") {
      variable.value = field === "metadata.name" ? name : namespace;
      delete variable.valueFrom;
    }
    translateName(cluster, namespace, from?.configMapKeyRef);
    translateName(cluster, namespace, from?.secretKeyRef);
  }
  for (const { configMapRef, secretRef } of container.envFrom ?? []) {
    translateName(cluster, namespace, configMapRef);
    translateName(cluster, namespace, secretRef);
  }
}

/** Volumes of other kinds, generic ephemeral ones among them, are copied as they are. */
function translateVolume(cluster: GuestCluster, namespace: string, volume: Volume): void {
  if (volume.name.startsWith(tokenVolumePrefix)) {
    return;
  }
  translateName(cluster, namespace, volume.configMap);
  if (volume.secret !== undefined) {
    volume.secret.secretName = hostName(cluster, volume.secret.secretName, namespace);
  }
  if (volume.persistentVolumeClaim !== undefined) {
    volume.persistentVolumeClaim.claimName = hostName(cluster, volume.persistentVolumeClaim.claimName, namespace);
  }
  for (const { configMap, secret } of volume.projected?.sources ?? []) {
    translateName(cluster, namespace, configMap);
    translateName(cluster, namespace, secret);
  }
  // A projected volume's downward API is left alone, and shows the pod its name on the host.
  for (const { fieldRef } of volume.downwardAPI?.items ?? []) {
    if (fieldRef?.fieldPath === "metadata.name") {
      fieldRef.fieldPath = `metadata.annotations['${nameAnnotation}']`;
    } else if (fieldRef?.fieldPath === "metadata.namespace") {
      fieldRef.fieldPath = `metadata.annotations['${namespaceAnnotation}']`;
    }
  }
}

/** The audiences of a token that names none, in a guest of K3s. */
const guestAudiences = ["https://kubernetes.default.svc.cluster.local", "k3s"];

/** Puts Secrets with the guest's tokens in the place of tokens, which the host would issue for a service account of its own. */
function replaceTokens(cluster: GuestCluster, guestPod: Pod, spec: PodSpec, release: K3kRelease): void {
  const namespace = guestPod.metadata.namespace ?? "";
  const account = guestPod.spec.serviceAccountName ?? "";
  for (const volume of spec.volumes ?? []) {
    if (volume.name.startsWith(tokenVolumePrefix)) {
      continue;
    }
    for (const source of volume.projected?.sources ?? []) {
      const token = source.serviceAccountToken;
      if (token !== undefined) {
        const audiences = token.audience === undefined ? guestAudiences : [token.audience];
        delete source.serviceAccountToken;
        source.secret = {
          name: hostName(cluster, projectedTokenName(release, account, { ...token, audiences }), namespace),
        };
      }
    }
  }
  const hasTokenVolume = (spec.volumes ?? []).some(({ name }) => name.startsWith(tokenVolumePrefix));
  if (hasTokenVolume || release !== "1.1.0") {
    delete spec.serviceAccountName;
    delete spec.serviceAccount;
    spec.automountServiceAccountToken = false;
  }
  if (!hasTokenVolume) {
    return;
  }
  // Only the first of each: K3k leaves a second volume of that prefix where it is.
  spec.volumes = withoutFirstTokenVolume(spec.volumes ?? []);
  spec.volumes.push({
    name: hostTokenVolume,
    secret: { secretName: hostName(cluster, accountTokenName(account), namespace) },
  });
  for (const container of containers(spec)) {
    container.volumeMounts = withoutFirstTokenVolume(container.volumeMounts ?? []);
    container.volumeMounts.push({ name: hostTokenVolume, mountPath: tokenMountPath });
  }
}

function withoutFirstTokenVolume<Item extends Named>(items: readonly Item[]): Item[] {
  const first = items.findIndex(({ name }) => name.startsWith(tokenVolumePrefix));
  return items.filter((_, index) => index !== first);
}

function setNetwork(spec: PodSpec, namespace: string, isCoreDns: boolean, options: SyncOptions): void {
  const server = options.serverAddress ?? "10.43.0.20";
  const dns = options.dnsAddress ?? "10.43.0.21";
  const hostnames = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"];
  hostnames.push("kubernetes.default.svc.cluster", "kubernetes.default.svc.cluster.local");
  spec.hostAliases = [...(spec.hostAliases ?? []), { ip: server, hostnames }];
  // A pod with a DNS configuration of its own, be it only `ndots`, keeps the host's DNS.
  if (!isCoreDns && spec.dnsConfig === undefined) {
    spec.dnsPolicy = "None";
    spec.dnsConfig = {
      nameservers: [dns],
      searches: [`${namespace}.svc.cluster.local`, "svc.cluster.local", "cluster.local"],
      options: [{ name: "ndots", value: "5" }],
    };
  }
  const variables: readonly EnvironmentVariable[] = [
    { name: "KUBERNETES_SERVICE_HOST", value: server },
    { name: "KUBERNETES_PORT", value: `tcp://${server}:443` },
    { name: "KUBERNETES_PORT_443_TCP", value: `tcp://${server}:443` },
    { name: "KUBERNETES_PORT_443_TCP_ADDR", value: server },
  ];
  for (const container of containers(spec)) {
    container.env = mergedVariables(container.env ?? [], variables);
  }
}

/** The variables, each in the place of one of the same name if there is one. K3k appends the others in random order. */
function mergedVariables(
  own: readonly EnvironmentVariable[],
  added: readonly EnvironmentVariable[],
): EnvironmentVariable[] {
  const names = new Set(own.map(({ name }) => name));
  return [
    ...own.map((variable) => ({ ...(added.find(({ name }) => name === variable.name) ?? variable) })),
    ...added.filter(({ name }) => !names.has(name)).map((variable) => ({ ...variable })),
  ];
}

/** What release 1.2.0 sets on CoreDNS, for namespaces under pod security `restricted`. */
function hardenCoreDns(spec: PodSpec): void {
  for (const container of spec.containers) {
    container.securityContext = {
      ...container.securityContext,
      allowPrivilegeEscalation: false,
      capabilities: { add: ["NET_BIND_SERVICE"], drop: ["ALL"] },
      runAsNonRoot: true,
      runAsUser: 65534,
      runAsGroup: 65534,
      seccompProfile: { type: "RuntimeDefault" },
    };
  }
}

function translateName(cluster: GuestCluster, namespace: string, reference: { name: string } | undefined): void {
  if (reference !== undefined) {
    reference.name = hostName(cluster, reference.name, namespace);
  }
}

function ofK3k(map: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(map).filter(([key]) => key.startsWith(k3kPrefix)));
}

function setOrDelete<Key extends keyof PodSpec>(spec: PodSpec, key: Key, value: PodSpec[Key] | undefined): void {
  if (value === undefined) {
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- the key is one of a pod's fields
    delete spec[key];
  } else {
    spec[key] = value;
  }
}
