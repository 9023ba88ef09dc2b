import { processesPerPod } from "../size.ts";
import { apiServerArguments } from "./api-server.ts";

/** What determines the configuration of every k3s server of a cluster. */
export interface K3sSettings {
  readonly podCidr: string;
  readonly serviceCidr: string;
  readonly clusterDns: string;
  /** Names and addresses under which the API server is reached. */
  readonly apiNames: readonly string[];
}

/** Name of the Secret in `kube-system` that tells k3s where etcd snapshots go. */
export const snapshotSecret = "k3s-etcd-s3";

/**
 * Keys of the configuration that a cluster keeps for its whole life (docs.k3s.io: cli/server, cli/secrets-encrypt,
 * networking/basic-network-options). A node's script refuses to change one.
 */
export const fixedKeys: readonly string[] = [
  "cluster-cidr",
  "service-cidr",
  "cluster-dns",
  "flannel-backend",
  "secrets-encryption",
];

/** Where the files lie that the configuration names. */
export const k3sFiles = {
  config: "/etc/rancher/k3s/config.yaml",
  node: "/etc/rancher/k3s/config.yaml.d/10-node.yaml",
  token: "/etc/rancher/k3s/token",
  podSecurity: "/etc/rancher/k3s/pod-security.yaml",
  auditPolicy: "/etc/rancher/k3s/audit-policy.yaml",
  podBridges: "/etc/rancher/k3s/pod-bridges.nft",
  kubelet: "/var/lib/rancher/k3s/agent/etc/kubelet.conf.d/90-kraft.conf",
  unit: "/etc/systemd/system/k3s.service",
} as const;

/** The release of k3s that carries a Kubernetes version: `1.35.6` is in `v1.35.6+k3s1`. */
export function k3sRelease(kubernetesVersion: string): string {
  return `v${kubernetesVersion}+k3s1`;
}

/** `config.yaml`, the same on every server: most of its keys must not differ (docs.k3s.io, cli/server). */
export function k3sConfiguration(settings: K3sSettings): Record<string, unknown> {
  return {
    "write-kubeconfig-mode": "0600",
    "token-file": k3sFiles.token,
    "cluster-cidr": settings.podCidr,
    "service-cidr": settings.serviceCidr,
    "cluster-dns": settings.clusterDns,
    // The home's network is shared with whatever else is in the house: nobody there reads or writes between the nodes.
    "flannel-backend": "wireguard-native",
    // Traefik and Longhorn come from Kraft. Its Service of type LoadBalancer gets its addresses from k3s (servicelb).
    disable: ["traefik", "local-storage"],
    // Only when the cluster is created: it cannot be switched on later.
    "secrets-encryption": true,
    "protect-kernel-defaults": true,
    "tls-san": settings.apiNames,
    // On another file system than etcd. Hourly, because nothing holds the power.
    "etcd-snapshot-dir": "/var/lib/kraft/etcd-snapshots",
    "etcd-snapshot-schedule-cron": "0 * * * *",
    "etcd-snapshot-retention": 48,
    "etcd-snapshot-compress": true,
    // No other key of etcd-s3: with one more, k3s ignores the Secret.
    "etcd-s3": true,
    "etcd-s3-config-secret": snapshotSecret,
    "kube-apiserver-arg": [
      ...apiServerArguments(),
      `admission-control-config-file=${k3sFiles.podSecurity}`,
      `audit-policy-file=${k3sFiles.auditPolicy}`,
      "audit-log-path=/var/log/kubernetes/audit.log",
      "audit-log-maxage=14",
      "audit-log-maxbackup=5",
      "audit-log-maxsize=50",
      // Pods move 100 s after a node is lost in place of 340; a restart of k3s takes less.
      "default-not-ready-toleration-seconds=60",
      "default-unreachable-toleration-seconds=60",
    ],
    "kube-controller-manager-arg": [
      // Pods that a shutdown ended stay behind as objects.
      "terminated-pod-gc-threshold=100",
    ],
  };
}

