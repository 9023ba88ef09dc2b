import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { certManagerValues } from "../../../../components/plan/cert-manager-values.ts";
import {
  changeable,
  changedValues,
  type ChartName,
  type ChartValues,
  refusedChanges,
  type ValuesHook,
} from "../../../../components/plan/chart-values.ts";
import { k3kValues } from "../../../../components/plan/k3k-values.ts";
import { longhornValues } from "../../../../components/plan/longhorn-values.ts";
import { metallbValues } from "../../../../components/plan/metallb-values.ts";
import { traefikValues } from "../../../../components/plan/traefik-values.ts";
import { ConfigError } from "../../../../errors/problem.ts";

const traefik = traefikValues({
  namespace: "traefik",
  exposure: "loadBalancer",
  entrypoint: "ingress.kraft.example",
  imageTag: "v3.7.13",
});

const planned: Readonly<Record<ChartName, ChartValues>> = {
  traefik,
  "cert-manager": certManagerValues({ namespace: "cert-manager", nodes: 3 }),
  longhorn: longhornValues({
    nodes: 3,
    dataPath: "/var/lib/longhorn",
    dedicatedDisk: true,
    replicas: 2,
    backupTarget: "s3://kraft-backup@eu-central-2/homelab/",
    backupCredentialSecret: "wasabi-backup",
  }),
  k3k: k3kValues({ podCidr: "10.42.0.0/16", version: "1.2.0-rc4", securityContexts: true }),
  metallb: metallbValues(),
};

/** The values with one of them set, whatever is there; `undefined` takes it out. */
function withValue(values: ChartValues, path: string, value: unknown): ChartValues {
  const [key = "", ...rest] = path.split(".");
  const before = values[key];
  const inner = typeof before === "object" && before !== null && !Array.isArray(before) ? (before as ChartValues) : {};
  return { ...values, [key]: rest.length === 0 ? (value as null) : withValue(inner, rest.join("."), value) };
}

function refusedKeys(chart: ChartName, hook: ValuesHook): string[] {
  return refusedChanges(chart, planned[chart], hook).map(({ key }) => key);
}

describe("a hook may change", () => {
  const allowed: readonly (readonly [ChartName, string, unknown])[] = [
    ["traefik", "nodeSelector", { "example.org/wired": "true" }],
    ["traefik", "nodeSelector", null],
    ["traefik", "tolerations", [{ key: "example.org/edge", operator: "Exists" }]],
    ["traefik", "resources.limits.memory", "1Gi"],
    ["traefik", "resources.limits", null],
    ["traefik", "ports.web.transport.respondingTimeouts.readTimeout", "600s"],
    ["traefik", "ports.websecure.http.maxHeaderBytes", undefined],
    ["cert-manager", "webhook.affinity", { nodeAffinity: {} }],
    ["cert-manager", "global.logLevel", 4],
    ["longhorn", "defaultSettings.logLevel", "Debug"],
    ["longhorn", "longhornUI.tolerations", []],
    ["k3k", "controller.resources.limits.memory", "1Gi"],
    ["metallb", "speaker.nodeSelector", { "example.org/wired": "true" }],
  ];
  for (const [chart, path, value] of allowed) {
    test(`${path} of ${chart} to ${JSON.stringify(value)}`, () => {
      const hook = (values: ChartValues) => withValue(values, path, value);
      assert.deepEqual(changedValues(chart, planned[chart], hook), hook(planned[chart]));
    });
  }

  test("nothing, and then the chart gets what Kraft plans", () => {
    for (const [chart, values] of Object.entries(planned)) {
      assert.equal(changedValues(chart as ChartName, values, undefined), values);
      assert.deepEqual(
        changedValues(chart as ChartName, values, (own) => own),
        values,
      );
    }
  });

  test("a value in place, and the plan stays as it is", () => {
    const hook = (values: typeof traefik) => {
      values.resources.limits.memory = "1Gi";
      return values;
    };
    assert.deepEqual(changedValues("traefik", traefik, hook)["resources"], {
      requests: { cpu: "100m", memory: "128Mi" },
      limits: { memory: "1Gi" },
    });
    assert.equal(traefik.resources.limits.memory, "512Mi");
  });
});

