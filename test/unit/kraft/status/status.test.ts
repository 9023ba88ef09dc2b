import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Volume } from "../../../../cluster/objects.ts";
import { schedules } from "../../../../components/plan/storage.ts";
import { Style } from "../../../../kraft/cli/output.ts";
import type { LookedInto } from "../../../../kraft/status/lost-pods.ts";
import { statusMetrics } from "../../../../kraft/status/prometheus.ts";
import type { DeclaredTenant, Observed, Status } from "../../../../kraft/status/report.ts";
import { judge } from "../../../../kraft/status/status.ts";
import { statusText } from "../../../../kraft/status/text.ts";
import { stacks } from "../../../../stacks/index.ts";

const stack = stacks.get("homelab") ?? assert.fail("no stack homelab");
const now = new Date("2026-11-23T12:00:00Z");

function hoursAgo(hours: number): string {
  return new Date(now.getTime() - hours * 3_600_000).toISOString();
}

const ready = [{ type: "Ready", status: "True" }];

function workload(namespace: string, name: string) {
  return { metadata: { name, namespace }, spec: { replicas: 2 }, status: { readyReplicas: 2 } };
}

function volume(name: string, changes: Partial<Volume["status"]> = {}, group = "standard"): Volume {
  return {
    metadata: {
      name,
      creationTimestamp: hoursAgo(1000),
      labels: group === "" ? {} : { [`recurring-job-group.longhorn.io/${group}`]: "enabled" },
    },
    spec: { size: "5368709120" },
    status: {
      state: "attached",
      robustness: "healthy",
      lastBackupAt: hoursAgo(11),
      kubernetesStatus: { namespace: "k3k-acme", pvcName: "data-shop-acme-6a6b6c", pvStatus: "Bound" },
      ...changes,
    },
  };
}

/** A cluster in which all is well. */
const well: Observed = {
  nodes: stack.nodes.map(({ name }) => ({
    metadata: { name },
    status: { nodeInfo: { kubeletVersion: "v1.35.6+k3s1" }, conditions: ready },
  })),
  namespaces: [{ metadata: { name: "k3k-acme", creationTimestamp: hoursAgo(24 * 30) } }],
  deployments: [workload("cert-manager", "cert-manager"), workload("k3k-system", "k3k"), workload("other", "other")],
  daemonSets: [
    { metadata: { namespace: "traefik", name: "traefik" }, status: { desiredNumberScheduled: 3, numberReady: 3 } },
    {
      metadata: { namespace: "longhorn-system", name: "longhorn-manager" },
      status: { desiredNumberScheduled: 3, numberReady: 3 },
    },
  ],
  clusters: [{ metadata: { name: "acme", namespace: "k3k-acme" }, status: { phase: "Ready", conditions: ready } }],
  nameServers: [
    {
      metadata: { name: "coredns-1", namespace: "k3k-acme", labels: { "k3k.io/clusterName": "acme" } },
      status: { conditions: ready },
    },
    { metadata: { name: "coredns-2", namespace: "kube-system" } },
  ],
  quotas: [
    {
      metadata: { name: "kraft-k3k", namespace: "k3k-acme" },
      status: { hard: { "requests.cpu": "650m" }, used: { "requests.cpu": "400m" } },
    },
    {
      metadata: { name: "k3k-tenant-acme", namespace: "k3k-acme" },
      status: {
        hard: { "requests.cpu": "2", "requests.memory": "4Gi", pods: "30" },
        used: { "requests.cpu": "500m", "requests.memory": "1Gi", pods: "3" },
      },
    },
    {
      metadata: { name: "kraft-objects", namespace: "k3k-acme" },
      status: { hard: { "requests.storage": "55Gi" }, used: { "requests.storage": "10Gi" } },
    },
  ],
  recurringJobs: schedules.map(({ name, task, cron, groups, retain }) => ({
    metadata: { name },
    spec: { task, cron, groups, retain },
  })),
  backupTargets: [
    {
      metadata: { name: "default" },
      spec: { backupTargetURL: "s3://kraft-backup@eu-central-2/homelab/" },
      status: { available: true, lastSyncedAt: hoursAgo(0.05) },
    },
  ],
  volumes: [
    volume("pvc-1"),
    volume("pvc-2", { kubernetesStatus: { namespace: "k3k-acme", pvcName: "varlibrancherk3s-k3k-acme-server-0" } }),
  ],
  claims: [
    {
      metadata: {
        name: "data-shop-acme-6a6b6c",
        namespace: "k3k-acme",
        annotations: { "k3k.io/name": "data", "k3k.io/namespace": "shop" },
      },
      spec: { volumeName: "pvc-1" },
    },
    {
      metadata: { name: "varlibrancherk3s-k3k-acme-server-0", namespace: "k3k-acme" },
      spec: { volumeName: "pvc-2" },
    },
  ],
  persistentVolumes: [],
  certificates: [
    {
      metadata: { name: "shop-tls", namespace: "k3k-acme" },
      spec: { dnsNames: ["shop.acme.example"] },
      status: { notAfter: hoursAgo(-1440), renewalTime: hoursAgo(-720), conditions: ready },
    },
  ],
  issuers: [{ metadata: { name: "kraft-issuer" }, status: { conditions: ready } }],
  orders: [],
  challenges: [],
  ingresses: [
    { metadata: { name: "shop-1", namespace: "k3k-acme" }, spec: { rules: [{ host: "shop.acme.example" }] } },
  ],
};

