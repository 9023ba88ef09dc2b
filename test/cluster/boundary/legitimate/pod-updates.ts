// What K3k's kubelet writes on the host when a guest's pod changes.
import { debuggedPod, type K3kRelease, type Pod, synced, updatedPod } from "../translate.ts";
import { type Host, type LegitimateObject, syncOptions, updateEntry } from "./entry.ts";
import { barePod, container, deploymentPod, statefulSetPod } from "./guest-pod.ts";

interface Change {
  readonly name: string;
  readonly source: string;
  readonly before: Pod;
  readonly after: (pod: Pod) => void;
}

const image = "ghcr.io/acme/app:2.1";

/** Changes that a guest's user or controller makes to a running pod. */
const changes: readonly Change[] = [
  {
    name: "another image",
    source: "kubectl set image pod",
    before: deploymentPod("in-place", [container("app", image)]),
    after: ({ spec }) => {
      spec.containers = spec.containers.map((item) => ({ ...item, image: "ghcr.io/acme/app:2.2" }));
    },
  },
  {
    name: "a label that says who leads",
    source: "Patroni, kubernetes.labels and role_label; CloudNativePG labels its instances so",
    before: statefulSetPod("patroni", "patroni", [container("postgres", "ghcr.io/acme/spilo:17")]),
    after: ({ metadata }) => {
      metadata.labels = { ...metadata.labels, role: "primary" };
      metadata.annotations = { ...metadata.annotations, status: '{"role":"primary","state":"running"}' };
    },
  },
  {
    name: "a label taken away, to take the pod out of its Service",
    source: "kubectl label pod app-",
    before: barePod("suspect", [container("app", image)], { labels: { app: "suspect", track: "stable" } }),
    after: ({ metadata }) => {
      metadata.labels = { track: "stable" };
    },
  },
  {
    name: "a toleration more, and a deadline",
    source: "kubernetes.io, Pods: update and replacement",
    before: barePod("leaving", [container("app", image)]),
    after: ({ spec }) => {
      spec.activeDeadlineSeconds = 3600;
      spec.tolerations = [...(spec.tolerations ?? []), { key: "example.com/draining", operator: "Exists" }];
    },
  },
];

/** Updates of pods, once for each release of K3k, and debug containers. */
export function podUpdates(host: Host): LegitimateObject[] {
  return [...(["1.1.0", "1.2.0-rc4"] as const).flatMap((release) => updates(host, release)), ...debugContainers(host)];
}

function updates(host: Host, release: K3kRelease): LegitimateObject[] {
  return changes.map(({ name, source, before, after }) => {
    const changed = structuredClone(before);
    after(changed);
    return updateEntry({
      name: `a pod changes: ${name}, K3k ${release}`,
      source: `${source}; k3k v${release} k3k-kubelet/provider/provider.go updatePod`,
      as: "k3k-kubelet",
      before: synced(host.cluster, before, { ...syncOptions(host), release }),
      change: (existing) => updatedPod(release, existing as Pod, changed),
    });
  });
}

function debugContainers(host: Host): LegitimateObject[] {
  const before = deploymentPod("stuck", [container("app", image)]);
  return (["baseline", "restricted"] as const).map((profile) => {
    const guest = structuredClone(before);
    guest.spec.ephemeralContainers = [
      container("debugger-x2k4m", "busybox:1.37", {
        stdin: true,
        tty: true,
        targetContainerName: "app",
        ...(profile === "restricted"
          ? {
              securityContext: {
                allowPrivilegeEscalation: false,
                capabilities: { drop: ["ALL"] },
                runAsNonRoot: true,
                seccompProfile: { type: "RuntimeDefault" },
              },
            }
          : {}),
      }),
    ];
    return updateEntry({
      name: `a debug container of kubectl's profile ${profile}`,
      source: `kubectl debug --profile=${profile}; k3k v1.1.0 k3k-kubelet/provider/provider.go updatePod`,
      as: "k3k-kubelet",
      subresource: "ephemeralcontainers",
      before: synced(host.cluster, before, syncOptions(host)),
      change: (existing) => debuggedPod(existing as Pod, guest),
    });
  });
}