describe("a hook may not change", () => {
  const refused: readonly (readonly [ChartName, string, unknown, string?])[] = [
    // Between tenants.
    ["traefik", "providers.kubernetesCRD.allowCrossNamespace", true],
    ["traefik", "providers.kubernetesCRD.allowExternalNameServices", true],
    ["traefik", "providers.kubernetesCRD.crossProviderNamespaces", []],
    ["traefik", "providers.kubernetesCRD.crossProviderNamespaces", ["traefik", "k3k-acme"]],
    ["traefik", "providers.kubernetesCRD.crossProviderNamespaces", undefined],
    ["traefik", "providers.kubernetesIngress.ingressClass", null],
    ["traefik", "providers.kubernetesIngress.namespaces", ["k3k-acme"]],
    ["traefik", "providers.kubernetesIngress", null],
    ["traefik", "providers", undefined],
    ["traefik", "providers.file.enabled", true],
    ["traefik", "image.tag", "v3.7.12"],
    ["traefik", "core.strictTLSOptions", false],
    ["traefik", "tlsOptions.default.sniStrict", false],
    ["traefik", "api.dashboard", true],
    ["traefik", "ports.websecure.hostPort", 443],
    ["traefik", "service.spec.externalTrafficPolicy", "Cluster"],
    ["traefik", "securityContext.capabilities.add", ["NET_ADMIN"]],
    ["traefik", "serviceAccount.name", "default"],
    ["traefik", "additionalArguments", ["--providers.kubernetescrd.allowCrossNamespace=true"]],
    ["traefik", "env", [{ name: "TRAEFIK_API_INSECURE", value: "true" }]],
    ["traefik", "extraObjects", [{}]],
    ["traefik", "accessLog.fields.headers.defaultMode", "keep"],
    ["traefik", "deployment.additionalContainers", [{ name: "other" }]],
    ["traefik", "hostNetwork", true],
    ["k3k", "host.clusterCIDR", "0.0.0.0/0"],
    ["k3k", "agent.shared.image.tag", "latest"],
    ["k3k", "controller.securityContext", {}, "controller.securityContext.allowPrivilegeEscalation"],
    ["k3k", "controller.extraEnv", [{ name: "A", value: "b" }]],
    ["k3k", "serviceAccount.create", false],
    ["metallb", "loadBalancerClass", ""],
    ["metallb", "crds.enabled", false],
    // Data and backups.
    ["longhorn", "persistence.createStorageClass", true],
    ["longhorn", "persistence.reclaimPolicy", "Delete"],
    ["longhorn", "defaultBackupStore.backupTarget", ""],
    ["longhorn", "defaultBackupStore.backupTarget", null],
    ["longhorn", "defaultBackupStore", null],
    ["longhorn", "defaultSettings", null],
    ["longhorn", "defaultSettings.orphanResourceAutoDeletion", "replica-data;instance"],
    ["longhorn", "defaultSettings.deletingConfirmationFlag", true],
    ["longhorn", "defaultSettings.concurrentReplicaRebuildPerNodeLimit", 0],
    ["longhorn", "defaultSettings.replicaSoftAntiAffinity", true],
    ["longhorn", "networkPolicies.restrictInternalTraffic", false],
    ["cert-manager", "crds.keep", false],
    ["cert-manager", "crds", { enabled: true }, "crds.keep"],
    ["cert-manager", "enableCertificateOwnerRef", true],
    ["cert-manager", "extraArgs", ["--cluster-resource-namespace=k3k-acme"]],
    // What the checks calculate with.
    ["traefik", "resources.requests.cpu", "1"],
    ["traefik", "resources", { limits: { memory: "1Gi" } }, "resources.requests"],
    ["cert-manager", "webhook.replicaCount", 5],
    ["longhorn", "defaultSettings.guaranteedInstanceManagerCPU", "40"],
    ["longhorn", "defaultSettings.backupConcurrentLimit", 20],
  ];
  for (const [chart, path, value, named = path] of refused) {
    test(`${path} of ${chart} to ${JSON.stringify(value)}`, () => {
      const keys = refusedKeys(chart, (values) => withValue(values, path, value));
      assert.ok(keys.includes(`chartValues.${chart}.${named}`), keys.join(", "));
    });
  }

  test("a value that only looks like one it may change", () => {
    for (const values of [{ "resources.limits": { memory: "1Gi" } }, { resourcesX: {} }, { nodeselector: {} }]) {
      const keys = refusedKeys("traefik", (own) => ({ ...own, ...values }));
      assert.equal(keys.length, 1, keys.join(", "));
    }
    assert.deepEqual(
      refusedKeys("traefik", (own) => ({ ...own, "resources.limits": 1 })),
      ['chartValues.traefik."resources.limits"'],
    );
  });

  test("the values as a whole", () => {
    for (const values of [null, undefined, [], "", 1, {}]) {
      assert.notEqual(refusedKeys("traefik", () => values as ChartValues).length, 0, JSON.stringify(values));
    }
  });

  test("anything by a value that is none, not even where it may change it", () => {
    const secret = pulumi.output("1Gi");
    for (const [value, found] of [
      [secret, /^an object of class OutputImpl$/],
      [Promise.resolve({}), /^an object of class Promise$/],
      [new Map(), /^an object of class Map$/],
      [() => ({}), /^a function$/],
      [Number.NaN, /^a number$/],
      ['{{ printf "x\\nhostNetwork: true" }}', /^the template /],
    ] as const) {
      const [problem, ...others] = refusedChanges("traefik", traefik, (values) =>
        withValue(values, "nodeSelector.a", value),
      );
      assert.equal(others.length, 0);
      assert.equal(problem?.key, "chartValues.traefik.nodeSelector.a");
      assert.match(problem.found, found);
    }
  });

  test("a value after it was looked at", () => {
    let reads = 0;
    const values = changedValues("traefik", traefik, (own) => ({
      ...own,
      get api() {
        reads += 1;
        return { dashboard: reads > 1 };
      },
    }));
    assert.deepEqual(values["api"], { dashboard: false });
    assert.equal(reads, 1);
  });

  test("a value through the prototype of its maps", () => {
    const api = Object.create({ dashboard: true }) as ChartValues;
    assert.deepEqual(
      refusedKeys("traefik", (own) => ({ ...own, api })),
      ["chartValues.traefik.api"],
    );
    const forged = JSON.parse('{ "__proto__": { "api": { "dashboard": true } } }') as ChartValues;
    assert.deepEqual(
      refusedKeys("traefik", (own) => Object.fromEntries([...Object.entries(own), ...Object.entries(forged)])),
      ["chartValues.traefik.__proto__.api.dashboard"],
    );
  });
});

test("a refusal names every value, what it was, what is allowed and what to do", () => {
  const hook = (values: typeof traefik) => ({
    ...values,
    api: { dashboard: true },
    providers: { ...values.providers, file: { enabled: true } },
  });
  const error = (() => {
    try {
      return changedValues("traefik", traefik, hook);
    } catch (thrown) {
      return thrown;
    }
  })();
  assert.ok(error instanceof ConfigError);
  const closed = "leave it as it is: the tenant boundary, the tenants' data or the capacity checks depend on it";
  assert.equal(
    error.message,
    [
      "chartValues.traefik has 2 problems. Nothing was changed.",
      `  chartValues.traefik.api.dashboard
    found:   true, where Kraft sets false
    allowed: changes to ${changeable.traefik.join(", ")}
    fix:     ${closed}`,
      `  chartValues.traefik.providers.file.enabled
    found:   true, where Kraft sets nothing
    allowed: changes to ${changeable.traefik.join(", ")}
    fix:     ${closed}`,
    ].join("\n\n"),
  );
});
