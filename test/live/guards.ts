// What a tenant must not do, tried by the tenant: in the guest, through Traefik.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../../cluster/api.ts";
import type { KubernetesObject } from "../../cluster/objects.ts";
import { paths } from "../../cluster/paths.ts";
import { eventually } from "../cluster/embedded.ts";
import { atVisitor, guest, host, namespace } from "./home.ts";

const pods = "/api/v1/namespaces/default/pods";
const services = "/api/v1/namespaces/default/services";
const ingresses = "/apis/networking.k8s.io/v1/namespaces/default/ingresses";

function pod(name: string, container: object) {
  const { ...more } = container;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: { containers: [{ name: "main", image: "busybox:1.37.0", command: ["sleep", "1000"], ...more }] },
  };
}

async function refusal(collection: string, object: object): Promise<string> {
  try {
    await (await guest()).create(collection, object);
  } catch (error) {
    assert.ok(error instanceof ApiError, String(error));
    return error.message;
  }
  return assert.fail("it was accepted");
}

/** Names of objects on the host that come from one of the guest with this beginning. */
async function onHost(collection: string, name: string): Promise<string[]> {
  const found = await host().list(collection);
  return found.map(({ metadata }) => metadata.name).filter((found) => found.startsWith(name));
}

/** Waits until a pod of the guest says why it is not on the host. */
async function reasonOf(name: string): Promise<string> {
  return eventually(`why ${name} does not run`, async () => {
    const found = await (
      await guest()
    ).get<KubernetesObject & { readonly status?: { readonly message?: string; readonly reason?: string } }>(
      `${pods}/${name}`,
    );
    return found?.status?.message;
  });
}

test("an Ingress with somebody else's host is refused, and the name is not served", async () => {
  const said = await refusal(ingresses, {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name: "foreign" },
    spec: {
      ingressClassName: "traefik",
      rules: [
        {
          host: "www.blue.example",
          http: {
            paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: "shop", port: { number: 80 } } } }],
          },
        },
      ],
    },
  });
  assert.match(said, /www\.blue\.example/);
  assert.deepEqual(await onHost(`/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses`, "foreign"), []);
  assert.match(atVisitor("sh", "-c", "curl -sSk https://www.blue.example/ 2>&1; true"), /unrecognized name/);
});

test("a Service of type LoadBalancer is refused", async () => {
  const said = await refusal(services, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "door" },
    spec: { type: "LoadBalancer", selector: { app: "shop" }, ports: [{ port: 8081, targetPort: 8080 }] },
  });
  assert.match(said, /ClusterIP/);
  assert.deepEqual(await onHost(`/api/v1/namespaces/${namespace}/services`, "door"), []);
});

test("a privileged pod is refused in the guest, alone and in the template of a Deployment, and never reaches the host", async () => {
  const privileged = pod("privileged", { securityContext: { privileged: true } });
  const { spec } = privileged;
  const deployment = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "privileged" },
    spec: {
      selector: { matchLabels: { app: "privileged" } },
      template: { metadata: { labels: { app: "privileged" } }, spec },
    },
  };
  assert.match(await refusal(pods, privileged), /privileged/);
  assert.match(await refusal("/apis/apps/v1/namespaces/default/deployments", deployment), /privileged/);
  assert.deepEqual(await onHost(paths.pods.in(namespace), "privileged"), []);
});

test("a pod beyond the tenant's memory never reaches the host, and the guest's pod says why", async () => {
  const large = { resources: { requests: { memory: "3Gi" }, limits: { memory: "3Gi" } } };
  await (await guest()).create(pods, pod("large-1", large));
  // Else the second one might get there first.
  await eventually("the first pod on the host", async () =>
    (await onHost(paths.pods.in(namespace), "large-1")).length === 1 ? true : undefined,
  );
  await (await guest()).create(pods, pod("large-2", large));
  assert.match(await reasonOf("large-2"), /exceeded quota/);
  assert.deepEqual(await onHost(paths.pods.in(namespace), "large-2"), []);
  for (const name of ["large-1", "large-2"]) {
    await (await guest()).delete(`${pods}/${name}`);
  }
});
