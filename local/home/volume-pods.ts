import { platformNamespaces } from "../../components/plan/network/platform-policies.ts";
import { checker } from "../../infra/versions.ts";
import type { Applied } from "./cluster-dns.ts";

const name = "longhorn-stand-in";
const plugin = "/var/lib/kubelet/plugins/driver.longhorn.io";

/**
 * Pods in Longhorn's place, one on each node, which are ready while the stand-in's volumes can be mounted there. Whoever asks
 * the cluster what of the platform runs finds them where Longhorn's own would be; the stand-in itself runs beside the cluster
 * and on the machines, as no pod.
 */
export function volumePods(): Applied {
  const labels = { app: name };
  const namespace = platformNamespaces.longhorn;
  return {
    path: `/apis/apps/v1/namespaces/${namespace}/daemonsets/${name}`,
    object: {
      apiVersion: "apps/v1",
      kind: "DaemonSet",
      metadata: { name, namespace },
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            automountServiceAccountToken: false,
            terminationGracePeriodSeconds: 1,
            containers: [
              {
                name: "watch",
                image: `${checker.image}:${checker.tag}`,
                imagePullPolicy: "IfNotPresent",
                command: ["sh", "-c", "while sleep 3600; do :; done"],
                readinessProbe: { exec: { command: ["test", "-S", "/plugin/csi.sock"] }, periodSeconds: 5 },
                resources: { requests: { cpu: "1m", memory: "8Mi" }, limits: { memory: "32Mi" } },
                volumeMounts: [{ name: "plugin", mountPath: "/plugin", readOnly: true }],
              },
            ],
            volumes: [{ name: "plugin", hostPath: { path: plugin, type: "Directory" } }],
          },
        },
      },
    },
  };
}
