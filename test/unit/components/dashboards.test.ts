import assert from "node:assert/strict";
import { before, test } from "node:test";
import { Dashboards } from "../../../components/dashboards.ts";
import { pages } from "../../../components/plan/dashboards/pages.ts";
import { monitoringPolicies } from "../../../components/plan/network/monitoring-policies.ts";
import { grafanaImage } from "../../../infra/versions.ts";
import { type Declared, declared } from "../../../kraft/diff/mocked-resources.ts";

const network = {
  podCidr: "10.42.0.0/16",
  serviceCidr: "10.43.0.0/16",
  nodes: ["192.168.1.11"],
  resolvers: ["192.168.1.1"],
  home: [],
};
let resources: Declared[];

before(async () => {
  resources = await declared("homelab", () => {
    new Dashboards("dashboards", { image: grafanaImage, nodes: [{ memoryGiB: 32 }] });
  });
});

/** The only resources of a kind, by their logical names. */
function ofKind<Fields>(kind: string): ReadonlyMap<string, Fields> {
  const found = resources.filter(({ type }) => type.endsWith(`:${kind}`));
  return new Map(found.map(({ name, inputs }) => [name, inputs as Fields]));
}

interface Deployment {
  readonly spec: {
    readonly template: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: {
        readonly automountServiceAccountToken: boolean;
        readonly serviceAccountName?: string;
        readonly securityContext: { readonly runAsNonRoot: boolean; readonly fsGroup: number };
        readonly containers: readonly {
          readonly image: string;
          readonly securityContext: { readonly readOnlyRootFilesystem: boolean };
          readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
        }[];
        readonly volumes: readonly {
          readonly name: string;
          readonly emptyDir?: object;
          readonly configMap?: { readonly name: string; readonly items?: readonly { readonly key: string }[] };
        }[];
      };
    };
  };
}

test("Grafana runs without a token, as nobody, on a root file system that it cannot write", () => {
  const { spec } = ofKind<Deployment>("Deployment").get("dashboards-grafana") ?? assert.fail();
  const pod = spec.template.spec;
  assert.equal(pod.automountServiceAccountToken, false);
  assert.equal(pod.serviceAccountName, undefined);
  assert.ok(pod.securityContext.runAsNonRoot);
  const [container] = pod.containers;
  assert.match(container?.image ?? "", /^docker\.io\/grafana\/grafana:\d+\.\d+\.\d+$/);
  assert.equal(container?.securityContext.readOnlyRootFilesystem, true);
  const writable = pod.volumes.filter(({ emptyDir }) => emptyDir !== undefined).map(({ name }) => name);
  const mounted = container.volumeMounts.filter(({ name }) => writable.includes(name));
  assert.deepEqual(
    mounted.map(({ mountPath }) => mountPath),
    ["/var/lib/grafana", "/tmp"],
  );
  const [namespace] = ofKind<{ readonly metadata: { readonly labels: Readonly<Record<string, string>> } }>(
    "Namespace",
  ).values();
  assert.equal(namespace?.metadata.labels["pod-security.kubernetes.io/enforce"], "restricted");
});

test("every file that it mounts is there, the page that it opens with too", () => {
  const { spec } = ofKind<Deployment>("Deployment").get("dashboards-grafana") ?? assert.fail();
  const files = new Map(
    [
      ...ofKind<{
        readonly metadata: { readonly name: string };
        readonly data: Readonly<Record<string, string>>;
      }>("ConfigMap").values(),
    ].map(({ metadata, data }) => [metadata.name, data]),
  );
  for (const { configMap } of spec.template.spec.volumes.filter((volume) => volume.configMap !== undefined)) {
    const data = files.get(configMap?.name ?? "") ?? assert.fail(configMap?.name);
    for (const { key } of configMap?.items ?? []) {
      assert.ok(key in data, key);
    }
  }
  const written = files.get("grafana-pages") ?? assert.fail();
  assert.deepEqual(Object.keys(written).sort(), pages.map(({ uid }) => `${uid ?? ""}.json`).sort());
  const settings = files.get("grafana")?.["grafana.ini"] ?? "";
  const home = /^default_home_dashboard_path = \/etc\/kraft-dashboards\/(.*)$/m.exec(settings)?.[1] ?? "";
  assert.ok(home in written, home);
  // An object of Kubernetes has room for a mebibyte.
  assert.ok(JSON.stringify(written).length < 256 * 1024);
});

test("whoever reaches it may only look, and it calls nobody", () => {
  const settings = ofKind<{ readonly data: Readonly<Record<string, string>> }>("ConfigMap").get("dashboards-settings");
  const lines = settings?.data["grafana.ini"]?.split("\n") ?? [];
  for (const line of [
    "org_role = Viewer",
    "disable_login_form = true",
    "disable_initial_admin_creation = true",
    "reporting_enabled = false",
    "check_for_updates = false",
    "check_for_plugin_updates = false",
    "news_feed_enabled = false",
    "preinstall_disabled = true",
    "plugin_admin_enabled = false",
    "disable_gravatar = true",
    "external_enabled = false",
  ]) {
    assert.ok(lines.includes(line), line);
  }
  assert.equal(ofKind("Ingress").size, 0);
  assert.equal(ofKind("Secret").size, 0);
  assert.equal(ofKind("ServiceAccount").size, 0);
});

test("it reaches Prometheus and the cluster's DNS, and nobody reaches it", () => {
  interface Policy {
    readonly metadata: { readonly namespace: string };
    readonly spec: {
      readonly ingress?: readonly object[];
      readonly egress?: readonly {
        readonly to: readonly object[];
        readonly ports: readonly { readonly port: number }[];
      }[];
    };
  }
  const policies = [...ofKind<Policy>("NetworkPolicy").values()];
  assert.ok(policies.every(({ metadata }) => metadata.namespace === "grafana"));
  assert.deepEqual(
    policies.flatMap(({ spec }) => spec.ingress ?? []),
    [],
  );
  assert.deepEqual(
    policies.flatMap(({ spec }) => spec.egress ?? []).map(({ ports }) => ports.map(({ port }) => port)),
    [[53, 53], [9090]],
  );
});

test("Prometheus lets in Grafana's pods where there are dashboards, and no others", () => {
  const ingress = (dashboards: boolean) =>
    monitoringPolicies(network, [443], dashboards).find(({ name }) => name === "prometheus")?.ingress;
  assert.equal(ingress(false), undefined);
  const { spec } = ofKind<Deployment>("Deployment").get("dashboards-grafana") ?? assert.fail();
  const from = {
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "grafana" } },
    podSelector: { matchLabels: spec.template.metadata.labels },
  };
  assert.deepEqual(ingress(true), [{ from: [from], ports: [{ protocol: "TCP", port: 9090 }] }]);
});