function active(name: string): DeclaredTenant {
  return { name, state: "active" };
}

function statusOf(
  changes: Partial<Observed>,
  tenants: readonly DeclaredTenant[] = [active("acme")],
  entry?: string,
  guests?: LookedInto,
): Status {
  const expected = { stack, tenants, leaveOut: [], entry, context: "kraft-homelab", uid: "1", versions: [] };
  return judge({ ...well, ...changes }, expected, now, guests);
}

function problems(changes: Partial<Observed>, tenants?: readonly DeclaredTenant[]): string[] {
  return statusOf(changes, tenants).problems.map(({ subject, message }) => `${subject}: ${message}`);
}

test("of guests that were looked into, what the host does not have and who did not answer", () => {
  const acme = { inGuest: [], onHost: [] };
  assert.deepEqual(statusOf({}, undefined, undefined, new Map([["acme", acme]])).problems, []);
  const silent = new Map([["acme", "https://k3k-acme-service.k3k-acme:6443 does not answer"]]);
  assert.deepEqual(statusOf({}, undefined, undefined, silent).problems, [
    {
      subject: "tenant acme",
      message: "its guest could not be looked into: https://k3k-acme-service.k3k-acme:6443 does not answer",
      severity: "warning",
    },
  ]);
});

test("all is well", () => {
  const status = statusOf({});
  assert.deepEqual(status.problems, []);
  assert.equal(status.ok, true);
  assert.deepEqual(status.tenants, [
    {
      name: "acme",
      declared: true,
      state: "active",
      awaitedFrom: null,
      movedTo: null,
      phase: "Ready",
      quota: {
        cpu: { used: "500m", hard: "2" },
        memory: { used: "1Gi", hard: "4Gi" },
        storage: { used: "10Gi", hard: "55Gi" },
        pods: { used: "3", hard: "30" },
      },
      lastProvenRestorableAt: null,
      kubeconfigEndsAt: null,
    },
  ]);
  assert.deepEqual(
    status.backups.volumes.map(({ tenant, claim, backupEveryHours }) => [tenant, claim, backupEveryHours]),
    [
      ["acme", "datastore", 24],
      ["acme", "shop/data", 24],
    ],
  );
});

test("a name that is still served after its domain was taken from the tenant", () => {
  const namespaces = (domains: string): Observed["namespaces"] => [
    { metadata: { name: "k3k-acme", annotations: { "kraft.dev/domains": domains } } },
  ];
  assert.deepEqual(problems({ namespaces: namespaces("other.example,acme.example") }), []);
  assert.deepEqual(problems({ namespaces: namespaces("other.example") }), [
    "tenant acme: serves shop.acme.example, which is under none of the tenant's domains any more: " +
      "kubectl delete ingress shop-1 --namespace k3k-acme",
  ]);
});

