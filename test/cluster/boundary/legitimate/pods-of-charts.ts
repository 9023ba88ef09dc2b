// The two largest pods of the list, as their charts render them.
import type { Pod } from "../translate.ts";
import { container, deploymentPod, statefulSetPod } from "./guest-pod.ts";

/** The container settings of pod security `restricted`. */
export const restricted = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  runAsNonRoot: true,
  seccompProfile: { type: "RuntimeDefault" },
};

/** Nextcloud on one volume, with a second container for its cron jobs. */
export function nextcloud(): Pod {
  const image = "docker.io/library/nextcloud:32-apache";
  const env = [
    { name: "POSTGRES_HOST", value: "nextcloud-postgresql" },
    { name: "POSTGRES_PASSWORD", valueFrom: { secretKeyRef: { name: "nextcloud-db", key: "db-password" } } },
    { name: "NEXTCLOUD_ADMIN_PASSWORD", valueFrom: { secretKeyRef: { name: "nextcloud", key: "nextcloud-password" } } },
    { name: "NEXTCLOUD_TRUSTED_DOMAINS", value: "cloud.acme.example" },
  ];
  const volumeMounts = ["root", "html", "data", "config"].map((subPath) => ({
    name: "nextcloud-main",
    mountPath: subPath === "root" ? "/var/www/" : `/var/www/html/${subPath}`,
    subPath,
  }));
  return deploymentPod(
    "nextcloud",
    [
      container("nextcloud", image, {
        env,
        volumeMounts,
        ports: [{ name: "http", containerPort: 80, protocol: "TCP" }],
        livenessProbe: {
          httpGet: { path: "/status.php", port: "http", httpHeaders: [{ name: "Host", value: "cloud.acme.example" }] },
        },
      }),
      container("nextcloud-cron", image, { env, volumeMounts, command: ["/cron.sh"] }),
    ],
    {
      namespace: "cloud",
      labels: { "app.kubernetes.io/name": "nextcloud", "app.kubernetes.io/component": "app" },
      annotations: { "nextcloud-config-hash": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" },
      spec: {
        securityContext: { fsGroup: 33 },
        initContainers: [
          container("postgresql-isready", "docker.io/bitnamilegacy/postgresql:17", {
            command: ["sh", "-c", "until pg_isready -h nextcloud-postgresql; do sleep 2; done"],
          }),
        ],
        volumes: [{ name: "nextcloud-main", persistentVolumeClaim: { claimName: "nextcloud-nextcloud" } }],
      },
    },
  );
}

/** PostgreSQL with a service account of its own, which has no token. */
export function bitnamiPostgresql(): Pod {
  return statefulSetPod(
    "shop-postgresql",
    "shop-postgresql-hl",
    [
      container("postgresql", "docker.io/bitnami/postgresql:17.6.0", {
        env: [{ name: "POSTGRESQL_PORT_NUMBER", value: "5432" }],
        ports: [{ name: "tcp-postgresql", containerPort: 5432, protocol: "TCP" }],
        securityContext: {
          ...restricted,
          privileged: false,
          readOnlyRootFilesystem: true,
          runAsGroup: 1001,
          runAsUser: 1001,
          seLinuxOptions: {},
        },
        resources: {
          requests: { cpu: "100m", memory: "128Mi", "ephemeral-storage": "50Mi" },
          limits: { cpu: "150m", memory: "192Mi", "ephemeral-storage": "2Gi" },
        },
        volumeMounts: [
          { name: "empty-dir", mountPath: "/tmp", subPath: "tmp-dir" },
          { name: "postgresql-password", mountPath: "/opt/bitnami/postgresql/secrets/" },
          { name: "dshm", mountPath: "/dev/shm" },
          { name: "data", mountPath: "/bitnami/postgresql" },
        ],
      }),
    ],
    {
      token: false,
      labels: {
        "app.kubernetes.io/component": "primary",
        "app.kubernetes.io/instance": "shop",
        "app.kubernetes.io/managed-by": "Helm",
        "app.kubernetes.io/name": "postgresql",
        "helm.sh/chart": "postgresql-17.0.1",
      },
      spec: {
        serviceAccountName: "shop-postgresql",
        automountServiceAccountToken: false,
        securityContext: { fsGroup: 1001, fsGroupChangePolicy: "Always", supplementalGroups: [], sysctls: [] },
        affinity: {
          podAntiAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              {
                weight: 1,
                podAffinityTerm: {
                  topologyKey: "kubernetes.io/hostname",
                  labelSelector: { matchLabels: { "app.kubernetes.io/instance": "shop" } },
                },
              },
            ],
          },
        },
        volumes: [
          { name: "empty-dir", emptyDir: {} },
          { name: "postgresql-password", secret: { secretName: "shop-postgresql", defaultMode: 420 } },
          { name: "dshm", emptyDir: { medium: "Memory" } },
          { name: "data", persistentVolumeClaim: { claimName: "data-shop-postgresql-0" } },
        ],
      },
    },
  );
}
