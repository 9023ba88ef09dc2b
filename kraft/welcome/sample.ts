import { stringify } from "yaml";
import { checker } from "../../infra/versions.ts";
import type { WelcomeFacts } from "./facts.ts";

/** The sample's name: of its objects, and in front of the tenant's domain. */
export const sampleName = "shop";
const name = sampleName;
const labels = { app: name };
const port = 8080;

/** A user that is not root. The volume belongs to its group. */
const user = 65532;

/** Security contexts of a pod with a volume that needs no rights. */
export const withoutRights = {
  pod: {
    runAsNonRoot: true,
    runAsUser: user,
    runAsGroup: user,
    fsGroup: user,
    seccompProfile: { type: "RuntimeDefault" },
  },
  container: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
} as const;

type SampleFacts = Pick<WelcomeFacts, "domains" | "ingressClass" | "issuer" | "storageClasses">;

/** Host of the sample: the tenant's first domain with a name in front, which can be a CNAME where a domain cannot. */
export function sampleHost({ domains: [domain = ""] }: Pick<WelcomeFacts, "domains">): string {
  return `${name}.${domain}`;
}

/**
 * An application that works as it is: a web server over a volume, which answers at `sampleHost` with a certificate. The sheet
 * prints it, the bundle of `kraft onboard` has it as a file, and tests send it through the platform's own admission rules.
 *
 * Its image is one that the embedded home has, too.
 */
export function sampleObjects(facts: SampleFacts): readonly object[] {
  return [sampleClaim(facts), deployment, service, sampleIngress(facts)];
}

/** The objects as one file for `kubectl apply`. */
export function sampleYaml(facts: SampleFacts): string {
  return sampleObjects(facts)
    .map((object) => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false }))
    .join("---\n");
}

function sampleClaim({ storageClasses }: SampleFacts) {
  // A tenant of the lowest tier may not use the default class.
  const [first] = storageClasses;
  const storageClass = storageClasses.find(({ isDefault }) => isDefault) ?? first;
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name, namespace: "default" },
    spec: {
      accessModes: ["ReadWriteOnce"],
      storageClassName: storageClass?.name,
      resources: { requests: { storage: "1Gi" } },
    },
  };
}

const deployment = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name, namespace: "default" },
  spec: {
    replicas: 1,
    // The volume is for one node at a time: the old pod has to end before the new one starts.
    strategy: { type: "Recreate" },
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: {
        // This web server does not listen to SIGTERM.
        terminationGracePeriodSeconds: 2,
        securityContext: withoutRights.pod,
        containers: [
          {
            name: "web",
            image: `${checker.image}:${checker.tag}`,
            command: [
              "sh",
              "-c",
              `test -e /data/index.html || echo 'It works.' > /data/index.html\necho serving /data\nexec httpd -f -v -p ${port} -h /data\n`,
            ],
            ports: [{ containerPort: port }],
            readinessProbe: { httpGet: { path: "/", port }, periodSeconds: 2 },
            resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "64Mi" } },
            securityContext: withoutRights.container,
            volumeMounts: [{ name: "data", mountPath: "/data" }],
          },
        ],
        volumes: [{ name: "data", persistentVolumeClaim: { claimName: name } }],
      },
    },
  },
} as const;

const service = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace: "default" },
  spec: { selector: labels, ports: [{ port: 80, targetPort: port }] },
} as const;

/** The sample's Ingress, which asks for a certificate. */
export function sampleIngress(facts: Pick<WelcomeFacts, "domains" | "ingressClass" | "issuer">) {
  const host = sampleHost(facts);
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: {
      name,
      namespace: "default",
      annotations: { "cert-manager.io/cluster-issuer": facts.issuer },
    },
    spec: {
      ingressClassName: facts.ingressClass,
      tls: [{ hosts: [host], secretName: `${name}-tls` }],
      rules: [
        {
          host,
          http: {
            paths: [{ path: "/", pathType: "Prefix", backend: { service: { name, port: { number: 80 } } } }],
          },
        },
      ],
    },
  };
}