test("the text", () => {
  assert.equal(
    statusText(statusOf({}), stack.description, new Style(false), "Europe/Berlin").join("\n"),
    `homelab: three Dell OptiPlex Micros on k3s
  context kraft-homelab, 2026-11-23 12:00 UTC

Nodes
  node        state  kubelet
  optiplex-1  ready  v1.35.6+k3s1
  optiplex-2  ready  v1.35.6+k3s1
  optiplex-3  ready  v1.35.6+k3s1

Platform
  namespace        name              kind        ready
  cert-manager     cert-manager      Deployment  2/2
  k3k-system       k3k               Deployment  2/2
  longhorn-system  longhorn-manager  DaemonSet   3/3
  traefik          traefik           DaemonSet   3/3

Tenants
  tenant  guest  CPU        memory      volumes       pods     proven restorable
  acme    Ready  500m of 2  1Gi of 4Gi  10Gi of 55Gi  3 of 30  never

Schedules: Longhorn runs them in UTC; times are those of Europe/Berlin
  schedule             cron in UTC   UTC+1                       UTC+2                       volumes in                   kept
  backup-daily         45 0 * * *    01:45                       02:45                       default, standard            30
  backup-six-hourly    15 */6 * * *  01:15, 07:15, 13:15, 19:15  02:15, 08:15, 14:15, 20:15  critical                     28
  backup-weekly        0 2 * * 6     Saturday 03:00              Saturday 04:00              all                          13
  cleanup-daily        30 4 * * *    05:30                       06:30                       all                          -
  snapshot-daily       37 1 * * *    02:37                       03:37                       bulk                         3
  snapshot-hourly      7 * * * *     every hour, at :07          every hour, at :07          critical, default, standard  24
  system-backup-daily  0 6 * * *     07:00                       08:00                       -                            14
  trim-weekly          0 5 * * 0     Sunday 06:00                Sunday 07:00                all, kraft-none              -

Volumes
  tenant  claim      size  state    last backup
  acme    datastore  5Gi   healthy  11 h ago
  acme    shop/data  5Gi   healthy  11 h ago

Certificates
  namespace  certificate  hosts              state  expires
  k3k-acme   shop-tls     shop.acme.example  ready  in 60 days

Backup target: s3://kraft-backup@eu-central-2/homelab/, available, looked at 3 min ago

All is well.`,
  );
});

test("the text ends with what is wrong", () => {
  const text = statusText(
    statusOf({ clusters: [], volumes: [] }),
    stack.description,
    new Style(false),
    "Europe/Berlin",
  );
  assert.deepEqual(text.slice(-2), [
    "1 thing is wrong",
    "  tenant acme: is in the stack file, but has no Cluster: run pulumi up",
  ]);
  assert.deepEqual(text.slice(text.indexOf("Volumes"), text.indexOf("Volumes") + 2), ["Volumes", "  none"]);
});

/** A certificate in its second issue, and where it and the issuer's account come from. */
function authorities({
  issued,
  account,
  revision = "2",
  issuer = "kraft-issuer",
}: {
  readonly issued: string;
  readonly account: string;
  readonly revision?: string;
  readonly issuer?: string;
}): Partial<Observed> {
  const [certificate] = well.certificates;
  return {
    certificates: [
      {
        metadata: { name: "shop-tls", namespace: "k3k-acme" },
        spec: { dnsNames: ["shop.acme.example"], secretName: "shop-tls" },
        status: { ...certificate?.status, revision: 2 },
      },
    ],
    orders: [
      {
        metadata: {
          name: "shop-tls-2-1",
          namespace: "k3k-acme",
          annotations: {
            "cert-manager.io/certificate-name": "shop-tls",
            "cert-manager.io/certificate-revision": revision,
          },
        },
        spec: { issuerRef: { kind: "ClusterIssuer", name: issuer } },
        status: { url: issued },
      },
    ],
    issuers: [{ metadata: { name: "kraft-issuer" }, status: { conditions: ready, acme: { uri: account } } }],
  };
}

