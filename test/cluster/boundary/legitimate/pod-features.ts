// Pods by what Kubernetes offers them, each honest use once, as K3k's kubelet writes them on the host.
import type { Host, LegitimateObject } from "./entry.ts";
import { barePod, container, deploymentPod, jobPod, statefulSetPod } from "./guest-pod.ts";
import { accountPods } from "./pod-accounts.ts";
import { type GuestPod, syncedPods } from "./pods.ts";

const image = "ghcr.io/acme/app:2.1";

/** Pods whose service account, token, environment, volumes, network, place or security differ from the default. */
export function featurePods(host: Host): LegitimateObject[] {
  return syncedPods(host, [...accountPods, ...references, ...placement, ...security, ...priorities(host)]);
}

const references: readonly GuestPod[] = [
  {
    name: "an environment from ConfigMaps, Secrets, fields and resources",
    source: "kubernetes.io, Expose Pod Information to Containers Through Environment Variables",
    pod: deploymentPod("configured", [
      container("app", image, {
        envFrom: [{ configMapRef: { name: "settings" } }, { prefix: "DB_", secretRef: { name: "db", optional: true } }],
        env: [
          { name: "MODE", valueFrom: { configMapKeyRef: { name: "settings", key: "mode", optional: true } } },
          { name: "KEY", valueFrom: { secretKeyRef: { name: "api-key", key: "key" } } },
          { name: "POD_NAME", valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "metadata.name" } } },
          { name: "POD_NAMESPACE", valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } } },
          { name: "NODE", valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "spec.nodeName" } } },
          { name: "HOST_IP", valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "status.hostIP" } } },
          { name: "ACCOUNT", valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "spec.serviceAccountName" } } },
          { name: "GOMEMLIMIT", valueFrom: { resourceFieldRef: { resource: "limits.memory", divisor: "0" } } },
          // In-cluster clients that a person points elsewhere by hand.
          { name: "KUBERNETES_SERVICE_HOST", value: "kubernetes.default.svc" },
        ],
      }),
    ]),
  },
  {
    name: "an init container and a sidecar",
    source: "kubernetes.io, Sidecar Containers",
    pod: deploymentPod(
      "with-sidecar",
      [container("app", image, { volumeMounts: [{ name: "logs", mountPath: "/var/log/app" }] })],
      {
        spec: {
          initContainers: [
            container("wait-for-db", "busybox:1.37", { command: ["sh", "-c", "until nslookup db; do sleep 1; done"] }),
            container("logs", "fluent/fluent-bit:4.1", {
              restartPolicy: "Always",
              env: [{ name: "TOKEN", valueFrom: { secretKeyRef: { name: "logging", key: "token" } } }],
              volumeMounts: [{ name: "logs", mountPath: "/logs", readOnly: true }],
            }),
          ],
          volumes: [{ name: "logs", emptyDir: {} }],
        },
      },
    ),
  },
  {
    name: "the downward API as files",
    source: "kubernetes.io, Expose Pod Information to Containers Through Files",
    pod: deploymentPod(
      "self-aware",
      [container("app", image, { volumeMounts: [{ name: "info", mountPath: "/info" }] })],
      {
        spec: {
          volumes: [
            {
              name: "info",
              downwardAPI: {
                items: ["labels", "annotations", "name", "namespace", "uid"].map((field) => ({
                  path: field,
                  fieldRef: { apiVersion: "v1", fieldPath: `metadata.${field}` },
                })),
              },
            },
          ],
        },
      },
    ),
  },
  {
    name: "one volume of ConfigMap, Secret and downward API",
    source: "kubernetes.io, Projected Volumes",
    pod: deploymentPod(
      "all-in-one",
      [container("app", image, { volumeMounts: [{ name: "all", mountPath: "/all" }] })],
      {
        spec: {
          volumes: [
            {
              name: "all",
              projected: {
                defaultMode: 292,
                sources: [
                  { configMap: { name: "settings", items: [{ key: "app.yaml", path: "app.yaml" }] } },
                  { secret: { name: "credentials", optional: true } },
                  {
                    downwardAPI: {
                      items: [{ path: "cpu", resourceFieldRef: { containerName: "app", resource: "requests.cpu" } }],
                    },
                  },
                ],
              },
            },
          ],
        },
      },
    ),
  },
  {
    name: "shared memory and huge scratch space",
    source: "kubernetes.io, emptyDir",
    pod: deploymentPod(
      "browser",
      [container("chrome", image, { volumeMounts: [{ name: "shm", mountPath: "/dev/shm" }] })],
      {
        spec: {
          volumes: [
            { name: "shm", emptyDir: { medium: "Memory", sizeLimit: "128Mi" } },
            { name: "scratch", emptyDir: { sizeLimit: "2Gi" } },
          ],
        },
      },
    ),
  },
  {
    name: "a shared volume read-only, and a block device",
    source: "kubernetes.io, Raw Block Volume Support",
    pod: statefulSetPod(
      "disks",
      "disks",
      [
        container("app", image, {
          volumeMounts: [{ name: "media", mountPath: "/media", readOnly: true }],
          volumeDevices: [{ name: "block", devicePath: "/dev/xvda" }],
        }),
      ],
      {
        namespace: "data",
        spec: {
          volumes: [
            { name: "media", persistentVolumeClaim: { claimName: "media", readOnly: true } },
            { name: "block", persistentVolumeClaim: { claimName: "block-disks-0" } },
          ],
        },
      },
    ),
  },
  {
    name: "a volume that lives as long as the pod",
    source: "kubernetes.io, Generic ephemeral volumes",
    pod: jobPod(
      "transcode",
      [container("app", image, { volumeMounts: [{ name: "scratch", mountPath: "/scratch" }] })],
      {
        spec: {
          volumes: [
            {
              name: "scratch",
              ephemeral: {
                volumeClaimTemplate: {
                  spec: {
                    accessModes: ["ReadWriteOnce"],
                    storageClassName: "kraft-standard",
                    resources: { requests: { storage: "1Gi" } },
                  },
                },
              },
            },
          ],
        },
      },
    ),
  },
];

