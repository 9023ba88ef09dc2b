// The shop that the tenant has in their guest.

/** What the tenant writes, and the world reads. */
export const page = "Apples, pears and plums.\n";
export const host = "shop.acme.example";
export const app = "shop";
const labels = { app };

/** A web server over a claim, which says what it does. */
export const objects: readonly (readonly [path: string, object: object])[] = [
  [
    "/api/v1/namespaces/default/persistentvolumeclaims/shop",
    {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name: app },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
    },
  ],
  [
    "/api/v1/namespaces/default/services/shop",
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: app },
      spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }] },
    },
  ],
  [
    "/apis/apps/v1/namespaces/default/deployments/shop",
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: app },
      spec: {
        replicas: 1,
        strategy: { type: "Recreate" },
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            // The web server does not listen to SIGTERM as the first process of its container.
            terminationGracePeriodSeconds: 2,
            containers: [
              {
                name: "web",
                image: "busybox:1.37.0",
                command: ["sh", "-c", "echo serving /data; exec httpd -f -p 8080 -h /data"],
                ports: [{ containerPort: 8080 }],
                volumeMounts: [{ name: "data", mountPath: "/data" }],
              },
            ],
            volumes: [{ name: "data", persistentVolumeClaim: { claimName: app } }],
          },
        },
      },
    },
  ],
];
