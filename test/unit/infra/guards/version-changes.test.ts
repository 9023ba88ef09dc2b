import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { nothingRuns, type RunningVersions, runningVersions } from "../../../../cluster/running-versions.ts";
import type { DeclaredVersions } from "../../../../infra/checks/support.ts";
import { versionChangeProblems } from "../../../../infra/guards/version-changes.ts";

const declared: DeclaredVersions = {
  stack: "proliant",
  kubernetes: "1.35.6",
  talos: "1.13.9",
  guest: "v1.35.6-k3s1",
  k3k: "1.2.0-rc4",
  longhorn: "1.12.1",
  certManager: "v1.21.2",
  traefikChart: "41.3.0",
  traefik: "v3.7.13",
};

function guest(told: string, ran = told) {
  return { told, ran };
}

const running: RunningVersions = {
  kubernetes: "v1.35.6",
  talos: { "proliant-1": "1.13.9" },
  longhorn: "v1.12.1",
  certManager: "v1.21.2",
  traefik: "v3.7.13",
  k3k: "v1.2.0-rc4",
  guests: { acme: guest("v1.35.6-k3s1") },
};

test("what runs as declared, and what does not run yet, is fine", () => {
  for (const managed of [true, false]) {
    assert.deepEqual(versionChangeProblems(declared, running, managed), []);
    assert.deepEqual(versionChangeProblems(declared, nothingRuns, managed), []);
  }
});

describe("where Kraft brings every version", () => {
  const refused = "refused";
  const table: readonly (readonly [string, Partial<RunningVersions>, "" | "refused"])[] = [
    ["a patch of Kubernetes", { kubernetes: "v1.35.2" }, ""],
    ["k3s' own suffix", { kubernetes: "v1.35.6+k3s1" }, ""],
    ["a minor of Kubernetes", { kubernetes: "v1.34.9+k3s2" }, ""],
    ["two minors of Kubernetes", { kubernetes: "v1.33.9" }, refused],
    ["Kubernetes back by a patch", { kubernetes: "v1.35.7" }, refused],
    ["Kubernetes back by a minor", { kubernetes: "v1.36.0" }, refused],
    ["a minor of Talos", { talos: { "proliant-1": "1.12.0" } }, ""],
    ["two minors of Talos", { talos: { "proliant-1": "1.11.9" } }, refused],
    ["Talos back", { talos: { "proliant-1": "1.13.10" } }, refused],
    ["a minor of Longhorn", { longhorn: "v1.11.3" }, ""],
    ["two minors of Longhorn", { longhorn: "v1.10.2" }, refused],
    ["Longhorn back by a patch", { longhorn: "v1.12.2" }, refused],
    ["cert-manager back by a patch", { certManager: "v1.21.3" }, ""],
    ["cert-manager back by a minor", { certManager: "v1.22.0" }, refused],
    ["two minors of cert-manager", { certManager: "v1.19.1" }, refused],
    ["Traefik back by a patch", { traefik: "v3.7.14" }, ""],
    ["Traefik back by a minor", { traefik: "v3.8.0" }, refused],
    ["another major of Traefik", { traefik: "v2.11.0" }, refused],
    ["K3k from the release before", { k3k: "v1.1.0" }, ""],
    ["K3k from an earlier candidate", { k3k: "v1.2.0-rc3" }, ""],
    ["K3k from its release back to a candidate", { k3k: "v1.2.0" }, refused],
    ["a guest's minor", { guests: { acme: guest("v1.34.4-k3s1") } }, ""],
    ["two of a guest's minors", { guests: { acme: guest("v1.33.4-k3s1") } }, refused],
    ["a guest back", { guests: { acme: guest("v1.35.7-k3s1") } }, refused],
    ["a guest back from what never started", { guests: { acme: guest("v1.35.70-k3s1", "v1.35.6-k3s1") } }, ""],
    ["a guest back that never ran", { guests: { acme: { told: "v1.35.70-k3s1", ran: undefined } } }, ""],
    ["a guest back before what it ran", { guests: { acme: guest("v1.35.70-k3s1", "v1.35.7-k3s1") } }, refused],
  ];
  for (const [name, changes, expected] of table) {
    test(`${name}: ${expected || "allowed"}`, () => {
      const problems = versionChangeProblems(declared, { ...running, ...changes }, true);
      assert.equal(problems.length, expected === "" ? 0 : 1, JSON.stringify(problems));
    });
  }

  test("says what runs, where, and what to write", () => {
    const problems = versionChangeProblems(
      declared,
      { ...running, guests: { acme: guest("v1.33.4-k3s1"), blue: guest("v1.36.0-k3s1") } },
      true,
    );
    assert.deepEqual(problems, [
      {
        key: "stacks/proliant.ts, guestVersion, or kraft:guestVersion",
        found: "v1.35.6-k3s1, while v1.33.4-k3s1 runs in acme",
        allowed: "K3s of the guest 1.33 or 1.34: one minor version at a time",
        fix: "go to the newest 1.34 first, and wait until everything is healthy",
      },
      {
        key: "stacks/proliant.ts, guestVersion, or kraft:guestVersion",
        found: "v1.35.6-k3s1, while v1.36.0-k3s1 runs in blue",
        allowed: "K3s of the guest v1.36.0-k3s1 or newer: an older version does not read what a newer one wrote",
        fix: "write v1.36.0-k3s1 back; an older one is a rebuild",
      },
    ]);
  });
});

