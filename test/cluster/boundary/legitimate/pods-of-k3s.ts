// What K3s itself runs in a guest.
import type { Host, LegitimateObject } from "./entry.ts";
import { container, deploymentPod } from "./guest-pod.ts";
import { syncedPods } from "./pods.ts";

/** CoreDNS, the one pod of the guest's own system. The other packaged components K3k switches off. */
export function systemPods(host: Host): LegitimateObject[] {
  return syncedPods(host, [{ name: "CoreDNS of K3s", source: "k3s manifests/coredns.yaml", pod: coreDns() }]);
}

function coreDns(): ReturnType<typeof deploymentPod> {
  const probe = (path: string, port: number, times: Record<string, number>): Record<string, unknown> => ({
    httpGet: { path, port, scheme: "HTTP" },
    timeoutSeconds: 1,
    successThreshold: 1,
    failureThreshold: 3,
    ...times,
  });
  const pod = deploymentPod(
    "coredns",
    [
      container("coredns", "rancher/mirrored-coredns-coredns:1.11.3", {
        args: ["-conf", "/etc/coredns/Corefile"],
        resources: { limits: { memory: "170Mi" }, requests: { cpu: "100m", memory: "70Mi" } },
        ports: [
          { name: "dns", containerPort: 53, protocol: "UDP" },
          { name: "dns-tcp", containerPort: 53, protocol: "TCP" },
          { name: "metrics", containerPort: 9153, protocol: "TCP" },
        ],
        // In small letters, which pod security `restricted` does not take for ALL.
        securityContext: {
          allowPrivilegeEscalation: false,
          capabilities: { add: ["NET_BIND_SERVICE"], drop: ["all"] },
          readOnlyRootFilesystem: true,
        },
        livenessProbe: probe("/health", 8080, { initialDelaySeconds: 60, periodSeconds: 10 }),
        readinessProbe: probe("/ready", 8181, { periodSeconds: 2 }),
        volumeMounts: [
          { name: "config-volume", mountPath: "/etc/coredns", readOnly: true },
          { name: "custom-config-volume", mountPath: "/etc/coredns/custom", readOnly: true },
        ],
      }),
    ],
    {
      namespace: "kube-system",
      labels: { "k8s-app": "kube-dns" },
      spec: {
        dnsPolicy: "Default",
        nodeSelector: { "kubernetes.io/os": "linux" },
        priorityClassName: "system-cluster-critical",
        priority: 2000000000,
        serviceAccountName: "coredns",
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: "kubernetes.io/hostname",
            whenUnsatisfiable: "DoNotSchedule",
            labelSelector: { matchLabels: { "k8s-app": "kube-dns" } },
          },
        ],
        tolerations: [
          { key: "CriticalAddonsOnly", operator: "Exists" },
          { key: "node-role.kubernetes.io/control-plane", operator: "Exists", effect: "NoSchedule" },
          { key: "node-role.kubernetes.io/master", operator: "Exists", effect: "NoSchedule" },
        ],
        volumes: [
          {
            name: "config-volume",
            configMap: {
              name: "coredns",
              defaultMode: 420,
              items: ["Corefile", "NodeHosts"].map((key) => ({ key, path: key })),
            },
          },
          { name: "custom-config-volume", configMap: { name: "coredns-custom", defaultMode: 420, optional: true } },
        ],
      },
    },
  );
  // K3s' Deployment labels its pods with nothing but these.
  delete pod.metadata.labels?.["app"];
  return pod;
}
