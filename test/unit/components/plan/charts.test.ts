import assert from "node:assert/strict";
import { test } from "node:test";
import { wasabiEndpoint } from "../../../../components/plan/backup-store.ts";
import { issuerSpec } from "../../../../components/plan/cert-manager-values.ts";
import { chartReference } from "../../../../components/plan/chart.ts";
import { backupTargetUrl, longhornValues } from "../../../../components/plan/longhorn-values.ts";
import { metallbValues } from "../../../../components/plan/metallb-values.ts";
import { podSecurity } from "../../../../components/plan/pod-security.ts";
import { traefikValues } from "../../../../components/plan/traefik-values.ts";

const pin = { chart: "longhorn", version: "1.12.1", repository: "https://charts.longhorn.io" };

test("where a chart comes from", () => {
  assert.deepEqual(chartReference(pin, { source: "upstream" }), {
    chart: "longhorn",
    version: "1.12.1",
    repositoryOpts: { repo: "https://charts.longhorn.io" },
  });
  assert.deepEqual(chartReference(pin, { source: "folder", path: "./charts/" }), {
    chart: "./charts/longhorn-1.12.1.tgz",
  });
  assert.deepEqual(chartReference(pin, { source: "oci", registry: "oci://registry.example/charts" }), {
    chart: "oci://registry.example/charts/longhorn",
    version: "1.12.1",
  });
});

function traefik(exposure: "loadBalancer" | "hostPort") {
  const values = traefikValues({
    namespace: "traefik",
    exposure,
    entrypoint: "ingress.kraft.example",
    imageTag: "v3.7.13",
  });
  return values as {
    providers: Record<"kubernetesCRD" | "kubernetesIngress", Record<string, unknown>>;
    ports: Record<"web" | "websecure", Record<string, unknown>>;
    service: { spec: Record<string, unknown> };
  };
}

test("Traefik lets nobody but the platform refer across providers: an empty list would mean everybody", () => {
  const { providers } = traefik("loadBalancer");
  assert.deepEqual(providers.kubernetesCRD["crossProviderNamespaces"], ["traefik"]);
  assert.deepEqual(providers.kubernetesIngress["crossProviderNamespaces"], ["traefik"]);
  assert.equal(providers.kubernetesCRD["allowCrossNamespace"], false);
});

test("ACME's challenges pass the redirect to https", () => {
  assert.equal(traefik("loadBalancer").ports.web["allowACMEByPass"], true);
});

test("host ports only where there is one node, and Pod Security follows", () => {
  const many = traefik("loadBalancer");
  assert.equal(many.service.spec["type"], "LoadBalancer");
  assert.equal(many.ports.web["hostPort"], undefined);
  assert.equal(podSecurity.traefik.loadBalancer.level, "restricted");
  const one = traefik("hostPort");
  assert.equal(one.service.spec["type"], "ClusterIP");
  assert.deepEqual([one.ports.web["hostPort"], one.ports.websecure["hostPort"]], [80, 443]);
  assert.equal(podSecurity.traefik.hostPort.level, "privileged");
});

test("with an address of its own Traefik's Service is MetalLB's, and nobody else's", () => {
  const values = traefikValues({
    namespace: "traefik",
    exposure: "loadBalancer",
    entrypoint: "ingress.kraft.example",
    address: "192.168.1.250",
    imageTag: "v3.7.13",
  }) as { service: { annotations: Record<string, string>; spec: Record<string, unknown> } };
  const { annotations, spec } = values.service;
  const { loadBalancerClass } = metallbValues();
  assert.equal(annotations["metallb.io/loadBalancerIPs"], "192.168.1.250");
  assert.deepEqual(spec, { type: "LoadBalancer", externalTrafficPolicy: "Local", loadBalancerClass });
  assert.equal(traefik("loadBalancer").service.spec["loadBalancerClass"], undefined);
});

test("the issuer solves HTTP-01 alone, by a Service that the tenants' quota allows", () => {
  const { acme } = issuerSpec({ ingressClassName: "traefik", directory: "https://ca.example/directory" });
  assert.equal(acme.email, undefined);
  assert.deepEqual(
    acme.solvers.map((solver) => Object.keys(JSON.parse(JSON.stringify(solver)) as object)),
    [["http01"]],
  );
  assert.equal(acme.solvers[0]?.http01.ingress.serviceType, "ClusterIP");
});

test("cert-manager looks before the authority does, unless the house cannot reach its own address", () => {
  const solver = (hairpin?: boolean) =>
    issuerSpec({ ingressClassName: "traefik", directory: "https://ca.example/directory", hairpin }).acme.solvers[0];
  assert.equal(solver()?.waitInsteadOfSelfCheck, undefined);
  assert.equal(solver(false)?.waitInsteadOfSelfCheck, "30s");
});

test("Longhorn's target ends in the slash it needs, at the endpoint of its region", () => {
  assert.equal(
    backupTargetUrl({ bucket: "kraft-backup", region: "eu-central-2", prefix: "homelab" }),
    "s3://kraft-backup@eu-central-2/homelab/",
  );
  assert.equal(wasabiEndpoint("eu-central-2"), "https://s3.eu-central-2.wasabisys.com");
});

test("on one node Longhorn may be drained and creates volumes; on three it keeps their copies apart", () => {
  const settings = (nodes: number) =>
    longhornValues({
      nodes,
      dataPath: "/var/lib/longhorn",
      dedicatedDisk: true,
      replicas: 1,
      backupTarget: "s3://b@r/p/",
      backupCredentialSecret: "wasabi-backup",
    }).defaultSettings as Record<string, unknown>;
  assert.equal(settings(1)["nodeDrainPolicy"], "allow-if-replica-is-stopped");
  assert.equal(settings(1)["allowVolumeCreationWithDegradedAvailability"], true);
  assert.equal(settings(3)["nodeDrainPolicy"], "block-if-contains-last-replica");
  assert.equal(settings(3)["allowVolumeCreationWithDegradedAvailability"], false);
  for (const nodes of [1, 3]) {
    assert.equal(settings(nodes)["replicaSoftAntiAffinity"], false);
    assert.equal(settings(nodes)["deletingConfirmationFlag"], undefined);
  }
});
