import assert from "node:assert/strict";
import { test } from "node:test";
import type { WritableHost } from "../../../cluster/client.ts";
import { paths } from "../../../cluster/paths.ts";
import { restoreVolume } from "../../../cluster/restore.ts";
import type { Goal, Step } from "../../../cluster/restore-step.ts";
import { Failure } from "../../../errors/failure.ts";
import { restorable } from "./restorable.ts";

const goal: Goal = { is: "restored", replicas: 2 };
const path = {
  volume: paths.volumes.named(restorable.volume),
  backup: paths.backups.named(restorable.backup.name),
  claim: paths.claims.named(restorable.namespace, restorable.claim),
};

/** A cluster that restores a volume as soon as it is told to. */
function cluster(objects: Record<string, object> = { [path.backup]: {} }) {
  const applied: string[] = [];
  const never = (): never => assert.fail("nothing is listed, merged or deleted");
  const host = {
    context: "",
    uid: "",
    get: (asked: string) => Promise.resolve(objects[asked]),
    list: never,
    names: never,
    merge: never,
    delete: never,
    apply: (to: string, object: object) => {
      applied.push(to);
      const status = {
        [path.volume]: { state: "detached", restoreInitiated: true, restoreRequired: false },
        [path.claim]: { phase: "Bound" },
      }[to];
      objects[to] = { ...object, status };
      return Promise.resolve(objects[to]);
    },
  } as WritableHost;
  return { host, objects, applied };
}

async function run(host: WritableHost) {
  const steps: string[] = [];
  const onStep = ({ step }: Step): void => {
    steps.push(step);
  };
  return { ...(await restoreVolume(host, restorable, goal, { fieldManager: "test", onStep })), steps };
}

test("a volume is restored step by step; the next run finds it there and changes nothing", async () => {
  const { host, applied } = cluster();
  assert.deepEqual(await run(host), {
    result: "restored",
    message: null,
    steps: ["create", "bind", "complete", "done"],
  });
  const before = applied.length;
  assert.deepEqual(await run(host), { result: "there", message: null, steps: ["done"] });
  assert.equal(applied.length, before);
});

test("interrupted after any write, the next run goes on from there", async () => {
  for (const writes of [1, 2, 3]) {
    const { host, objects, applied } = cluster();
    const cut = {
      ...host,
      apply: <Kind>(to: string, object: object, manager: string) =>
        applied.length === writes ? Promise.reject(new Error("killed")) : host.apply<Kind>(to, object, manager),
    };
    await assert.rejects(run(cut), /killed/);
    const next = cluster(objects);
    assert.equal((await run(next.host)).result, "restored");
    assert.deepEqual(new Set([...applied, ...next.applied]).size, 3);
    assert.ok(!next.applied.slice(0, -1).includes(path.volume), "the volume was created again");
  }
});

test("an API server that does not answer for a while is waited for", async () => {
  const { host } = cluster();
  let outages = 2;
  const failing = {
    ...host,
    get: <Kind>(asked: string) => {
      if (asked === path.volume && outages > 0) {
        outages -= 1;
        return Promise.reject(new Failure("does not answer"));
      }
      return host.get<Kind>(asked);
    },
  };
  assert.equal((await run(failing)).result, "restored");
  assert.equal(outages, 0);
});

test("what is in the way is refused without a single write", async () => {
  const { host, applied } = cluster({ [path.volume]: { metadata: { name: restorable.volume }, spec: {} } });
  const { result, message } = await run(host);
  assert.equal(result, "refused");
  assert.match(message ?? "", /came from no backup: it was left as it is/);
  assert.deepEqual(applied, []);
});

test("a volume that somebody deletes meanwhile is not created again in the same run", async () => {
  const { host, objects } = cluster();
  const deleting = {
    ...host,
    apply: async <Kind>(to: string, object: object, manager: string) => {
      const made = await host.apply<Kind>(to, object, manager);
      if (to === path.claim) {
        Reflect.deleteProperty(objects, path.volume);
      }
      return made;
    },
  };
  await assert.rejects(run(deleting), /^Failure: somebody deleted the volume .* while it was restored$/);
});
