import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Pod } from "../../../../cluster/objects.ts";
import { guestRestarts, restartWarnings, seeThrough } from "../../../../infra/guards/guest-restarts.ts";
import type { Staged } from "../../../../infra/guards/stages.ts";
import { tenant } from "../checks/example.ts";

const version = "v1.35.7-k3s1";

/** Guests that run what K3k was told, by tenant. */
function on(versions: Readonly<Record<string, string>>) {
  return {
    guests: Object.fromEntries(Object.entries(versions).map(([name, told]) => [name, { told, ran: told }])),
  };
}

function staged(stages: Readonly<Record<string, Staged["stage"]>>): Staged[] {
  return Object.entries(stages).map(([name, stage]) => ({ tenant: tenant(name), stage }));
}

/** A server's pod, as the API server has it. */
function pod(image: string, ready: boolean, more: Partial<Pod["metadata"]> = {}, container?: object): Pod {
  return {
    metadata: { name: "k3k-acme-server-0", ...more },
    spec: { containers: [{ image: `rancher/k3s:${image}` }] },
    status: {
      phase: ready ? "Running" : "Pending",
      conditions: [{ type: "Ready", status: ready ? "True" : "False", message: "containers with unready status" }],
      ...(container && { containerStatuses: [container] }),
    },
  };
}

describe("which guests restart", () => {
  test("those that run another version, by name; who runs it already has to be well before", () => {
    const running = on({ acme: "v1.35.6-k3s1", blue: version, coral: "v1.34.9-k3s1" });
    const restarts = guestRestarts(staged({ acme: "guest", blue: "guest", coral: "guest" }), running, version);
    assert.deepEqual(restarts, {
      inTurn: ["acme", "coral"],
      before: ["blue"],
      version,
      from: { acme: "v1.35.6-k3s1", coral: "v1.34.9-k3s1" },
    });
  });

  test("one whose version never started as well, back to the one before", () => {
    const running = { guests: { acme: { told: "v1.35.70-k3s1", ran: version } } };
    assert.deepEqual(guestRestarts(staged({ acme: "guest" }), running, version).inTurn, ["acme"]);
  });

  test("none that is stopped, leaves, has no guest yet, or is nobody's", () => {
    const running = on({ acme: "v1.35.6-k3s1", blue: "v1.35.6-k3s1", gone: "v1.35.6-k3s1" });
    const restarts = guestRestarts(staged({ acme: "suspended", blue: "closing", fresh: "guest" }), running, version);
    assert.deepEqual([restarts.inTurn, restarts.before], [[], []]);
    assert.deepEqual(restartWarnings(restarts, "homelab"), []);
  });

  test("a preview says which, and what it costs", () => {
    const running = on({ acme: "v1.35.6-k3s1", blue: "v1.35.6-k3s1" });
    const restarts = guestRestarts(staged({ acme: "guest", blue: "guest" }), running, version);
    assert.deepEqual(restartWarnings(restarts, "homelab"), [
      {
        key: "stacks/homelab.ts, guestVersion, or kraft:guestVersion",
        message:
          "v1.35.7-k3s1: these guests restart, one after the other: acme, blue. Each API is away for a minute or two; pods and sites go on",
      },
    ]);
  });
});

const writesNothing = (path: string): Promise<never> => assert.fail(`writes ${path}`);
const readOnly = { delete: writesNothing, merge: writesNothing };

describe("a restart", () => {
  const restarts = { inTurn: ["acme", "blue"], version, from: { acme: "v1.35.6-k3s1", blue: "v1.35.6-k3s1" } };

  test("is seen through once the new server is ready, not while the old one still is, or ends", async () => {
    const found = [
      pod("v1.35.6-k3s1", true),
      pod(version, true, { deletionTimestamp: "2026-11-29T20:00:00Z" }),
      undefined,
      pod(version, false),
      pod(version, true),
    ];
    const asked: string[] = [];
    const get = (path: string) => {
      asked.push(path);
      return Promise.resolve(found[Math.min(asked.length, found.length) - 1] as never);
    };
    await seeThrough({ get, ...readOnly }, restarts, "acme");
    assert.equal(asked.length, found.length);
    assert.equal(asked[0], "/api/v1/namespaces/k3k-acme/pods/k3k-acme-server-0");
  });

  for (const [what, found, said] of [
    [
      "whose image cannot be fetched",
      pod(version, false, {}, { state: { waiting: { reason: "ImagePullBackOff", message: "no such host" } } }),
      "rancher/k3s:v1.35.7-k3s1, ImagePullBackOff: no such host",
    ],
    ["that is not ready", pod(version, false), "rancher/k3s:v1.35.7-k3s1, containers with unready status"],
    ["that is not there", undefined, "is not there"],
  ] as const) {
    test(`${what} ends the run, which says who was not touched`, async () => {
      const get = () => Promise.resolve(found as never);
      await assert.rejects(seeThrough({ get, ...readOnly }, restarts, "acme", 0), {
        name: "Failure",
        message:
          `the guest of acme on v1.35.7-k3s1: not within the time allowed; pod k3k-acme/k3k-acme-server-0: ${said}.\n` +
          "Not touched, and running as before: blue (v1.35.6-k3s1).\n" +
          "See docs/runbooks/guest-down.md; the next pulumi up goes on from here.",
      });
    });
  }

  test("ends at once where the registry has no such image", async () => {
    const message = "failed to pull and unpack image: docker.io/rancher/k3s:v1.35.7-k3s1: not found";
    const container = { state: { waiting: { reason: "ErrImagePull", message } } };
    const get = () => Promise.resolve(pod(version, false, {}, container) as never);
    await assert.rejects(
      seeThrough({ get, ...readOnly }, restarts, "acme"),
      /^Failure: the guest of acme on v1\.35\.7-k3s1: there is no such image; pod k3k-acme\/k3k-acme-server-0: .*\nNot touched/,
    );
  });

  test("of a guest whose pod waits for another image deletes that pod, which its StatefulSet would keep, and no other", async () => {
    const waiting = { state: { waiting: { reason: "ImagePullBackOff", message: "not found" } } };
    const terminated = { exitCode: 137, reason: "ContainerStatusUnknown", startedAt: null };
    const ending = { deletionTimestamp: "2026-11-30T00:00:00Z" };
    const stuck = (metadata: object, container: object): Pod =>
      pod("v1.35.70-k3s1", false, { uid: "a", ...metadata }, container);
    const found = [
      stuck({}, waiting),
      stuck(ending, { state: { terminated }, restartCount: 0, lastState: {} }),
      pod("v1.35.6-k3s1", false, { uid: "b" }),
      stuck(ending, { state: { terminated }, containerID: "containerd://c" }),
      stuck(ending, { state: { terminated }, restartCount: 1 }),
      stuck({}, { state: { terminated } }),
      undefined,
      pod(version, true),
    ];
    const written: unknown[] = [];
    const write =
      (verb: string) =>
      (...of: readonly unknown[]): Promise<void> => {
        written.push([verb, ...of]);
        return Promise.resolve();
      };
    const host = { get: () => Promise.resolve(found.shift() as never), delete: write("delete"), merge: write("merge") };
    await seeThrough(host, restarts, "acme");
    const path = "/api/v1/namespaces/k3k-acme/pods/k3k-acme-server-0";
    assert.deepEqual(written, [
      ["delete", path, "a"],
      ["merge", path, { metadata: { uid: "a", finalizers: null } }],
    ]);
    assert.deepEqual(found, []);
  });
});
