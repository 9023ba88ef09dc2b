// What the operator writes into a tenant's namespace: with Pulumi, and by hand for a restore.
import { guestToken, syncConfig } from "../../../../components/plan/guest.ts";
import { tenantLabel, tenantNames } from "../../../../components/plan/names.ts";
import {
  datastoreStorage,
  k3kQuota,
  kubeletMemory,
  objectQuota,
  serverMemory,
  tenantAllowance,
} from "../../../../components/plan/size.ts";
import { classLimits, defaultStorageClass, tenantClasses } from "../../../../components/plan/storage.ts";
import { type KubernetesObject, type Metadata, safeConcatName } from "../translate.ts";
import { type Host, type LegitimateObject, nameOnHost } from "./entry.ts";

/** A tenant as components/tenant.ts declares it, and what a restore takes. */
export function operatorObjects(host: Host): LegitimateObject[] {
  const entry = (name: string, source: string, object: KubernetesObject): LegitimateObject => ({
    name: `the operator's ${name}`,
    source,
    as: "operator",
    object,
  });
  const { namespace, name: tenant } = host.cluster;
  const names = tenantNames(tenant);
  const declared = (name: string): Metadata => ({ name, namespace, labels: { [tenantLabel]: tenant } });
  const tenantSource = "Kraft components/tenant.ts";
  const restoreSource =
    "Longhorn docs 1.12, Restore from a Backup; the runbook's order: volume, PersistentVolume, claim";
  const restored = nameOnHost(host, "data", "data-db-0");
  return [
    entry("token of the guest's K3s", tenantSource, {
      apiVersion: "v1",
      kind: "Secret",
      metadata: declared(names.tokenSecret),
      immutable: true,
      stringData: { token: guestToken("0".repeat(32), tenant) },
    }),
    entry("manifests for the guest", tenantSource, {
      apiVersion: "v1",
      kind: "Secret",
      metadata: declared(names.addonsSecret),
      stringData: { "ingress-class.yaml": "apiVersion: networking.k8s.io/v1\nkind: IngressClass\n" },
    }),
    entry("Cluster", tenantSource, {
      apiVersion: "k3k.io/v1beta1",
      kind: "Cluster",
      metadata: declared(names.cluster),
      spec: {
        mode: "shared",
        version: "v1.35.4-k3s1",
        servers: 1,
        agents: 0,
        clusterCIDR: "10.42.0.0/16",
        serviceCIDR: "10.43.0.0/16",
        clusterDNS: "10.43.0.10",
        tlsSANs: ["acme.k8s.kraft.test"],
        tokenSecretRef: { name: names.tokenSecret, namespace },
        persistence: {
          type: "dynamic",
          storageClassName: defaultStorageClass,
          storageRequestSize: datastoreStorage,
        },
        serverLimit: { memory: serverMemory },
        workerLimit: { memory: kubeletMemory },
        addons: [{ secretNamespace: namespace, secretRef: names.addonsSecret }],
        sync: syncConfig(tenantClasses("standard").selector),
        ...(host.serverPriorityClass === undefined ? {} : { priorityClass: host.serverPriorityClass }),
      },
    }),
    entry("route to the guest's API server", tenantSource, {
      apiVersion: "traefik.io/v1alpha1",
      kind: "IngressRouteTCP",
      metadata: declared(`${tenant}-api`),
      spec: {
        entryPoints: ["websecure"],
        routes: [{ match: "HostSNI(`acme.k8s.kraft.test`)", services: [{ name: names.apiService, port: 443 }] }],
        tls: { passthrough: true },
      },
    }),
    entry("a public port that leads to a Service which is not there yet", tenantSource, {
      apiVersion: "traefik.io/v1alpha1",
      kind: "IngressRouteTCP",
      metadata: declared(`${tenant}-port-25566-tcp`),
      spec: {
        entryPoints: ["port-25566-tcp"],
        routes: [{ match: "HostSNI(`*`)", services: [{ name: "minecraft-games-acme-6d696e6563", port: 25565 }] }],
      },
    }),
    entry("a public port of UDP", tenantSource, {
      apiVersion: "traefik.io/v1alpha1",
      kind: "IngressRouteUDP",
      metadata: declared(`${tenant}-port-25566-udp`),
      spec: {
        entryPoints: ["port-25566-udp"],
        routes: [{ services: [{ name: "factorio-games-acme-666163746f", port: 34197 }] }],
      },
    }),
    entry("quota on what K3k needs", tenantSource, {
      apiVersion: "v1",
      kind: "ResourceQuota",
      metadata: declared("kraft-k3k"),
      spec: k3kQuota(3),
    }),
    entry("quota on objects", tenantSource, {
      apiVersion: "v1",
      kind: "ResourceQuota",
      metadata: declared("kraft-objects"),
      spec: objectQuota(tenantAllowance("small"), classLimits("standard", datastoreStorage)),
    }),
    entry("default service account, which mounts no token", tenantSource, {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: declared("default"),
      automountServiceAccountToken: false,
    }),
    entry("NetworkPolicy", "Kraft components/network-boundary.ts, in short", {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: declared("kraft-tenant"),
      spec: { podSelector: {}, policyTypes: ["Ingress"], ingress: [{ from: [{ podSelector: {} }] }] },
    }),
    entry(
      "claim on a restored volume, under the name that K3k will look for",
      restoreSource,
      restoredClaim({ name: restored, namespace }, "pvc-6f0c2a9e-51d7-4f0b-9c0d-2b6a7e8f9d10", "kraft-critical", "1Gi"),
    ),
    entry(
      "claim on the restored datastore of the guest",
      restoreSource,
      restoredClaim(
        { name: names.datastoreClaim, namespace, labels: { cluster: tenant, role: "server" } },
        "pvc-0d9b7c55-2f7e-4a4e-8a4b-5c3d2e1f0a99",
        defaultStorageClass,
        datastoreStorage,
      ),
    ),
    entry("pod that looks at a restored volume", "Kraft runbook, restore: verify before the guest starts", {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "restore-check", namespace },
      spec: {
        automountServiceAccountToken: false,
        restartPolicy: "Never",
        volumes: [{ name: "data", persistentVolumeClaim: { claimName: restored, readOnly: true } }],
        containers: [
          {
            name: "check",
            image: "busybox:1.37",
            command: ["ls", "-l", "/data"],
            resources: { requests: { cpu: "10m", memory: "16Mi" }, limits: { memory: "64Mi" } },
            volumeMounts: [{ name: "data", mountPath: "/data", readOnly: true }],
          },
        ],
      },
    }),
    entry("kubeconfig for the tenant, kept beside K3k's", "Kraft docs, hand a tenant its kubeconfig", {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: safeConcatName(tenant, "kubeconfig"), namespace },
      stringData: { "kubeconfig.yaml": "apiVersion: v1\nkind: Config\n" },
    }),
  ];
}

function restoredClaim(
  metadata: Metadata,
  volumeName: string,
  storageClassName: string,
  storage: string,
): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata,
    spec: { accessModes: ["ReadWriteOnce"], storageClassName, volumeName, resources: { requests: { storage } } },
  };
}
