import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import type { Api } from "../../../local/api.ts";
import { eventually, type Embedded } from "../embedded.ts";
import type { Guest } from "../guest.ts";
import { attacks } from "./attacks/attacks.ts";
import { assertContains } from "./contains.ts";
import { collectionPath } from "./paths.ts";
import { hostName, synced, type GuestCluster, type KubernetesObject } from "./translate.ts";

interface Found extends KubernetesObject {
  spec?: Record<string, unknown>;
  status?: { phase?: string; message?: string };
}

/** The host, the guest of tenant `acme`, and the host's API server as that guest's kubelet reaches it. */
export interface GuestContext {
  readonly host: Embedded;
  readonly guest: Guest;
  readonly kubelet: Api;
}

/** The guest's namespace; on the host all of the guest is in the one namespace of the tenant. */
const shop = "shop";

/** The policies that are in the guest as well. */
const shared = /ValidatingAdmissionPolicy '(kraft-tenant-(ingresses|services|claims))'/;

const web = { app: "web" };

/** The one refusal of the host's that a guest makes good. */
const classMissing = "spec.ingressClassName must be traefik";

/** Objects of an ordinary application, each named `web`. */
const application: readonly KubernetesObject[] = [
  object("ConfigMap", "v1", { data: { greeting: "hello" } }),
  object("Secret", "v1", { type: "Opaque", data: { password: "c3dvcmRmaXNo" } }),
  object("Service", "v1", { spec: { selector: web, ports: [{ port: 80 }] } }),
  object("PersistentVolumeClaim", "v1", {
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
  }),
  object("Ingress", "networking.k8s.io/v1", {
    spec: {
      ingressClassName: "traefik",
      rules: [rule("shop.acme.test")],
      tls: [{ hosts: ["shop.acme.test"], secretName: "web-tls" }],
    },
  }),
];

const deployment = object("Deployment", "apps/v1", {
  spec: {
    selector: { matchLabels: web },
    template: {
      metadata: { labels: web },
      spec: {
        containers: [
          {
            name: "web",
            image: "registry.example/web:1",
            envFrom: [{ configMapRef: { name: "web" } }, { secretRef: { name: "web" } }],
          },
        ],
      },
    },
  },
});

function object(kind: string, apiVersion: string, content: object, name = "web"): KubernetesObject {
  const annotations = kind === "Ingress" ? { "cert-manager.io/cluster-issuer": "kraft-issuer" } : {};
  return { apiVersion, kind, metadata: { name, namespace: shop, annotations }, ...content };
}

function rule(host: string): object {
  const backend = { service: { name: "web", port: { number: 80 } } };
  return { host, http: { paths: [{ path: "/", pathType: "Prefix", backend }] } };
}

/**
 * Tests in a real guest: what K3k's own kubelet brings to the host, with the rights of its own service account, and what
 * a tenant sees of the boundary.
 *
 * @param context What runs, once it does.
 */