describe("what is wrong", () => {
  const [node, ...nodes] = well.nodes;
  const [certificate] = well.certificates;
  const notReady = (type: string, message: string) => [{ type, status: "False", message }];
  const cases: Readonly<Record<string, readonly [Partial<Observed>, readonly string[], (readonly DeclaredTenant[])?]>> =
    {
      "a node that is not there": [{ nodes }, ["node optiplex-1: is of stack homelab, but not in the cluster"]],
      "a node that is not ready, with a full disk": [
        {
          nodes: [
            {
              metadata: { name: "optiplex-1" },
              status: {
                conditions: [
                  { type: "DiskPressure", status: "True", message: "no space" },
                  ...notReady("Ready", "kubelet stopped posting"),
                ],
              },
            },
            ...nodes,
          ],
        },
        ["node optiplex-1: is not ready: kubelet stopped posting", "node optiplex-1: DiskPressure: no space"],
      ],
      "a node of no stack is no fault": [{ nodes: [...well.nodes, { ...node, metadata: { name: "spare" } }] }, []],
      "nothing of the platform": [
        { deployments: [], daemonSets: [] },
        ["cert-manager", "k3k-system", "longhorn-system", "traefik"].map(
          (name) => `namespace ${name}: has no Deployment and no DaemonSet: nothing runs`,
        ),
      ],
      "a Deployment half ready": [
        {
          deployments: [
            workload("k3k-system", "k3k"),
            { ...workload("cert-manager", "cert-manager"), status: { readyReplicas: 1 } },
          ],
        },
        ["Deployment cert-manager/cert-manager: 1 of 2 ready"],
      ],
      "a tenant that is being deleted": [
        {
          clusters: [
            {
              metadata: { name: "acme", namespace: "k3k-acme", deletionTimestamp: hoursAgo(1) },
              status: { phase: "Terminating" },
            },
          ],
        },
        [
          "tenant acme: its Cluster IS BEING DELETED, and its volume claims go with it",
          "tenant acme: its Cluster is Terminating",
        ],
      ],
      "a tenant that is only in the cluster, one that is only in the file": [
        {},
        [
          "tenant acme: has a Cluster, but is not in the stack file",
          "tenant blue: is in the stack file, but has no Cluster: run pulumi up",
        ],
        [active("blue")],
      ],
      "a guest that K3k has not seen": [
        { clusters: [{ metadata: { name: "acme", namespace: "k3k-acme" } }] },
        ["tenant acme: K3k has not seen its Cluster yet"],
      ],
      "a guest whose kubelet runs on one node less": [
        {
          daemonSets: [
            ...well.daemonSets,
            {
              metadata: { name: "k3k-acme-kubelet", namespace: "k3k-acme" },
              status: { desiredNumberScheduled: 3, numberReady: 2 },
            },
          ],
        },
        ["tenant acme: K3k's kubelet of its guest: 2 of 3 ready"],
      ],
      "a guest without names": [
        { nameServers: [{ metadata: { name: "coredns-1", namespace: "k3k-acme" }, status: {} }] },
        ["tenant acme: the name server of its guest is not ready: kubectl -n k3k-acme get pods -l k8s-app=kube-dns"],
      ],
      "a guest whose names nobody finds": [
        { nameServers: [{ metadata: { name: "coredns-1", namespace: "k3k-acme" }, status: { conditions: ready } }] },
        [
          "tenant acme: no pod of its guest finds a name: K3k took the label from the guest's name server. Delete it in the guest, where it is made anew: kubectl -n kube-system delete pod -l k8s-app=kube-dns",
        ],
      ],
      "a guest that has no name server yet, or never wanted one": [{ nameServers: [] }, []],
      "no backup target": [{ backupTargets: [] }, ["backup target: Longhorn has none: nothing leaves the house"]],
      "a backup target that does not answer": [
        {
          backupTargets: [
            {
              metadata: { name: "default" },
              spec: { backupTargetURL: "s3://x" },
              status: { available: false, conditions: [{ type: "Unavailable", status: "True", message: "403" }] },
            },
          ],
        },
        ["backup target: s3://x is not available: 403"],
      ],
      "a schedule that is not there": [
        { recurringJobs: well.recurringJobs.filter(({ metadata }) => metadata.name !== "backup-daily") },
        ["schedule backup-daily: is not in the cluster: run pulumi up"],
      ],
      "a daily backup may be half a day late": [{ volumes: [volume("pvc-1", { lastBackupAt: hoursAgo(35) })] }, []],
      "a daily backup that is later": [
        { volumes: [volume("pvc-1", { lastBackupAt: hoursAgo(37) })] },
        ["volume shop/data of acme: last backup 37 h ago, due every 24 h"],
      ],
      "a weekly one is not late by then": [{ volumes: [volume("pvc-1", { lastBackupAt: hoursAgo(37) }, "bulk")] }, []],
      "a volume that was never backed up": [
        { volumes: [volume("pvc-1", { lastBackupAt: "" })] },
        ["volume shop/data of acme: never backed up, and is 41 days old"],
      ],
      "a volume without a group is Longhorn's default": [{ volumes: [volume("pvc-1", {}, "")] }, []],
      "a group without backups": [
        { volumes: [volume("pvc-1", {}, "none")] },
        ["volume shop/data of acme: no schedule makes backups of it"],
      ],
      "a volume that lost a copy, one that lost all": [
        { volumes: [volume("pvc-1", { robustness: "degraded" }), volume("pvc-2", { robustness: "faulted" })] },
        [
          "volume shop/data of acme: degraded: a copy is missing",
          "volume shop/data of acme: FAULTED: no copy of it is usable",
        ],
      ],
      "no issuer": [{ issuers: [] }, ["issuer kraft-issuer: is not in the cluster: run pulumi up"]],
      "an issuer that the authority refused": [
        { issuers: [{ metadata: { name: "kraft-issuer" }, status: { conditions: notReady("Ready", "no account") } }] },
        ["issuer kraft-issuer: is not ready: no account"],
      ],
      "a certificate that expired": [
        {
          certificates: [
            { ...certificate, metadata: { name: "a" }, status: { notAfter: hoursAgo(3), conditions: ready } },
          ],
        },
        ["certificate /a: EXPIRED 3 h ago"],
      ],
      "a certificate that is not there yet": [
        {
          certificates: [
            { metadata: { name: "a", namespace: "b" }, status: { conditions: notReady("Ready", "issuing") } },
          ],
        },
        ["certificate b/a: is not ready: issuing"],
      ],
      "a certificate that the authority refused": [
        {
          certificates: [
            {
              metadata: { name: "a", namespace: "b" },
              status: {
                conditions: [
                  ...notReady("Ready", "Secret does not exist"),
                  ...notReady("Issuing", "order errored: 400\n\tforbidden"),
                ],
              },
            },
          ],
        },
        ["certificate b/a: is not ready: order errored: 400 forbidden"],
      ],
      "a certificate with a name that leads elsewhere, and challenges of others": [
        {
          certificates: [
            {
              metadata: { name: "a", namespace: "b" },
              spec: { dnsNames: ["www.a.example", "a.example"] },
              status: { conditions: notReady("Ready", "Secret does not exist") },
            },
          ],
          challenges: [
            {
              metadata: { name: "1", namespace: "c" },
              spec: { dnsName: "a.example" },
              status: { reason: "another tenant's" },
            },
            { metadata: { name: "2", namespace: "b" }, spec: { dnsName: "www.a.example" }, status: { reason: "" } },
            {
              metadata: { name: "3", namespace: "b" },
              spec: { dnsName: "a.example" },
              status: { reason: "wrong status code '404'" },
            },
          ],
        },
        ["certificate b/a: is not ready: a.example: wrong status code '404'"],
      ],
      "a certificate that expired while its renewal was refused": [
        {
          certificates: [
            {
              metadata: { name: "a", namespace: "b" },
              status: { notAfter: hoursAgo(3), conditions: notReady("Issuing", "429 rateLimited") },
            },
          ],
        },
        ["certificate b/a: EXPIRED 3 h ago: 429 rateLimited"],
      ],
      "a certificate that was not renewed": [
        {
          certificates: [
            {
              metadata: { name: "a", namespace: "b" },
              status: { notAfter: hoursAgo(-500), renewalTime: hoursAgo(25), conditions: ready },
            },
          ],
        },
        ["certificate b/a: should have been renewed on 2026-11-22 11:00 UTC"],
      ],
      "a certificate of the authority of before": [
        authorities({ issued: "https://acme-staging.example/order/1", account: "https://acme.example/account/1" }),
        [
          "certificate k3k-acme/shop-tls: is of acme-staging.example, and kraft:issuer is acme.example now: to have it issued " +
            "anew, kubectl annotate secret shop-tls --namespace k3k-acme --overwrite cert-manager.io/issuer-name=former",
        ],
      ],
      "a certificate of the same authority": [
        authorities({ issued: "https://acme.example/order/1", account: "https://acme.example/account/1" }),
        [],
      ],
      "an order of the certificate that is being renewed": [
        authorities({
          issued: "https://acme-staging.example/order/1",
          account: "https://acme.example/account/1",
          revision: "3",
        }),
        [],
      ],
      "an order of an issuer of one's own": [
        authorities({
          issued: "https://acme-staging.example/order/1",
          account: "https://acme.example/account/1",
          issuer: "own",
        }),
        [],
      ],
      "an account that is not there yet": [
        authorities({ issued: "https://acme-staging.example/order/1", account: "" }),
        [],
      ],
    };
  for (const [name, [changes, expected, tenants]] of Object.entries(cases)) {
    test(name, () => {
      assert.deepEqual(problems(changes, tenants), expected);
      assert.equal(statusOf(changes, tenants).ok, expected.length === 0);
    });
  }
});