test("where machines are set up by hand, only their minor version has to be true", () => {
  for (const kubernetes of ["v1.35.2", "v1.35.9+k3s1"]) {
    assert.deepEqual(versionChangeProblems(declared, { ...running, kubernetes, talos: { a: "1.10.0" } }, false), []);
  }
  const [problem] = versionChangeProblems(declared, { ...running, kubernetes: "v1.36.1+k3s1" }, false);
  assert.equal(problem?.fix, "write 1.36.1; the machines are yours to upgrade, one minor version at a time");
});

describe("what a cluster is asked", () => {
  const objects: Readonly<Record<string, unknown>> = {
    "/version": { gitVersion: "v1.35.6+k3s1" },
    "/apis/longhorn.io/v1beta2/namespaces/longhorn-system/settings/current-longhorn-version": { value: "v1.12.1" },
    "/apis/apps/v1/namespaces/cert-manager/deployments/cert-manager": workload("quay.io/jetstack/x:v1.21.2"),
    "/apis/apps/v1/namespaces/traefik/daemonsets/traefik": workload("docker.io/traefik:v3.7.13@sha256:00"),
    "/apis/apps/v1/namespaces/k3k-system/deployments/k3k": workload("registry:5000/rancher/k3k:v1.1.0"),
  };
  const lists: Readonly<Record<string, readonly unknown[]>> = {
    "/api/v1/nodes": [
      { metadata: { name: "proliant-1" }, status: { nodeInfo: { osImage: "Talos (v1.13.9)" } } },
      { metadata: { name: "other" }, status: { nodeInfo: { osImage: "Debian GNU/Linux 13 (trixie)" } } },
    ],
    "/apis/k3k.io/v1beta1/clusters": [
      { metadata: { name: "acme", namespace: "k3k-acme" }, spec: { version: "v1.35.6-k3s1" } },
      { metadata: { name: "old", namespace: "k3k-old" }, spec: {} },
      { metadata: { name: "stray", namespace: "elsewhere" }, spec: { version: "v1.20.0-k3s1" } },
    ],
    "/api/v1/namespaces?labelSelector=kraft.dev%2Ftenant": [
      { metadata: { name: "k3k-acme", labels: { "kraft.dev/tenant": "acme" } } },
      { metadata: { name: "k3k-old", labels: { "kraft.dev/tenant": "old" } } },
    ],
  };

  /** The server of a guest that was told a version which its node cannot fetch. */
  const server = (waiting: object, status: object = {}) => ({
    metadata: { name: "k3k-acme-server-0", namespace: "k3k-acme" },
    status: { containerStatuses: [{ state: { waiting }, restartCount: 0, ...status }] },
  });
  const set = "/apis/apps/v1/namespaces/k3k-acme/statefulsets/k3k-acme-server";
  const revision = "/apis/apps/v1/namespaces/k3k-acme/controllerrevisions/one";
  const unfetched = { reason: "ImagePullBackOff", message: "docker.io/rancher/k3s:v1.35.6-k3s1: not found" };
  const unreachable = { reason: "ImagePullBackOff", message: "registry-1.docker.io: no such host" };
  const rolling = { status: { currentRevision: "one", updateRevision: "two" } };
  const settled = { status: { currentRevision: "one", updateRevision: "one" } };
  const kubeconfig = "/api/v1/namespaces/k3k-acme/secrets/k3k-acme-kubeconfig";
  const guests: readonly (readonly [
    what: string,
    pod: object,
    found: Readonly<Record<string, unknown>>,
    ran: string | undefined,
  ])[] = [
    ["not to be had, after another that was ready", server(unfetched), { [set]: rolling }, "v1.35.5-k3s1"],
    [
      "the registry does not answer: it may have run elsewhere",
      server(unreachable),
      { [set]: rolling },
      "v1.35.6-k3s1",
    ],
    ["it runs", server({}), { [set]: rolling }, "v1.35.6-k3s1"],
    ["it started once", server(unfetched, { restartCount: 1 }), { [set]: rolling }, "v1.35.6-k3s1"],
    [
      "it ended once",
      server(unfetched, { lastState: { terminated: { exitCode: 1 } } }),
      { [set]: rolling },
      "v1.35.6-k3s1",
    ],
    ["not to be had, where it ran before", server(unfetched), { [set]: settled, [kubeconfig]: {} }, "v1.35.6-k3s1"],
    ["not to be had, and a guest that never ran", server(unfetched), { [set]: settled }, undefined],
    ["not to be had, its StatefulSet gone", server(unfetched), { [kubeconfig]: {} }, "v1.35.6-k3s1"],
  ];
  for (const [what, pod, found, ran] of guests) {
    test(`the version that a guest ran: ${what}`, async () => {
      const data = workload("docker.io/rancher/k3s:v1.35.5-k3s1");
      const all: Readonly<Record<string, unknown>> = { ...objects, ...found, [revision]: { data } };
      const pods = { "/api/v1/pods?labelSelector=role%3Dserver": [pod] };
      const { guests: is } = await runningVersions({
        get: <Kind>(path: string) => Promise.resolve(all[path] as Kind | undefined),
        list: <Kind>(path: string) =>
          Promise.resolve((({ ...lists, ...pods } as typeof lists)[path] as readonly Kind[] | undefined) ?? []),
      });
      assert.deepEqual(is, { acme: { told: "v1.35.6-k3s1", ran } });
    });
  }

  function workload(image: string) {
    return { metadata: { name: "x" }, spec: { template: { spec: { containers: [{ image }] } } } };
  }

  test("and what comes of it", async () => {
    const host = {
      get: <Kind>(path: string) => Promise.resolve(objects[path] as Kind | undefined),
      list: <Kind>(path: string) => Promise.resolve((lists[path] ?? []) as readonly Kind[]),
    };
    assert.deepEqual(await runningVersions(host), {
      ...running,
      kubernetes: "v1.35.6+k3s1",
      k3k: "v1.1.0",
      guests: { acme: guest("v1.35.6-k3s1") },
    });
  });

  test("an empty cluster runs nothing", async () => {
    const host = { get: () => Promise.resolve(undefined), list: () => Promise.resolve([]) };
    assert.deepEqual(await runningVersions(host), nothingRuns);
  });

  test("an image without a version is not guessed at", async () => {
    const host = {
      get: <Kind>(path: string) =>
        Promise.resolve((path.includes("deployments") ? workload("a/b:latest") : undefined) as Kind | undefined),
      list: () => Promise.resolve([]),
    };
    assert.deepEqual(await runningVersions(host), nothingRuns);
  });
});