export function guestTests(context: () => GuestContext): void {
  const host = (): Api => context().host.cluster.api;
  const guest = (): Api => context().guest.api;
  let cluster: GuestCluster;

  const create = (wanted: KubernetesObject): Promise<Found> =>
    guest().create<Found>(collectionPath(wanted.kind, shop), wanted);

  const inGuest = (kind: string, name: string): Promise<Found | undefined> =>
    guest().get<Found>(`${collectionPath(kind, shop)}/${name}`);

  /** The host's copy of an object of the guest, once it is there. */
  const onHost = (kind: string, name: string): Promise<Found> =>
    eventually(`${kind} ${name} on the host`, () =>
      host().get<Found>(`${collectionPath(kind, cluster.namespace)}/${hostName(cluster, name, shop)}`),
    );

  /** The object as K3k's kubelet brings it to the host is the one that the lists of this folder are made of. */
  const assertSynced = async (found: Found): Promise<void> => {
    const address = async (suffix: string): Promise<string> => {
      const service = await host().get<{ spec: { clusterIP: string } }>(
        `${collectionPath("Service", cluster.namespace)}/k3k-acme-${suffix}`,
      );
      return service?.spec.clusterIP ?? "";
    };
    const expected = synced(cluster, found, {
      release: "1.1.0",
      priorityClass: "kraft-tenant",
      translateTls: false,
      serverAddress: await address("service"),
      dnsAddress: await address("kube-dns"),
    });
    const { apiVersion: _version, kind: _kind, status: _status, ...rest } = expected;
    assertContains(await onHost(found.kind, found.metadata.name ?? ""), withoutStamps(rest));
  };

  describe("in a real guest", () => {
    before(async () => {
      await guest().create("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: shop } });
      const { metadata } = (await host().get("/apis/k3k.io/v1beta1/namespaces/k3k-acme/clusters/acme")) ?? {};
      cluster = { name: "acme", namespace: "k3k-acme", uid: metadata?.uid ?? "" };
    });

    for (const wanted of application) {
      test(`a ${wanted.kind} is copied to the host as expected`, async () => {
        const found = await create(wanted);
        await assertSynced({ ...found, apiVersion: wanted.apiVersion, kind: wanted.kind });
      });
    }

    test("a claim without a class gets the platform's, and is bound in the guest at once", async () => {
      assert.equal((await onHost("PersistentVolumeClaim", "web")).spec?.["storageClassName"], "kraft-standard");
      await eventually("the claim bound in the guest", async () => {
        const claim = await inGuest("PersistentVolumeClaim", "web");
        return claim?.status?.phase === "Bound" ? claim : undefined;
      });
    });

    test("a Deployment's pod is copied as expected and runs, and the guest sees it run", async () => {
      await create(deployment);
      const pod = await eventually("the pod running in the guest", async () => {
        const pods = await guest().list<Found>(`${collectionPath("Pod", shop)}?labelSelector=app%3Dweb`);
        return pods.find(({ status }) => status?.phase === "Running");
      });
      await assertSynced({ ...pod, apiVersion: "v1", kind: "Pod" });
    });

    test("the host refused the kubelet nothing of this", () => {
      const lines = context().guest.log().split("\n");
      assert.deepEqual(
        lines.filter((line) => line.includes("forbidden")),
        [],
      );
    });

    for (const [target, list] of Object.entries(attacks)) {
      for (const { name, guestObject, object: copy, path, refusal } of list) {
        if (guestObject === undefined || target === "pods") {
          continue;
        }
        test(`the tenant is told at once: ${name}`, async () => {
          const atHost = await context().kubelet.answer("POST", path, copy);
          const policy = shared.exec(atHost.message)?.[1];
          const fresh = { ...guestObject, metadata: { ...guestObject.metadata, name: "attack" } };
          const atGuest = await guest().answer("POST", collectionPath(fresh.kind, shop), fresh);
          if (policy === undefined) {
            // Quotas and limits are the host's alone.
            assert.match(atHost.message, /maximum storage usage/);
          } else if (refusal === classMissing && atGuest.status < 300) {
            // The guest has a default class, which fills in what is missing.
            assert.equal((atGuest.body as Found).spec?.["ingressClassName"], "traefik");
          } else {
            assert.ok(atGuest.message.includes(policy), atGuest.message);
            assert.ok(atGuest.message.includes(refusal), atGuest.message);
          }
        });
      }
    }

    test("a pod that the host refuses says why in the guest", async () => {
      const spec = { hostNetwork: true, containers: [{ name: "web", image: "registry.example/web:1" }] };
      await create(object("Pod", "v1", { spec }, "outside"));
      const pod = await eventually("the reason in the guest", async () => {
        const found = await inGuest("Pod", "outside");
        return found?.status?.message === undefined ? undefined : found;
      });
      assert.match(pod.status?.message ?? "", /violates PodSecurity "baseline:latest": host namespaces/);
    });

    test("a tenant who removes the guest's own policies gets nothing past the host's", async () => {
      const bindings = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings";
      await guest().delete(`${bindings}/kraft-tenant-ingresses`);
      const stolen = object(
        "Ingress",
        "networking.k8s.io/v1",
        {
          spec: { ingressClassName: "traefik", rules: [rule("www.blue.example")] },
        },
        "stolen",
      );
      await eventually("the guest without its policy", () => create(stolen).catch(() => undefined));
      await eventually("the host's refusal", () => {
        const refused = /stolen-shop-acme.*denied request: not within your domains: www\.blue\.example/;
        return Promise.resolve(refused.test(context().guest.log()) ? true : undefined);
      });
      const path = `${collectionPath("Ingress", cluster.namespace)}/${hostName(cluster, "stolen", shop)}`;
      assert.equal(await host().get(path), undefined);
    });
  });
}

/** What only an API server writes, and what the guest's has written by the time that K3k's copy was made. */
function withoutStamps(expected: Record<string, unknown>): Record<string, unknown> {
  const { metadata, spec, ...rest } = structuredClone(expected) as {
    metadata: Record<string, unknown>;
    spec?: Record<string, unknown>;
  };
  for (const stamp of ["creationTimestamp", "generation", "managedFields", "resourceVersion", "uid"]) {
    Reflect.deleteProperty(metadata, stamp);
  }
  return { ...rest, metadata, ...(spec === undefined ? {} : { spec }) };
}