/** Pod Security for namespaces that say nothing themselves: what Talos does by itself, so that both clusters are alike. */
export function podSecurityConfiguration(): Record<string, unknown> {
  const levels = { enforce: "baseline", audit: "restricted", warn: "restricted" };
  return {
    apiVersion: "apiserver.config.k8s.io/v1",
    kind: "AdmissionConfiguration",
    plugins: [
      {
        name: "PodSecurity",
        configuration: {
          apiVersion: "pod-security.admission.config.k8s.io/v1",
          kind: "PodSecurityConfiguration",
          defaults: Object.fromEntries(
            Object.entries(levels).flatMap(([mode, level]) => [
              [mode, level],
              [`${mode}-version`, "latest"],
            ]),
          ),
          exemptions: { namespaces: ["kube-system"] },
        },
      },
    ],
  };
}

/** Who changed what, and who read Secrets; never what is in them. */
export function auditPolicy(): Record<string, unknown> {
  const changes = ["create", "update", "patch", "delete", "deletecollection"];
  return {
    apiVersion: "audit.k8s.io/v1",
    kind: "Policy",
    omitStages: ["RequestReceived"],
    rules: [
      // Heartbeats and elections, several a second.
      { level: "None", resources: [{ group: "coordination.k8s.io", resources: ["leases"] }] },
      { level: "None", resources: [{ group: "", resources: ["events"] }] },
      { level: "None", userGroups: ["system:nodes"], verbs: ["get", "list", "watch"] },
      { level: "Metadata", resources: [{ group: "", resources: ["secrets", "serviceaccounts/token"] }] },
      { level: "Metadata", verbs: changes },
    ],
  };
}

/** systemd's unit of a k3s server. Its pods go on running while it is restarted. */
export const k3sUnit = `[Unit]
Description=Kubernetes (k3s server, set up by Kraft)
Documentation=https://docs.k3s.io
Wants=network-online.target
After=network-online.target iscsid.service

[Service]
Type=notify
ExecStartPre=/usr/sbin/nft --file ${k3sFiles.podBridges}
ExecStart=/usr/local/bin/k3s server
KillMode=process
Delegate=yes
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
TimeoutStartSec=0
Restart=always
RestartSec=5s

[Install]
WantedBy=multi-user.target
`;

/** Pods that a kubelet runs at most (`maxPods`, kubelet's default). */
export const podsPerNode = 110;

/**
 * What a node of k3s keeps from pods: Kraft's recommendation for an OptiPlex of 4 threads and 32 GiB. The k3s process of a
 * server with etcd takes about 1.5 GiB; that is an assumption, to be measured with `systemctl status k3s`.
 */
export const k3sReserves = {
  /** For the operating system. */
  system: { millicpu: 250, memoryMebibytes: 1024 },
  /** For Kubernetes itself: API server, etcd and kubelet are one process on each node. */
  kube: { millicpu: 250, memoryMebibytes: 2048 },
  /** Free memory under which pods are evicted. */
  evictionMebibytes: 500,
};

/**
 * Seconds that pods have to end when the node shuts down in order, and how many of them are for system pods. A power cut
 * gives nobody this time: a small battery with NUT that calls `shutdown` does.
 */
export const shutdownSeconds = { all: 90, critical: 30 } as const;

/**
 * A drop-in for the kubelet of k3s (1.32 or newer).
 *
 * A pod that names no seccomp profile runs under the runtime's: by the kubelet's own default it would run under none. Talos does
 * so by itself.
 */
export function kubeletConfiguration(): Record<string, unknown> {
  const { system, kube, evictionMebibytes } = k3sReserves;
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    maxPods: podsPerNode,
    podPidsLimit: processesPerPod,
    seccompDefault: true,
    systemReserved: amounts(system),
    kubeReserved: amounts(kube),
    evictionHard: {
      "memory.available": `${evictionMebibytes}Mi`,
      "nodefs.available": "10%",
      "imagefs.available": "15%",
      "nodefs.inodesFree": "5%",
    },
    shutdownGracePeriod: `${shutdownSeconds.all}s`,
    shutdownGracePeriodCriticalPods: `${shutdownSeconds.critical}s`,
    // After a power cut every pod of the node starts at once.
    serializeImagePulls: false,
    maxParallelImagePulls: 3,
    imageMaximumGCAge: "168h",
  };
}

function amounts({ millicpu, memoryMebibytes }: { millicpu: number; memoryMebibytes: number }) {
  return { cpu: `${millicpu}m`, memory: `${memoryMebibytes}Mi`, "ephemeral-storage": "2Gi" };
}