test("MetalLB is looked at exactly where the entrypoint has an address of its own", () => {
  const speaker = (numberReady: number) => ({
    daemonSets: [
      ...well.daemonSets,
      {
        metadata: { namespace: "metallb-system", name: "metallb-speaker" },
        status: { desiredNumberScheduled: 3, numberReady },
      },
    ],
  });
  const shown = (changes: Partial<Observed>, entry?: string) => {
    const { platform, problems } = statusOf(changes, [active("acme")], entry);
    return [platform.some(({ namespace }) => namespace === "metallb-system"), problems.map(({ message }) => message)];
  };
  assert.deepEqual(shown(speaker(3), "192.168.1.250"), [true, []]);
  assert.deepEqual(shown(speaker(2), "192.168.1.250"), [true, ["2 of 3 ready"]]);
  assert.deepEqual(shown({}, "192.168.1.250"), [false, ["has no Deployment and no DaemonSet: nothing runs"]]);
  assert.deepEqual(shown(speaker(2)), [false, []]);
});

describe("a tenant whose guest is gone, and whose volumes are retained", () => {
  const claim = "varlibrancherk3s-k3k-acme-server-0";
  const used = {
    namespace: "k3k-acme",
    pvcName: claim,
    lastPVCRefAt: "2026-11-20T10:00:00Z",
    lastPodRefAt: "2026-11-20T10:00:00Z",
  };
  const gone = { clusters: [], claims: [], volumes: [volume("pvc-2", { kubernetesStatus: used })] };
  test("is not told to run pulumi up, but what brings it back", () => {
    assert.deepEqual(problems(gone), [
      "tenant acme: no guest cluster, but it had one; its volumes are retained, whose claims were there until 2026-11-20 10:00 UTC: datastore. Next: npx kraft recover acme plan -s homelab",
    ]);
    assert.match(problems({ ...gone, namespaces: [] }).join(), /acme: neither namespace k3k-acme nor guest cluster/);
    assert.match(
      problems(gone, [{ name: "acme", state: "suspended" }]).join(),
      /acme: no guest cluster, but it had one/,
    );
  });
  test("a guest that runs over a datastore made since", () => {
    const made = {
      ...volume("pvc-3", { actualSize: 1 }),
      metadata: { ...volume("pvc-3").metadata, creationTimestamp: "2026-11-20T10:00:02Z" },
    };
    const anew = {
      claims: [{ metadata: { name: claim, namespace: "k3k-acme" }, spec: { volumeName: "pvc-3" } }],
      volumes: [...gone.volumes, made],
    };
    assert.match(
      problems(anew).join(),
      /tenant acme: its guest runs over a datastore that was made anew on 2026-11-20 10:00 UTC, and the one before is retained \(pvc-2\): npx kraft recover acme plan -s homelab/,
    );
  });
});

