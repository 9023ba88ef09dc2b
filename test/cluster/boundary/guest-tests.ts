import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { guestPolicies } from "../../../components/plan/admission/policies.ts";
import type { Api } from "../../../local/api.ts";
import { type Embedded, eventually } from "../embedded.ts";
import type { Guest } from "../guest.ts";
import { attacks } from "./attacks/attacks.ts";
import { assertContains } from "./contains.ts";
import { collectionPath } from "./paths.ts";
import { type GuestCluster, hostName, type KubernetesObject, synced } from "./translate.ts";

interface Found extends KubernetesObject {
  spec?: Record<string, unknown>;
  status?: { phase?: string; message?: string };
}

/** The host, and the guest of tenant `acme`. */
export interface GuestContext {
  readonly host: Embedded;
  readonly guest: Guest;
}

/** The guest's namespace; on the host all of the guest is in the one namespace of the tenant. */
const shop = "shop";

/** What the policies inside the guest say. What only the host says is of quotas, of Pod Security, or of names on the host. */
const toldInGuest = guestPolicies({ ingressClassName: "traefik", issuerName: "kraft-issuer" }, "acme", [])
  .flatMap(({ rules }) => rules)
  .flatMap(({ message, messageExpression = "" }) => [message, messageExpression]);

const web = { app: "web" };

/** Whether a guest says this too: the end of a message, after a colon, names what was found. */
function isTold(refusal: string): boolean {
  const [beginning = refusal] = refusal.split(": ");
  return toldInGuest.some((message) => message.includes(beginning));
}

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
  const annotations: Record<string, string> =
    kind === "Ingress" ? { "cert-manager.io/cluster-issuer": "kraft-issuer" } : {};
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
      await guest().apply("/apis/node.k8s.io/v1/runtimeclasses/of-the-operator", {
        apiVersion: "node.k8s.io/v1",
        kind: "RuntimeClass",
        metadata: { name: "of-the-operator" },
        handler: "runc",
      });
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

    test("the host refused the kubelet nothing of this", async () => {
      const { host, guest } = context();
      const claims = await host.cluster.api.list("/api/v1/namespaces/k3k-acme/persistentvolumeclaims");
      // K3k's cache may not have seen yet the claim that K3k has just created. It creates it again, by now with the name of
      // the volume, and the API server asks its policies before it answers that the claim is there already.
      const isSecondCreation = (line: string): boolean => {
        const name = /persistentvolumeclaims \\"([^"\\]+)\\" is forbidden.*spec\.volumeName would take/.exec(line)?.[1];
        return claims.some(({ metadata }) => metadata.name === name);
      };
      assert.deepEqual(
        guest
          .log()
          .split("\n")
          .filter((line) => line.includes("forbidden") && !isSecondCreation(line)),
        [],
      );
    });

    const told = Object.values(attacks)
      .flat()
      .filter(({ guestObject, refusal }) => guestObject !== undefined && isTold(refusal));

    test("most of what a tenant could write is refused in the guest already", () => {
      assert.ok(told.length > 80, String(told.length));
    });

    for (const { name, guestObject, refusal } of told) {
      test(`the tenant is told at once: ${name}`, async () => {
        assert.ok(guestObject);
        const { kind, metadata } = guestObject;
        // The name is taken by the application.
        const fresh = structuredClone(guestObject);
        if (metadata.name === "web") {
          fresh.metadata.name = "attack";
        }
        // As the tenant writes it: the API server looks the number up.
        Reflect.deleteProperty((fresh as Found).spec ?? {}, "priority");
        const { status, message, body } = await guest().answer("POST", collectionPath(kind, metadata.namespace), fresh);
        if (refusal === classMissing && status < 300) {
          // The guest has a default class, which fills in what is missing.
          assert.equal((body as Found).spec?.["ingressClassName"], "traefik");
        } else {
          assert.match(message, /ValidatingAdmissionPolicy 'kraft-tenant-/);
          assert.ok(message.includes(refusal), message);
        }
      });
    }

    test("a pod that the host refuses says why in the guest", async () => {
      // Each is within what the tenant has, and its scheduler has nothing against it: only the sum is too much.
      const resources = { requests: { memory: "3Gi" } };
      const spec = { containers: [{ name: "web", image: "registry.example/web:1", resources }] };
      await create(object("Pod", "v1", { spec }, "inside"));
      await onHost("Pod", "inside");
      await create(object("Pod", "v1", { spec }, "outside"));
      const pod = await eventually("the reason in the guest", async () => {
        const found = await inGuest("Pod", "outside");
        return found?.status?.message === undefined ? undefined : found;
      });
      assert.match(pod.status?.message ?? "", /exceeded quota: k3k-tenant-acme, requested: requests\.memory=3Gi/);
      for (const name of ["inside", "outside"]) {
        await guest().delete(`${collectionPath("Pod", shop)}/${name}`);
      }
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
