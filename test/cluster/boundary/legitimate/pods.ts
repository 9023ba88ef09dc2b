// Pods of ordinary applications, as K3k's kubelet writes them on the host.
import { type K3kRelease, type Pod, synced } from "../translate.ts";
import { type Host, type LegitimateObject, syncOptions } from "./entry.ts";
import { barePod, container, daemonSetPod, deploymentPod, jobPod, statefulSetPod } from "./guest-pod.ts";
import { bitnamiPostgresql, nextcloud, restricted } from "./pods-of-charts.ts";

/** A pod of the guest, and with which releases of K3k it comes to run. */
export interface GuestPod {
  readonly name: string;
  readonly source: string;
  readonly pod: Pod;
  /** All where nothing is said. */
  readonly releases?: readonly K3kRelease[];
}

const releases: readonly K3kRelease[] = ["1.1.0", "1.2.0-rc4"];

/** What K3k's kubelet writes on the host for the guest's pods, once for each release. */
export function syncedPods(host: Host, pods: readonly GuestPod[]): LegitimateObject[] {
  return pods.flatMap((work) =>
    (work.releases ?? releases).map((release): LegitimateObject => ({
      name: `${work.name}, K3k ${release}`,
      source: `${work.source}; k3k v${release} k3k-kubelet/provider/provider.go createPod`,
      as: "k3k-kubelet",
      object: synced(host.cluster, work.pod, { ...syncOptions(host), release }),
    })),
  );
}

/** A bitnami chart's service account has no token, which K3k 1.1.0 cannot run: it keeps the account's name. */
const withoutTokenless: readonly K3kRelease[] = ["1.2.0-rc4"];