describe("a tenant whom the stack file does not let run", () => {
  const cluster = (annotations: Readonly<Record<string, string>>, deletionTimestamp?: string) => ({
    clusters: [
      {
        metadata: {
          name: "acme",
          namespace: "k3k-acme",
          annotations,
          ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
        },
        status: { phase: "Provisioning" },
      },
    ],
  });
  const stopped = cluster({ "kraft.dev/suspended-at": hoursAgo(5) });
  const none = { clusters: [] };

  for (const state of ["suspended", "archived", "purged"] as const) {
    test(`${state}: nothing is wrong without a guest`, () => {
      assert.deepEqual(problems(none, [{ name: "acme", state }]), []);
      assert.equal(statusOf(none, [{ name: "acme", state }]).tenants[0]?.state, state);
    });
  }

  test("suspended: a guest that is stopped is not ready on purpose, one that runs on is wrong", () => {
    const tenants = [{ name: "acme", state: "suspended" }] as const;
    assert.deepEqual(problems(stopped, tenants), []);
    assert.deepEqual(problems({}, tenants), [
      "tenant acme: is suspended in the stack file, but its guest is not stopped: run pulumi up",
    ]);
    assert.deepEqual(problems(cluster({ "kraft.dev/suspended-at": hoursAgo(5) }, hoursAgo(1)), tenants), [
      "tenant acme: its Cluster IS BEING DELETED, and its volume claims go with it",
    ]);
  });

  test("active: a guest that is stopped is wrong", () => {
    const active = [{ name: "acme", state: "active" }] as const;
    const [found = ""] = problems(stopped, active);
    assert.equal(found, "tenant acme: is active in the stack file, but its guest is stopped: run pulumi up");
    assert.deepEqual(
      problems(stopped, []).filter((line) => line.includes("stopped")),
      [],
    );
  });

  for (const state of ["archived", "purged"] as const) {
    test(`${state}: a guest that still exists is wrong`, () => {
      assert.deepEqual(problems(stopped, [{ name: "acme", state }]), [
        `tenant acme: is ${state} in the stack file, but its Cluster still exists: run pulumi up`,
      ]);
      assert.deepEqual(problems(cluster({}, hoursAgo(1)), [{ name: "acme", state }]), [
        `tenant acme: is ${state} in the stack file, but its Cluster is still being deleted`,
      ]);
    });
  }

  test("the text says the state in the guest's place", () => {
    const text = statusText(statusOf(stopped, [{ name: "acme", state: "suspended" }]), "", new Style(false), "UTC");
    assert.ok(
      text.some((line) => /^ {2}acme +suspended /.test(line)),
      text.join("\n"),
    );
  });
});

