import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { TenantReports } from "../../../components/tenant-reports.ts";
import { kubectlImage } from "../../../infra/versions.ts";
import { type Declared, declared } from "../../../kraft/diff/mocked-resources.ts";

const network = {
  podCidr: "10.42.0.0/16",
  serviceCidr: "10.43.0.0/16",
  nodes: ["192.168.1.11"],
  resolvers: ["192.168.1.1"],
  home: ["203.0.113.7/32"],
};
let resources: Declared[];

class Anything extends pulumi.ComponentResource {}

before(async () => {
  resources = await declared("homelab", () => {
    const tenants = ["acme", "blue"].map((tenant) => ({ tenant, declared: new Anything("kraft:test:Any", tenant) }));
    const monitoring = new Anything("kraft:test:Any", "monitoring");
    new TenantReports("reports", { image: kubectlImage, tenants, network, monitoring });
  });
});

/** The fields of every resource of a type, by its logical name. */
function all<Inputs>(type: string): ReadonlyMap<string, Inputs> {
  const found = resources.filter((resource) => resource.type.endsWith(`:${type}`));
  return new Map(found.map(({ name, inputs }) => [name, inputs as Inputs]));
}

interface Named {
  readonly metadata: { readonly name: string; readonly namespace: string };
}

test("the reporter may write to one Secret of each tenant, and do nothing else", () => {
  interface Role extends Named {
    readonly rules: readonly object[];
  }
  interface Binding extends Named {
    readonly roleRef: { readonly kind: string; readonly name: string };
    readonly subjects: readonly object[];
  }
  const roles = [...all<Role>("Role").values()];
  assert.deepEqual(
    roles.map(({ metadata: { name, namespace }, rules }) => ({ name, namespace, rules })),
    ["acme", "blue"].map((tenant) => ({
      name: "kraft-reporter",
      namespace: `k3k-${tenant}`,
      rules: [{ apiGroups: [""], resources: ["secrets"], resourceNames: [`${tenant}-addons`], verbs: ["patch"] }],
    })),
  );
  for (const { roleRef, subjects } of all<Binding>("RoleBinding").values()) {
    assert.deepEqual([roleRef.kind, roleRef.name], ["Role", "kraft-reporter"]);
    assert.deepEqual(subjects, [{ kind: "ServiceAccount", name: "reporter", namespace: "tenant-reports" }]);
  }
  assert.equal(all("ClusterRole").size + all("ClusterRoleBinding").size, 0);
});

test("it reaches Prometheus, the API server and names, and nobody reaches it", () => {
  interface Policy extends Named {
    readonly spec: { readonly ingress?: readonly object[]; readonly egress?: readonly object[] };
  }
  const policies = [...all<Policy>("NetworkPolicy").values()];
  const own = policies.filter(({ metadata }) => metadata.namespace === "tenant-reports");
  assert.deepEqual(
    own.flatMap(({ spec }) => spec.ingress ?? []),
    [],
  );
  const out = JSON.stringify(own.flatMap(({ spec }) => spec.egress ?? []));
  const ports = [...out.matchAll(/"port":(\d+)/g)].map(([, port]) => Number(port));
  assert.deepEqual([...new Set(ports)].sort(), [443, 53, 6443, 9090]);
  const blocks = [...out.matchAll(/"cidr":"([^"]+)"/g)].map(([, cidr]) => cidr);
  assert.deepEqual(blocks.sort(), ["10.43.0.1/32", "192.168.1.11/32"]);
  const [opened, ...more] = policies.filter(({ metadata }) => metadata.namespace === "monitoring");
  assert.deepEqual(more, []);
  assert.deepEqual(opened?.spec.ingress, [
    {
      from: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "tenant-reports" } } }],
      ports: [{ protocol: "TCP", port: 9090 }],
    },
  ]);
});

test("one run at a time, as nobody, without anything to write to, and not for ever", () => {
  interface Job {
    readonly spec: {
      readonly schedule: string;
      readonly concurrencyPolicy: string;
      readonly jobTemplate: {
        readonly spec: {
          readonly activeDeadlineSeconds: number;
          readonly template: {
            readonly spec: {
              readonly securityContext: { readonly runAsNonRoot: boolean };
              readonly containers: readonly {
                readonly image: string;
                readonly args: readonly string[];
                readonly securityContext: object;
                readonly resources: { readonly limits: { readonly memory: string } };
              }[];
            };
          };
        };
      };
    };
  }
  const { spec } = all<Job>("CronJob").get("reports-job") ?? assert.fail();
  assert.equal(spec.schedule, "*/15 * * * *");
  assert.equal(spec.concurrencyPolicy, "Forbid");
  assert.equal(spec.jobTemplate.spec.activeDeadlineSeconds, 180);
  const pod = spec.jobTemplate.spec.template.spec;
  assert.ok(pod.securityContext.runAsNonRoot);
  assert.deepEqual(
    pod.containers.map(({ image, args, securityContext, resources }) => ({ image, args, securityContext, resources })),
    [
      {
        image: "registry.k8s.io/kubectl:v1.35.4",
        args: [
          "apply",
          "--server-side",
          "--field-manager=kraft-report",
          "--validate=false",
          "--filename=http://prometheus.monitoring.svc:9090/consoles/kraft-use.yaml",
        ],
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        },
        resources: { requests: { cpu: "10m", memory: "48Mi" }, limits: { memory: "128Mi" } },
      },
    ],
  );
});