/** Applications that people run for a small business or a hobby. */
export function applicationPods(host: Host): LegitimateObject[] {
  return syncedPods(host, [
    {
      name: "nginx, as kubectl create deployment makes it",
      source: "kubectl create deployment",
      pod: deploymentPod("web", [container("nginx", "nginx")]),
    },
    {
      name: "a bare pod, as kubectl run makes it",
      source: "kubectl run",
      pod: barePod("tools", [container("tools", "busybox:1.37", { stdin: true, tty: true })], {
        namespace: "default",
        labels: { run: "tools" },
      }),
    },
    {
      name: "a pod that requests all that it may use",
      source: "kubernetes.io, Pod Quality of Service Classes",
      pod: {
        ...deploymentPod("guaranteed", [
          container("nginx", "nginx", {
            resources: { requests: { cpu: "0.1", memory: "128Mi" }, limits: { cpu: "100m", memory: "131072Ki" } },
          }),
        ]),
        status: { qosClass: "Guaranteed" },
      },
    },
    {
      name: "the same for the pod as a whole",
      source: "kubernetes.io, Assign Pod-level CPU and memory resources",
      pod: {
        ...deploymentPod("guaranteed-as-a-whole", [container("nginx", "nginx")], {
          spec: { resources: { requests: { cpu: "500m", memory: "5Gi" }, limits: { cpu: "500m", memory: "5Gi" } } },
        }),
        status: { qosClass: "Guaranteed" },
      },
    },
    {
      name: "nginx under pod security restricted",
      source: "kubernetes.io, Pod Security Standards",
      pod: deploymentPod(
        "web-restricted",
        [
          container("nginx", "nginxinc/nginx-unprivileged:1.29", {
            ports: [{ name: "http", containerPort: 8080, protocol: "TCP" }],
            securityContext: { ...restricted, readOnlyRootFilesystem: true, runAsUser: 101 },
            volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
          }),
        ],
        {
          spec: {
            securityContext: {
              runAsNonRoot: true,
              runAsGroup: 101,
              fsGroup: 101,
              seccompProfile: { type: "RuntimeDefault" },
            },
            volumes: [{ name: "tmp", emptyDir: {} }],
          },
        },
      ),
    },
    {
      name: "nginx as root on port 80 with no capability but to bind it",
      source: "kubernetes.io, Configure a Security Context",
      pod: deploymentPod("web-port-80", [
        container("nginx", "nginx:1.29", {
          ports: [{ containerPort: 80, protocol: "TCP" }],
          securityContext: {
            runAsUser: 0,
            capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE", "CHOWN", "SETUID", "SETGID"] },
          },
        }),
      ]),
    },
    {
      name: "Nextcloud with its cron container",
      source: "Helm chart nextcloud/nextcloud as commonly rendered",
      pod: nextcloud(),
    },
    {
      name: "PostgreSQL of bitnami's chart",
      source: "Helm chart bitnami/postgresql as commonly rendered",
      releases: withoutTokenless,
      pod: bitnamiPostgresql(),
    },
    {
      name: "PostgreSQL of the official image, one volume by claim template",
      source: "Docker official image postgres; kubernetes.io, StatefulSets",
      pod: statefulSetPod(
        "db",
        "db",
        [
          container("postgres", "postgres:18", {
            env: [
              { name: "POSTGRES_PASSWORD", valueFrom: { secretKeyRef: { name: "db", key: "password" } } },
              { name: "PGDATA", value: "/var/lib/postgresql/data/pgdata" },
            ],
            ports: [{ name: "postgres", containerPort: 5432, protocol: "TCP" }],
            readinessProbe: { exec: { command: ["pg_isready", "-U", "postgres"] }, periodSeconds: 10 },
            resources: { requests: { cpu: "50m", memory: "128Mi" }, limits: { memory: "256Mi" } },
            volumeMounts: [{ name: "data", mountPath: "/var/lib/postgresql/data" }],
          }),
        ],
        {
          namespace: "data",
          spec: {
            securityContext: { fsGroup: 999, fsGroupChangePolicy: "OnRootMismatch" },
            volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data-db-0" } }],
          },
        },
      ),
    },
    {
      name: "Redis with its configuration from a ConfigMap",
      source: "Docker official image redis; kubernetes.io, Configuring Redis using a ConfigMap",
      pod: deploymentPod(
        "redis",
        [
          container("redis", "redis:8", {
            command: ["redis-server", "/etc/redis/redis.conf"],
            securityContext: { ...restricted, runAsUser: 999 },
            ports: [{ containerPort: 6379, protocol: "TCP" }],
            volumeMounts: [
              { name: "config", mountPath: "/etc/redis", readOnly: true },
              { name: "data", mountPath: "/data" },
            ],
          }),
        ],
        {
          spec: {
            securityContext: { fsGroup: 999 },
            volumes: [
              { name: "config", configMap: { name: "redis", defaultMode: 420 } },
              { name: "data", emptyDir: { sizeLimit: "256Mi" } },
            ],
          },
        },
      ),
    },
    {
      name: "a pod of a Job",
      source: "kubernetes.io, Jobs",
      pod: jobPod("migrate", [container("migrate", "ghcr.io/acme/shop:1.4.2", { command: ["bin/migrate"] })], {
        spec: { activeDeadlineSeconds: 600 },
      }),
    },
    {
      name: "a pod of a Helm hook",
      source: "helm.sh, Chart Hooks",
      pod: jobPod("shop-post-upgrade", [container("hook", "ghcr.io/acme/shop:1.4.2")], {
        labels: { "app.kubernetes.io/managed-by": "Helm", "helm.sh/chart": "shop-0.9.1" },
        annotations: { "helm.sh/hook": "post-upgrade", "helm.sh/hook-delete-policy": "hook-succeeded" },
      }),
    },
    {
      name: "a pod of a CronJob",
      source: "kubernetes.io, CronJob",
      pod: jobPod("backup-29384460", [container("dump", "postgres:18", { args: ["pg_dump"] })], {
        namespace: "data",
        spec: { restartPolicy: "OnFailure" },
      }),
    },
    {
      name: "a pod of an indexed Job",
      source: "kubernetes.io, Indexed Job for Parallel Processing",
      pod: jobPod(
        "render",
        [
          container("render", "ghcr.io/acme/render:2", {
            env: [
              {
                name: "JOB_COMPLETION_INDEX",
                valueFrom: {
                  fieldRef: {
                    apiVersion: "v1",
                    fieldPath: "metadata.labels['batch.kubernetes.io/job-completion-index']",
                  },
                },
              },
            ],
          }),
        ],
        {
          labels: { "batch.kubernetes.io/job-completion-index": "0" },
          annotations: { "batch.kubernetes.io/job-completion-index": "0" },
          spec: { hostname: "render-0" },
        },
      ),
    },
    {
      name: "a pod of a guest's DaemonSet",
      source: "Kubernetes v1.35 pkg/controller/daemon/util/daemonset_util.go",
      pod: daemonSetPod("cache", "node-1", [container("cache", "memcached:1.6")]),
    },
    {
      name: "a pod of a guest's DaemonSet that runs on control planes too",
      source: "kubernetes.io, DaemonSet",
      pod: daemonSetPod("probe", "node-1", [container("probe", "prom/blackbox-exporter:v0.27.0")], {
        spec: {
          tolerations: ["control-plane", "master"].map((role) => ({
            key: `node-role.kubernetes.io/${role}`,
            operator: "Exists",
            effect: "NoSchedule",
          })),
        },
      }),
    },
    {
      name: "a game server on TCP and UDP",
      source: "Helm chart itzg/minecraft as commonly rendered",
      pod: deploymentPod("minecraft", [
        container("minecraft", "itzg/minecraft-server", {
          stdin: true,
          tty: true,
          ports: [
            { name: "game", containerPort: 25565, protocol: "TCP" },
            { name: "bedrock", containerPort: 19132, protocol: "UDP" },
          ],
        }),
      ]),
    },
    {
      name: "kube-state-metrics, which reads the guest's API",
      source: "Helm chart prometheus-community/kube-state-metrics as commonly rendered",
      pod: deploymentPod(
        "kube-state-metrics",
        [
          container("kube-state-metrics", "registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.17.0", {
            args: ["--port=8080", "--resources=pods,deployments"],
            ports: [{ name: "http", containerPort: 8080, protocol: "TCP" }],
            livenessProbe: {
              httpGet: {
                path: "/livez",
                port: 8080,
                scheme: "HTTP",
                httpHeaders: [{ name: "Host", value: "metrics" }],
              },
            },
            securityContext: { ...restricted, readOnlyRootFilesystem: true, runAsUser: 65534 },
          }),
        ],
        {
          namespace: "monitoring",
          labels: {
            "app.kubernetes.io/name": "kube-state-metrics",
            "app.kubernetes.io/instance": "metrics",
            "app.kubernetes.io/managed-by": "Helm",
          },
          annotations: { "prometheus.io/scrape": "true", "prometheus.io/port": "8080" },
          spec: { serviceAccountName: "kube-state-metrics" },
        },
      ),
    },
  ]);
}
