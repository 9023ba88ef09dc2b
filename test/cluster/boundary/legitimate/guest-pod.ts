// Pods as a guest's API server stores them: defaults, service account, tolerations, and what the controller that made
// the pod adds to its template (Kubernetes v1.35 pkg/apis/core/v1/defaults.go, plugin/pkg/admission/serviceaccount,
// plugin/pkg/admission/{priority,defaulttolerationseconds}, pkg/controller/{job,daemon,statefulset}).
import type { Container, Metadata, Pod, PodSpec } from "../translate.ts";

/** What a pod has besides its containers. */
export interface Work {
  /** `shop` where nothing is said. */
  readonly namespace?: string;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly spec?: Partial<PodSpec>;
  /** False where pod or service account asks for no token. */
  readonly token?: boolean;
}

/** What every controller but the DaemonSet's leaves to the API server: five minutes on a node that is gone. */
const defaultTolerations = ["not-ready", "unreachable"].map((key) => ({
  key: `node.kubernetes.io/${key}`,
  operator: "Exists",
  effect: "NoExecute",
  tolerationSeconds: 300,
}));

const daemonTolerations = [
  ...["not-ready", "unreachable"].map((key) => ({ key, effect: "NoExecute" })),
  ...["disk-pressure", "memory-pressure", "pid-pressure", "unschedulable"].map((key) => ({
    key,
    effect: "NoSchedule",
  })),
].map(({ key, effect }) => ({ key: `node.kubernetes.io/${key}`, operator: "Exists", effect }));

/** Tolerations that the DaemonSet controller gives each of its pods. */
export function daemonSetTolerations(): Record<string, unknown>[] {
  return structuredClone(daemonTolerations);
}

/** A required affinity for one node, as the DaemonSet controller writes it. */
export function onNode(node: string): Record<string, unknown> {
  const field = { key: "metadata.name", operator: "In", values: [node] };
  return {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields: [field] }] },
    },
  };
}

/** A container with the API server's defaults. */
export function container(name: string, image: string, more: Partial<Container> = {}): Container {
  return {
    name,
    image,
    imagePullPolicy: "IfNotPresent",
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
    resources: {},
    ...more,
  };
}

/** A pod as a person creates it, with `kubectl run` or from a file. */
export function barePod(name: string, containers: readonly Container[], work: Work = {}): Pod {
  return pod({ name }, containers, work);
}

/** A pod of a Deployment. */
export function deploymentPod(app: string, containers: readonly Container[], work: Work = {}): Pod {
  const hash = "7d4b9c6f5d";
  return pod(
    { name: `${app}-${hash}-x2k4m`, generateName: `${app}-${hash}-`, ...controlledBy("apps/v1", "ReplicaSet", app) },
    containers,
    { ...work, labels: { app, ...work.labels, "pod-template-hash": hash } },
  );
}

/** The first pod of a StatefulSet. */
export function statefulSetPod(set: string, service: string, containers: readonly Container[], work: Work = {}): Pod {
  const name = `${set}-0`;
  return pod({ name, generateName: `${set}-`, ...controlledBy("apps/v1", "StatefulSet", set) }, containers, {
    ...work,
    labels: {
      app: set,
      ...work.labels,
      "apps.kubernetes.io/pod-index": "0",
      "controller-revision-hash": `${set}-6c5f9b7d8`,
      "statefulset.kubernetes.io/pod-name": name,
    },
    spec: { hostname: name, subdomain: service, ...work.spec },
  });
}

/** A pod of a Job. */
export function jobPod(job: string, containers: readonly Container[], work: Work = {}): Pod {
  const uid = "5b1f1a52-6a5c-4d0f-8a54-0d7c2f1f9b11";
  return pod(
    {
      name: `${job}-p7v9q`,
      generateName: `${job}-`,
      finalizers: ["batch.kubernetes.io/job-tracking"],
      ...controlledBy("batch/v1", "Job", job),
    },
    containers,
    {
      ...work,
      labels: {
        ...work.labels,
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": job,
        "controller-uid": uid,
        "job-name": job,
      },
      spec: { restartPolicy: "Never", ...work.spec },
    },
  );
}

/** A pod of a DaemonSet on one of the guest's nodes, which are named as the host's. */
export function daemonSetPod(set: string, node: string, containers: readonly Container[], work: Work = {}): Pod {
  return pod(
    { name: `${set}-8wz5t`, generateName: `${set}-`, ...controlledBy("apps/v1", "DaemonSet", set) },
    containers,
    {
      ...work,
      labels: { app: set, ...work.labels, "controller-revision-hash": "65d8f7c9b4", "pod-template-generation": "1" },
      spec: {
        nodeName: node,
        affinity: onNode(node),
        ...work.spec,
        tolerations: [...(work.spec?.tolerations ?? []), ...daemonSetTolerations()],
      },
    },
  );
}

function controlledBy(apiVersion: string, kind: string, name: string): Pick<Metadata, "ownerReferences"> {
  const uid = "0c8a7d4e-93b5-4f0a-9d2e-6b7f1e2d3c44";
  return { ownerReferences: [{ apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }] };
}

function pod(metadata: Metadata, containers: readonly Container[], work: Work): Pod {
  const account = work.spec?.serviceAccountName ?? "default";
  const token = work.token !== false;
  const mounted = (list: readonly Container[]): Container[] =>
    list.map((item) => (token ? { ...item, volumeMounts: [...(item.volumeMounts ?? []), tokenMount()] } : { ...item }));
  const initContainers = work.spec?.initContainers;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...metadata,
      namespace: work.namespace ?? "shop",
      ...(work.labels === undefined ? {} : { labels: work.labels }),
      ...(work.annotations === undefined ? {} : { annotations: work.annotations }),
    },
    spec: {
      restartPolicy: "Always",
      terminationGracePeriodSeconds: 30,
      dnsPolicy: "ClusterFirst",
      nodeName: "node-1",
      securityContext: {},
      schedulerName: "default-scheduler",
      enableServiceLinks: true,
      priority: 0,
      preemptionPolicy: "PreemptLowerPriority",
      ...work.spec,
      serviceAccountName: account,
      serviceAccount: account,
      containers: mounted(containers),
      ...(initContainers === undefined ? {} : { initContainers: mounted(initContainers) }),
      volumes: [...(work.spec?.volumes ?? []), ...(token ? [tokenVolume()] : [])],
      tolerations: tolerations(work.spec?.tolerations ?? []),
    },
  };
}

/** The API server adds its own only where the pod tolerates neither yet. */
function tolerations(own: readonly Record<string, unknown>[]): Record<string, unknown>[] {
  const keys = new Set(own.map(({ key }) => key));
  return [...own, ...defaultTolerations.filter(({ key }) => !keys.has(key)).map((toleration) => ({ ...toleration }))];
}

const tokenVolumeName = "kube-api-access-4hl9d";

function tokenMount(): { name: string; readOnly: boolean; mountPath: string } {
  return { name: tokenVolumeName, readOnly: true, mountPath: "/var/run/secrets/kubernetes.io/serviceaccount" };
}

function tokenVolume(): NonNullable<PodSpec["volumes"]>[number] {
  return {
    name: tokenVolumeName,
    projected: {
      defaultMode: 420,
      sources: [
        { serviceAccountToken: { expirationSeconds: 3607, path: "token" } },
        { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
        {
          downwardAPI: {
            items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }],
          },
        },
      ],
    },
  };
}