describe("a tenant who moves", () => {
  const none = { clusters: [] };
  const annotated = (annotations: Readonly<Record<string, string>>) => ({
    namespaces: [{ metadata: { name: "k3k-acme", creationTimestamp: hoursAgo(24 * 200), annotations } }],
  });
  const proven = { "kraft.dev/proven-restorable": hoursAgo(24) };
  const coming = [{ name: "acme", state: "active", from: "proliant" }] as const;
  const lines = (status: Status) => statusText(status, "", new Style(false), "UTC");

  test("on the way here: said with the command that goes on, and no fault", () => {
    const status = statusOf({ ...none, ...annotated({}) }, coming);
    assert.deepEqual([status.ok, status.problems], [true, []]);
    assert.equal(status.tenants[0]?.awaitedFrom, "proliant");
    assert.deepEqual(status.notes, [
      {
        subject: "tenant acme",
        message: "is moving here from proliant: npx kraft move acme -s homelab",
      },
    ]);
    const text = lines(status);
    assert.ok(text.includes("Moving"));
    assert.ok(text.includes("  tenant acme: is moving here from proliant: npx kraft move acme -s homelab"));
    assert.equal(text.at(-1), "All is well.");
    assert.ok(text.some((line) => /^ {2}acme +moving from proliant /.test(line)));
  });

  test("arrived without a guest: pulumi up starts it; with one: as any other", () => {
    const arrived = annotated({ ...proven, "kraft.dev/arrived-from": "proliant" });
    assert.deepEqual(problems({ ...none, ...arrived }, coming), [
      "tenant acme: is in the stack file, but has no Cluster: run pulumi up",
    ]);
    const status = statusOf(arrived, coming);
    assert.deepEqual([status.problems, status.notes], [[], []]);
    assert.equal(status.tenants[0]?.awaitedFrom, null);
  });

  test("gone: where to and since when", () => {
    const at = hoursAgo(24 * 3);
    const gone = annotated({ ...proven, "kraft.dev/moved-to": `proliant ${at}` });
    const status = statusOf({ ...none, ...gone }, [{ name: "acme", state: "archived" }]);
    assert.deepEqual([status.ok, status.problems], [true, []]);
    assert.deepEqual(status.tenants[0]?.movedTo, { stack: "proliant", at });
    assert.deepEqual(status.notes, [{ subject: "tenant acme", message: "moved to proliant 3 days ago" }]);
    assert.ok(lines(status).some((line) => /^ {2}acme +moved to proliant /.test(line)));
    assert.deepEqual(problems({ ...none, ...gone }), [
      "tenant acme: moved to proliant, but is active in the stack file: state: suspended, see docs/moving.md",
    ]);
  });

  test("a copy that follows has no schedule and no backups of its own, and is shown so; broken ones are broken", () => {
    const copy = (changes: Partial<Volume["status"]> = {}): Volume => {
      const found = volume("pvc-1", { lastBackupAt: "", ...changes }, "none");
      return { ...found, spec: { ...found.spec, Standby: true } };
    };
    const status = statusOf({ volumes: [copy()] });
    assert.deepEqual(status.problems, []);
    assert.deepEqual(
      status.backups.volumes.map(({ standby, backupEveryHours }) => [standby, backupEveryHours]),
      [[true, null]],
    );
    assert.ok(lines(status).some((line) => /^ {2}acme +shop\/data +5Gi +following +never$/.test(line)));
    assert.deepEqual(problems({ volumes: [copy({ robustness: "faulted" })] }), [
      "volume shop/data of acme: FAULTED: no copy of it is usable",
    ]);
    // Longhorn puts a volume without any group into its default one, a copy too.
    const bare = copy();
    assert.deepEqual(problems({ volumes: [{ ...bare, metadata: { ...bare.metadata, labels: {} } }] }), []);
  });
});

test("a tenant's backups are proven every 90 days, a new tenant's within its first; a failed drill is said at once", () => {
  const of = (annotations: Readonly<Record<string, string>>, days: number): Status =>
    judge(
      {
        ...well,
        namespaces: [{ metadata: { name: "k3k-acme", creationTimestamp: hoursAgo(24 * days), annotations } }],
      },
      { stack, tenants: [active("acme")], leaveOut: [], entry: undefined, context: "c", uid: "u", versions: [] },
      now,
    );
  const messages = (status: Status): string[] =>
    status.problems.filter(({ subject }) => subject === "tenant acme").map(({ message }) => message);
  const proven = "kraft.dev/proven-restorable";
  assert.deepEqual(messages(of({}, 89)), []);
  assert.match(messages(of({}, 91)).join(), /^its backups were never proven restorable: npx kraft drill acme$/);
  assert.deepEqual(messages(of({ [proven]: hoursAgo(24 * 89) }, 500)), []);
  assert.match(
    messages(of({ [proven]: hoursAgo(24 * 91) }, 500)).join(),
    /^its backups were last proven restorable 91 days/,
  );
  const failed = of({ [proven]: hoursAgo(24), "kraft.dev/restore-drill-failed": `${hoursAgo(3)} data: broken` }, 500);
  assert.deepEqual(messages(failed), ["its last restore drill failed 3 h ago: data: broken"]);
  assert.equal(failed.tenants[0]?.lastProvenRestorableAt, hoursAgo(24));
});

