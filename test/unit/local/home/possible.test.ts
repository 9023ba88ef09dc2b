import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseMachines, obstacle, type Surroundings } from "../../../../local/home/possible.ts";

const able: Surroundings = { platform: "linux", root: true, freeGiB: 12, cgroups: true, apt: true };

test("what keeps a machine from running those of a home, and that nothing does on one that has it all", () => {
  for (const [lacking, expected] of [
    [{}, undefined],
    [{ freeGiB: 8 }, undefined],
    [{ platform: "darwin" }, "they need Linux, and this is darwin"],
    [{ root: false }, "they need root, or sudo that asks for no password"],
    [{ cgroups: false }, "this kernel shows no cgroups under /sys/fs/cgroup"],
    [{ apt: false }, "they are made of Debian's packages, and there is no apt-get"],
    [{ freeGiB: 7.94 }, "they need 8 GiB of free memory, and 7.9 GiB are free"],
    // The first that no setting of this machine's mends.
    [{ platform: "win32", root: false, apt: false, freeGiB: 1 }, "they need Linux, and this is win32"],
  ] as const) {
    assert.equal(obstacle({ ...able, ...lacking }), expected, JSON.stringify(lacking));
  }
});

test("nodes are machines wherever that is possible, and a cluster keeps what it was made with", () => {
  const cannot = (): string => "they need memory";
  const mustNotAsk = (): never => assert.fail("asked for what is free");
  const stack = "local";
  const stays =
    "Nodes stay simulated, as this cluster was made. For real machines remove it first: npm run local:down -- --stack local";
  for (const [inputs, expected] of [
    [{ asked: false, earlier: undefined, obstacle: () => undefined }, { machines: "real" }],
    [
      { asked: false, earlier: undefined, obstacle: cannot },
      {
        machines: "simulated",
        reason: "Nodes are simulated, since this machine cannot run real ones: they need memory.",
      },
    ],
    [{ asked: true, earlier: undefined, obstacle: mustNotAsk }, { machines: "simulated" }],
    // Its own machines take the memory that is not free.
    [{ asked: false, earlier: "real", obstacle: mustNotAsk }, { machines: "real" }],
    [
      { asked: false, earlier: "simulated", obstacle: mustNotAsk },
      { machines: "simulated", reason: stays },
    ],
    [{ asked: true, earlier: "simulated", obstacle: mustNotAsk }, { machines: "simulated" }],
    // Refused by startHostCluster.
    [{ asked: true, earlier: "real", obstacle: mustNotAsk }, { machines: "simulated" }],
  ] as const) {
    assert.deepEqual(chooseMachines({ stack, ...inputs }), expected, JSON.stringify(inputs));
  }
});
