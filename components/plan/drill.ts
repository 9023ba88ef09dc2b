/** Namespace in which drills restore volumes. Nothing else is ever in it. */
export const drillNamespace = "kraft-drill";

/** Label on everything that a drill creates; its value is the tenant's name. */
export const drillLabel = "kraft.dev/drill";

/** Annotation on a tenant's namespace: when its backups were last restored and read completely (RFC 3339). */
export const provenAnnotation = "kraft.dev/proven-restorable";

/** Annotation on a tenant's namespace: what was read then, as JSON. */
export const provenVolumesAnnotation = "kraft.dev/proven-restorable-volumes";

/** Annotation on a tenant's namespace: when a drill failed since then, and why. */
export const failedDrillAnnotation = "kraft.dev/restore-drill-failed";

/**
 * What a drill may use: one volume and one pod at a time. Storage is not limited here, since a restored volume is as
 * large as the tenant's; Longhorn refuses one that fits no disk.
 */
export const drillQuota = {
  hard: {
    pods: "1",
    persistentvolumeclaims: "1",
    "requests.cpu": "500m",
    "requests.memory": "256Mi",
    "limits.memory": "256Mi",
    services: "0",
    secrets: "0",
  },
} as const;

/** Resources of the one container that reads a restored volume. */
export const checkerResources = {
  requests: { cpu: "100m", memory: "64Mi" },
  limits: { memory: "256Mi" },
} as const;
