import type { Api } from "../../cluster/api.ts";
import { fieldManager } from "../../components/plan/names.ts";
import { sampleSiteImage } from "../images/images.ts";

/** The site of a tenant, in the namespace `default` of their guest. */
const name = "sample";
const namespace = "default";

/** An object of the sample, and the path that it is applied at. */
function objects(host: string): readonly (readonly [path: string, object: object])[] {
  const labels = { app: name };
  const core = `/api/v1/namespaces/${namespace}`;
  return [
    [
      `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`,
      {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name, namespace },
        spec: {
          replicas: 1,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: {
              containers: [
                {
                  name: "site",
                  image: sampleSiteImage,
                  imagePullPolicy: "IfNotPresent",
                  ports: [{ containerPort: 8080 }],
                  readinessProbe: { httpGet: { path: "/healthz", port: 8080 }, periodSeconds: 2 },
                  resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "64Mi" } },
                },
              ],
            },
          },
        },
      },
    ],
    [
      `${core}/services/${name}`,
      {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name, namespace },
        spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }] },
      },
    ],
    [
      `/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses/${name}`,
      {
        apiVersion: "networking.k8s.io/v1",
        kind: "Ingress",
        metadata: { name, namespace, annotations: { "cert-manager.io/cluster-issuer": "kraft-issuer" } },
        spec: {
          ingressClassName: "traefik",
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
      },
    ],
  ];
}

/** Brings a tenant's sample site to the web: a Deployment, a Service and an Ingress, as their welcome sheet says. */
export async function applySampleSite(guest: Api, host: string): Promise<void> {
  for (const [path, object] of objects(host)) {
    await guest.apply(path, object, fieldManager, true);
  }
}