test("metrics: one line a figure, times in seconds, 0 for never, and no text that could break out", () => {
  const status = judge(
    {
      ...well,
      namespaces: [
        { metadata: { name: "k3k-acme", annotations: { "kraft.dev/proven-restorable": "2026-11-22T12:00:00Z" } } },
      ],
      volumes: [volume("v1"), volume("v2", { lastBackupAt: "" }), volume('v"3\\\n', { lastBackupAt: "" })],
    },
    {
      stack,
      tenants: [active("acme"), active("blue")],
      leaveOut: [],
      entry: undefined,
      context: "c",
      uid: "u",
      versions: [],
    },
    now,
  );
  const text = statusMetrics(status);
  for (const line of text.trimEnd().split("\n")) {
    assert.match(line, /^(# (HELP|TYPE) kraft_[a-z_]+ .+|kraft_[a-z_]+(\{([a-z]+="([^"\\]|\\.)*",?)+\})? -?\d+)$/);
  }
  assert.ok(text.includes('kraft_tenant_last_proven_restorable_timestamp_seconds{tenant="acme"} 1795348800\n'), text);
  assert.ok(text.includes('kraft_tenant_last_proven_restorable_timestamp_seconds{tenant="blue"} 0\n'));
  assert.ok(text.includes('kraft_tenant_last_backup_timestamp_seconds{tenant="acme"} 0\n'));
  assert.ok(text.includes('volume="v1"} 1795395600\n'));
});

test("a drill's volume is nobody's, whatever claim its backup names", () => {
  const scratch = volume("drill-acme-0", { lastBackupAt: "" });
  const observed = {
    ...well,
    volumes: [{ ...scratch, metadata: { ...scratch.metadata, labels: { "kraft.dev/drill": "acme" } } }],
  };
  const status = judge(
    observed,
    { stack, tenants: [active("acme")], leaveOut: [], entry: undefined, context: "c", uid: "u", versions: [] },
    now,
  );
  assert.deepEqual(status.backups.volumes, []);
});

test("versions that must not come are wrong with the file, and said with everything else", () => {
  const versions = [
    { key: "infra/versions.ts, longhorn", found: "1.11.0, while v1.12.1 runs", allowed: "", fix: "no" },
  ];
  const expected = {
    stack,
    tenants: [active("acme")],
    leaveOut: [],
    entry: undefined,
    context: "kraft-homelab",
    uid: "1",
    versions,
  };
  const { ok, problems } = judge(well, expected, now);
  assert.equal(ok, false);
  assert.deepEqual(problems, [
    { subject: "infra/versions.ts, longhorn", message: "1.11.0, while v1.12.1 runs: no", severity: "warning" },
  ]);
});

test("critical is what loses data or stops a tenant, and so cannot wait", () => {
  const [deployment] = well.deployments;
  const of = (changes: Partial<Observed>, tenants?: readonly DeclaredTenant[]) => [
    ...new Set(statusOf(changes, tenants).problems.map(({ severity }) => severity)),
  ];
  const criticals: readonly Partial<Observed>[] = [
    { nodes: well.nodes.slice(1) },
    { deployments: deployment === undefined ? [] : [{ ...deployment, status: {} }, workload("k3k-system", "k3k")] },
    { clusters: [{ metadata: { name: "acme", namespace: "k3k-acme" }, status: { phase: "Pending" } }] },
    { nameServers: [{ metadata: { name: "coredns-1", namespace: "k3k-acme" }, status: {} }] },
    { nameServers: [{ metadata: { name: "coredns-1", namespace: "k3k-acme" }, status: { conditions: ready } }] },
    { backupTargets: [] },
    { volumes: [volume("pvc-1", { robustness: "faulted" })] },
    { volumes: [volume("pvc-1", { lastBackupAt: hoursAgo(100) })] },
    { volumes: [volume("pvc-1", {}, "none")] },
  ];
  const warnings: readonly Partial<Observed>[] = [
    {
      deployments: [workload("k3k-system", "k3k"), { ...workload("cert-manager", "a"), status: { readyReplicas: 1 } }],
    },
    { volumes: [volume("pvc-1", { robustness: "degraded" })] },
    { recurringJobs: [] },
    { issuers: [] },
  ];
  assert.deepEqual(
    criticals.map((changes) => of(changes)),
    criticals.map(() => ["critical"]),
  );
  assert.deepEqual(
    warnings.map((changes) => of(changes)),
    warnings.map(() => ["warning"]),
  );
});
