import { createHash } from "node:crypto";
import * as kubernetes from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Size } from "./plan/monitoring/sizes.ts";
import { nameLabel } from "./plan/network/monitoring-policies.ts";
import { restrictedContexts } from "./plan/pod-security.ts";

export interface Image {
  readonly image: string;
  readonly tag: string;
}

/** One program that watches the platform, of which there is one in the cluster. */
export interface Program {
  readonly namespace: string;
  readonly name: string;
  readonly image: Image;
  readonly size: Size;
  readonly port: number;
  readonly arguments: readonly string[];
  /** Path that answers once it works. */
  readonly readiness: string;
  /** Volumes by the folder that they are mounted at. */
  readonly folders: Readonly<Record<string, pulumi.Unwrap<Omit<kubernetes.types.input.core.v1.Volume, "name">>>>;
  /** What it was started with, where it reads that only once. */
  readonly config?: string;
  /** Its account at the API server; without one it has no token. */
  readonly account?: pulumi.Input<string>;
}

/** How long a pod waits for a node that does not answer, in seconds: whoever tells of a dead node must not wait with it. */
const moveAfterSeconds = 30;

/** Declares a Deployment of one pod, and its Service. */
export function declareProgram(logicalName: string, program: Program, opts: pulumi.CustomResourceOptions): void {
  const metadata = { name: program.name, namespace: program.namespace };
  const labels = { [nameLabel]: program.name };
  const volumes = Object.entries(program.folders).map(([path, source], index) => ({ path, name: `v${index}`, source }));
  new kubernetes.apps.v1.Deployment(
    logicalName,
    {
      metadata,
      spec: {
        replicas: 1,
        // Two of them would tell everything twice.
        strategy: { type: "Recreate" },
        selector: { matchLabels: labels },
        template: {
          metadata: {
            labels,
            ...(program.config !== undefined && { annotations: { "kraft.dev/config": digest(program.config) } }),
          },
          spec: {
            ...(program.account !== undefined && { serviceAccountName: program.account }),
            automountServiceAccountToken: program.account !== undefined,
            enableServiceLinks: false,
            securityContext: { ...restrictedContexts.pod, fsGroup: restrictedContexts.pod.runAsGroup },
            tolerations: ["not-ready", "unreachable"].map((condition) => ({
              key: `node.kubernetes.io/${condition}`,
              operator: "Exists",
              effect: "NoExecute",
              tolerationSeconds: moveAfterSeconds,
            })),
            containers: [
              {
                name: program.name,
                image: `${program.image.image}:${program.image.tag}`,
                args: [...program.arguments],
                ports: [{ name: "http", containerPort: program.port }],
                readinessProbe: { httpGet: { path: program.readiness, port: program.port } },
                resources: resources(program.size),
                securityContext: containerContext(),
                volumeMounts: volumes.map(({ path, name }) => ({ name, mountPath: path })),
              },
            ],
            volumes: volumes.map(({ name, source }) => ({ name, ...source })),
          },
        },
      },
    },
    opts,
  );
  new kubernetes.core.v1.Service(
    `${logicalName}-service`,
    // An update must not wait for endpoints: what watches a platform is no part of it.
    {
      metadata: { ...metadata, annotations: { "pulumi.com/skipAwait": "true" } },
      spec: { selector: labels, ports: [{ name: "http", port: program.port, targetPort: program.port }] },
    },
    opts,
  );
}

/** JSON, which is YAML. */
export function text(value: unknown): string {
  return `${JSON.stringify(value, null, 1)}\n`;
}

function digest(value: string): string {
  return createHash("sha256").update(value).digest("hex").slice(0, 16);
}

/** What a container requests, and where it ends. */
export function resources({ millicpu, memoryMebibytes, limitMebibytes }: Size) {
  return {
    requests: { cpu: `${millicpu}m`, memory: `${memoryMebibytes}Mi` },
    limits: { memory: `${limitMebibytes}Mi` },
  };
}

/** The container's part of what Pod Security demands at its level `restricted`. */
export function containerContext() {
  const { capabilities, ...rest } = restrictedContexts.container;
  return { ...rest, capabilities: { drop: [...capabilities.drop] } };
}
