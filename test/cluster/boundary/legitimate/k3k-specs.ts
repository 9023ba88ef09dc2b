// The pods of K3k's own, and what they are found by.
import { tenantNames } from "../../../../components/plan/names.ts";
import { datastoreStorage, kubeletMemory, serverMemory } from "../../../../components/plan/size.ts";
import { defaultStorageClass } from "../../../../components/plan/storage.ts";
import { clusterReference, type K3kRelease, type Metadata, safeConcatName } from "../translate.ts";
import type { Host } from "./entry.ts";

const serverImage = "rancher/k3s:v1.35.4-k3s1";

/** The name that K3k gives something of its own. */
export function named(host: Host, role: string): string {
  return safeConcatName("k3k", host.cluster.name, role);
}

/** Metadata of what the controller makes: it owns all of it as controller. */
export function owned(host: Host, name: string, more: Partial<Metadata> = {}): Metadata {
  return {
    name,
    namespace: host.cluster.namespace,
    ownerReferences: [clusterReference(host.cluster, true)],
    ...more,
  };
}

/** Labels of the guest's server. */
export function serverLabels(host: Host): Record<string, string> {
  return { cluster: host.cluster.name, role: "server" };
}

/** Labels of K3k's kubelets. */
export function kubeletLabels(host: Host): Record<string, string> {
  return { cluster: host.cluster.name, type: "agent", mode: "shared" };
}

/** The claim of the guest's datastore. */
export function datastoreSpec(): Record<string, unknown> {
  return {
    accessModes: ["ReadWriteOnce"],
    storageClassName: defaultStorageClass,
    resources: { requests: { storage: datastoreStorage } },
  };
}

/** Names of the empty volumes by release, and where they are mounted. */
const emptyVolumes: Readonly<Record<K3kRelease, Readonly<Record<string, string>>>> = {
  "1.1.0": {
    run: "/run",
    varrun: "/var/run",
    varlibcni: "/var/lib/cni",
    varlibkubelet: "/var/lib/kubelet",
    varlog: "/var/log",
  },
  "1.2.0-rc4": {
    run: "/run",
    "var-run": "/var/run",
    "var-lib-cni": "/var/lib/cni",
    "var-lib-kubelet": "/var/lib/kubelet",
    "var-log": "/var/log",
  },
};

function initVolume(release: K3kRelease): string {
  return release === "1.1.0" ? "initconfig" : "init-config";
}

function addonsVolume(host: Host): string {
  return `addon-${tenantNames(host.cluster.name).addonsSecret}`;
}

/** The server's volumes but for its datastore. */
export function serverVolumes(host: Host, release: K3kRelease): Record<string, unknown>[] {
  const items = [{ key: "config.yaml", path: "config.yaml" }];
  return [
    { name: initVolume(release), secret: { secretName: named(host, "init-server-config"), items } },
    { name: "config", secret: { secretName: named(host, "server-config"), items } },
    ...Object.keys(emptyVolumes[release]).map((name) => ({ name, emptyDir: {} })),
    { name: addonsVolume(host), secret: { secretName: tenantNames(host.cluster.name).addonsSecret } },
  ];
}

/** The server's pod as components/tenant.ts sets it up. The start script, which is long, stands here as its last line. */
export function serverSpec(host: Host, release: K3kRelease): Record<string, unknown> {
  const { addonsSecret } = tenantNames(host.cluster.name);
  const manifests = `/var/lib/rancher/k3s/server/manifests/${addonsSecret}`;
  const field = (name: string, fieldPath: string): Record<string, unknown> => ({
    name,
    valueFrom: { fieldRef: { fieldPath } },
  });
  return {
    ...(host.serverPriorityClass === undefined ? {} : { priorityClassName: host.serverPriorityClass }),
    volumes: serverVolumes(host, release),
    containers: [
      {
        name: named(host, "server"),
        image: serverImage,
        command: ["/bin/sh", "-c", "/bin/k3s server --config /opt/rancher/k3s/init/config.yaml"],
        env: [field("POD_NAME", "metadata.name"), field("POD_IP", "status.podIP")],
        // Memory only, so that the API server requests as much and the LimitRange adds a request for CPU.
        resources: { limits: { memory: serverMemory } },
        readinessProbe: {
          tcpSocket: { port: 6443 },
          initialDelaySeconds: 60,
          failureThreshold: 5,
          timeoutSeconds: 10,
        },
        livenessProbe: {
          exec: { command: ["sh", "-c", "test -f /var/log/k3s.log"] },
          initialDelaySeconds: 10,
          failureThreshold: 3,
          periodSeconds: 3,
        },
        volumeMounts: [
          { name: "config", mountPath: "/opt/rancher/k3s/server" },
          { name: initVolume(release), mountPath: "/opt/rancher/k3s/init" },
          ...Object.entries(emptyVolumes[release]).map(([name, mountPath]) => ({ name, mountPath })),
          { name: "varlibrancherk3s", mountPath: "/var/lib/rancher/k3s" },
          { name: addonsVolume(host), mountPath: manifests, readOnly: true },
        ],
      },
    ],
  };
}

/** A kubelet's pod. K3k gives it no priority class, whatever the Cluster says. */
export function kubeletSpec(host: Host): Record<string, unknown> {
  const field = (name: string, fieldPath: string): Record<string, unknown> => ({
    name,
    valueFrom: { fieldRef: { apiVersion: "v1", fieldPath } },
  });
  return {
    dnsPolicy: "ClusterFirst",
    serviceAccountName: named(host, "kubelet"),
    volumes: [
      {
        name: "config",
        secret: { secretName: named(host, "agent-config"), items: [{ key: "config.yaml", path: "config.yaml" }] },
      },
    ],
    containers: [
      {
        name: named(host, "kubelet"),
        image: "rancher/k3k-kubelet:v1.1.0",
        env: [field("AGENT_HOSTNAME", "spec.nodeName"), field("POD_IP", "status.podIP")],
        ports: [{ name: "kubelet-port", protocol: "TCP", containerPort: 10250 }],
        resources: { limits: { memory: kubeletMemory } },
        volumeMounts: [{ name: "config", mountPath: "/opt/rancher/k3k/" }],
      },
    ],
  };
}
