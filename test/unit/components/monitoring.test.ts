import assert from "node:assert/strict";
import { before, test } from "node:test";
import { Monitoring } from "../../../components/monitoring.ts";
import { objectProbes } from "../../../components/plan/monitoring/object-probes.ts";
import { tenantAllowance } from "../../../components/plan/size.ts";
import { monitoringImages } from "../../../infra/versions.ts";
import { type Declared, declared } from "../../../kraft/diff/mocked-resources.ts";

const tenants = [
  { tenant: "acme", namespace: "k3k-acme", apiHost: "acme.api.kraft.example", allowance: tenantAllowance("small") },
];
const network = {
  podCidr: "10.42.0.0/16",
  serviceCidr: "10.43.0.0/16",
  nodes: ["192.168.1.11"],
  resolvers: ["192.168.1.1"],
  home: ["203.0.113.7/32"],
};
let resources: Declared[];

before(async () => {
  resources = await declared("homelab", () => {
    new Monitoring("monitoring", {
      images: monitoringImages,
      targets: { ntfy: "https://ntfy.example/kraft", heartbeat: "https://hc.example:8443/x" },
      secrets: { ntfyToken: "tk_secret", emailPassword: undefined, webhookToken: undefined },
      tenants,
      objects: objectProbes({ boundaries: [], tenants: [{ name: "acme", domains: [] }], admission: [], mutating: [] }),
      nodes: [{ memoryGiB: 32 }],
      network,
    });
  });
});

interface PodSpec {
  readonly automountServiceAccountToken: boolean;
  readonly hostNetwork?: boolean;
  readonly securityContext: { readonly runAsNonRoot: boolean };
  readonly containers: readonly {
    readonly image: string;
    readonly securityContext: { readonly readOnlyRootFilesystem: boolean };
    readonly resources: { readonly limits: { readonly memory: string } };
    readonly volumeMounts: readonly {
      readonly name: string;
      readonly mountPath: string;
      readonly readOnly?: boolean;
    }[];
  }[];
  readonly volumes: readonly { readonly name: string; readonly hostPath?: object }[];
}

/** The pods of every workload, by its logical name. */
function pods(): Map<string, PodSpec> {
  const workloads = resources.filter(({ type }) => type.startsWith("kubernetes:apps/v1:"));
  return new Map(
    workloads.map(({ name, inputs }) => [
      name.replace("monitoring-", ""),
      (inputs["spec"] as { template: { spec: PodSpec } }).template.spec,
    ]),
  );
}

/** The fields of one resource. */
function inputsOf(type: string, name: string): unknown {
  const found = resources.find((resource) => resource.type.endsWith(`:${type}`) && resource.name === name);
  return (found ?? assert.fail(`${type} ${name}`)).inputs;
}

test("nothing runs as root or writes to its image, and only what asks the API server has a token", () => {
  const all = pods();
  assert.deepEqual([...all.keys()].sort(), ["alertmanager", "node-exporter", "objects", "probes", "prometheus"]);
  for (const [name, spec] of all) {
    assert.equal(spec.automountServiceAccountToken, ["objects", "prometheus"].includes(name), name);
    assert.equal(spec.hostNetwork, undefined, name);
    assert.ok(spec.securityContext.runAsNonRoot, name);
    for (const container of spec.containers) {
      assert.ok(container.securityContext.readOnlyRootFilesystem, name);
      assert.match(container.resources.limits.memory, /^\d+Mi$/);
      assert.match(container.image, /^quay\.io\/prometheus\/[a-z-]+:v\d+\.\d+\.\d+$/);
      const volumes = spec.volumes.map((volume) => volume.name);
      assert.deepEqual(
        container.volumeMounts.map((mount) => mount.name),
        volumes,
      );
    }
  }
});

test("only the exporter of a node sees its files, and may not write them", () => {
  for (const [name, { containers, volumes }] of pods()) {
    const ofHost = volumes.filter(({ hostPath }) => hostPath !== undefined).map((volume) => volume.name);
    assert.deepEqual(ofHost, name === "node-exporter" ? ["root"] : [], name);
    const mounts = containers.flatMap(({ volumeMounts }) => volumeMounts);
    assert.ok(mounts.filter((mount) => ofHost.includes(mount.name)).every(({ readOnly }) => readOnly === true));
  }
});

test("what watches may find nodes, Ingresses and the pods of two namespaces, read figures, walls and backups, and change nothing", () => {
  interface Role {
    readonly metadata: { readonly namespace?: string };
    readonly rules: readonly {
      readonly resources?: readonly string[];
      readonly nonResourceURLs?: readonly string[];
      readonly verbs: readonly string[];
    }[];
  }
  const roles = resources
    .filter(({ type }) => /:(Cluster)?Role$/.test(type))
    .map(({ inputs }) => inputs as unknown as Role);
  const granted = roles.flatMap(({ metadata: { namespace = "everywhere" }, rules }) =>
    rules.flatMap(({ resources = [], nonResourceURLs = [], verbs }) =>
      [...resources, ...nonResourceURLs].map((what) => `${namespace} ${what} ${verbs.join(",")}`),
    ),
  );
  assert.deepEqual(granted.sort(), [
    "everywhere /metrics get",
    "everywhere ingresses get,list,watch",
    "everywhere mutatingadmissionpolicies get",
    "everywhere mutatingadmissionpolicybindings get",
    "everywhere namespaces get",
    "everywhere networkpolicies list",
    "everywhere nodes get,list,watch",
    "everywhere nodes/metrics get",
    "everywhere validatingadmissionpolicies get",
    "everywhere validatingadmissionpolicybindings get",
    "longhorn-system backups list",
    "longhorn-system backuptargets get",
    "longhorn-system pods get,list,watch",
    "node-exporter pods get,list,watch",
  ]);
});

test("a token is in Alertmanager's Secret, beside a configuration that only names its file", () => {
  // As a whole it is a secret of Pulumi's, in the state too.
  const { stringData } = inputsOf("Secret", "monitoring-alertmanager-config") as {
    readonly stringData: { readonly value: Readonly<Record<string, string>> };
  };
  assert.deepEqual(Object.keys(stringData.value).sort(), ["alertmanager.json", "ntfy-token"]);
  assert.equal(stringData.value["ntfy-token"], "tk_secret");
  assert.doesNotMatch(stringData.value["alertmanager.json"] ?? "", /tk_secret/);
  const shown = JSON.stringify(inputsOf("Deployment", "monitoring-alertmanager"));
  assert.doesNotMatch(shown, /tk_secret/);
});

test("Alertmanager is let out to the internet on its targets' ports, never into the home, and Prometheus never to it", () => {
  interface Policy {
    readonly spec: {
      readonly egress?: readonly {
        readonly to?: readonly object[];
        readonly ports?: readonly { readonly port: number }[];
      }[];
    };
  }
  const out = (inputsOf("NetworkPolicy", "monitoring-network-alertmanager") as Policy).spec.egress ?? [];
  assert.deepEqual(
    out.flatMap(({ ports = [] }) => ports.map(({ port }) => port)),
    [443, 8443],
  );
  const blocks = JSON.stringify(out);
  for (const range of ["192.168.0.0/16", "10.0.0.0/8", "203.0.113.7/32"]) {
    assert.ok(blocks.includes(`"${range}"`), range);
  }
  const { spec } = inputsOf("NetworkPolicy", "monitoring-network-prometheus") as Policy;
  const prometheus = JSON.stringify(spec.egress);
  assert.doesNotMatch(prometheus, /0\.0\.0\.0\/0/);
});