const placement: readonly GuestPod[] = [
  {
    name: "a DNS configuration of its own",
    source: "kubernetes.io, DNS for Services and Pods",
    pod: deploymentPod("fast-dns", [container("app", image)], {
      spec: { dnsConfig: { options: [{ name: "ndots", value: "2" }, { name: "single-request-reopen" }] } },
    }),
  },
  {
    name: "aliases of hosts, a subdomain and a host name",
    source: "kubernetes.io, Adding entries to Pod /etc/hosts with HostAliases",
    pod: barePod("mail", [container("mail", image)], {
      spec: {
        hostname: "mail",
        subdomain: "mail-internal",
        hostAliases: [{ ip: "127.0.0.1", hostnames: ["mail.acme.example"] }],
      },
    }),
  },
  {
    name: "an affinity and spread of its own",
    source: "kubernetes.io, Assigning Pods to Nodes; Pod Topology Spread Constraints",
    pod: deploymentPod("spread", [container("app", image)], {
      spec: {
        nodeSelector: { "kubernetes.io/os": "linux" },
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [
                { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: ["node-1", "node-2"] }] },
              ],
            },
          },
          podAntiAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: { app: "spread" } } },
            ],
          },
        },
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: "kubernetes.io/hostname",
            whenUnsatisfiable: "ScheduleAnyway",
            labelSelector: { matchLabels: { app: "spread" } },
          },
        ],
      },
    }),
  },
  {
    name: "labels that one of K3k's own pods has too",
    source: "Helm chart hashicorp/consul and Jenkins agents label so",
    pod: deploymentPod("consul", [container("consul", image)], {
      labels: { role: "server", type: "agent", mode: "standalone", component: "server" },
    }),
  },
  {
    name: "a name as long as a label may be",
    source: "kubernetes.io, Object Names and IDs",
    pod: barePod("a-very-long-name-that-says-all-there-is-to-say-about-this-one-x", [container("app", image)]),
  },
  {
    name: "probes, hooks and a gate",
    source: "kubernetes.io, Pod Lifecycle",
    pod: deploymentPod(
      "lively",
      [
        container("app", image, {
          ports: [{ name: "grpc", containerPort: 9090, protocol: "TCP" }],
          startupProbe: { tcpSocket: { port: "grpc" }, failureThreshold: 30 },
          livenessProbe: { grpc: { port: 9090 } },
          lifecycle: { preStop: { sleep: { seconds: 5 } } },
        }),
      ],
      { spec: { readinessGates: [{ conditionType: "acme.example/ready" }], terminationGracePeriodSeconds: 120 } },
    ),
  },
];

const security: readonly GuestPod[] = [
  {
    name: "root with the capabilities of baseline",
    source: "kubernetes.io, Pod Security Standards: baseline",
    pod: deploymentPod("classic", [
      container("app", "docker.io/library/wordpress:6", {
        securityContext: {
          runAsUser: 0,
          runAsNonRoot: false,
          allowPrivilegeEscalation: true,
          procMount: "Default",
          appArmorProfile: { type: "RuntimeDefault" },
          capabilities: { add: ["CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID", "SYS_CHROOT"] },
        },
      }),
    ]),
  },
  {
    name: "a safe sysctl and shared processes",
    source: "kubernetes.io, Using sysctls in a Kubernetes Cluster",
    pod: deploymentPod("tuned", [container("app", image)], {
      spec: {
        shareProcessNamespace: true,
        securityContext: {
          runAsUser: 1000,
          supplementalGroups: [2000],
          sysctls: [{ name: "net.ipv4.ip_unprivileged_port_start", value: "0" }],
        },
      },
    }),
  },
];

/**
 * A class of the guest gives way to the policy's. Without one K3k names a class that the host does not have, and the
 * host's API server refuses the pod by itself.
 */
function priorities(host: Host): readonly GuestPod[] {
  return host.priorityClass === undefined
    ? []
    : [
        {
          name: "a class of priority that the guest has",
          source: "kubernetes.io, Pod Priority and Preemption",
          pod: deploymentPod("urgent", [container("app", image)], {
            spec: { priorityClassName: "business-critical", priority: 100000 },
          }),
        },
      ];
}
