import { checkerResources, drillLabel, drillNamespace } from "../../components/plan/drill.ts";
import { checker } from "../../infra/versions.ts";
import { checkerScript } from "./checker.ts";

/**
 * The pod that reads a restored volume: no token, no network, nothing that it could write to. It is root, with the one
 * right to read what belongs to others; the volume is mounted read-only.
 *
 * @param name Of the pod and of the claim that it reads.
 * @param isDatastore Whether a guest's datastore has to be on the volume.
 * @param run Written into the result, so that no other pod's is mistaken for it.
 */
export function checkerPod(name: string, tenant: string, isDatastore: boolean, run: string): object {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: drillNamespace, labels: { [drillLabel]: tenant } },
    spec: {
      restartPolicy: "Never",
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 1,
      securityContext: { runAsUser: 0, runAsGroup: 0, seccompProfile: { type: "RuntimeDefault" } },
      containers: [
        {
          name: "checker",
          image: `${checker.image}:${checker.tag}`,
          command: ["sh", "-c", checkerScript],
          env: [
            { name: "VOLUME", value: "/volume" },
            { name: "RESULT", value: "/dev/termination-log" },
            { name: "RUN", value: run },
            { name: "DATASTORE", value: isDatastore ? "yes" : "no" },
          ],
          resources: checkerResources,
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ["ALL"], add: ["DAC_OVERRIDE"] },
          },
          volumeMounts: [{ name: "volume", mountPath: "/volume", readOnly: true }],
        },
      ],
      volumes: [{ name: "volume", persistentVolumeClaim: { claimName: name } }],
    },
  };
}
