import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { removeCgroupsCommand } from "../../local/home/cgroups.ts";
import { machinePackages } from "../../local/home/debian-packages.ts";
import type { HomePlan } from "../../local/home/plan.ts";
import { asRoot } from "../../local/root.ts";
import { silentReporter } from "../../local/terminal.ts";
import { debianRoot } from "../../local/toolchain/debian.ts";
import { readyTools, toolPath } from "../../local/toolchain/ready.ts";

// A home on cgroups of version 2, also on a machine that has both: with those controllers that version 1 leaves.
const work = mkdtempSync(join(tmpdir(), "kraft-cgroups-"));
const cgroup = `kraft-test-${process.pid}`;
let root: string;
let home: string;

before(async () => {
  root = await debianRoot({ packages: machinePackages, purpose: "the machines" });
  home = toolPath(await readyTools(silentReporter, ["home"]), "home");
});

after(() => {
  asRoot(["rm", "-rf", work], "What this test made must be removed");
});

/** Runs a home whose machine waits, looks at its cgroups, and ends it; with SIGKILL, removes what it left. */
const script = `set -eu
home=$1 plan=$2 cgroup=$3 output=$4 signal=$5
shift 5
mount -t cgroup2 cgroup2 /sys/fs/cgroup
exec >"$output"
"$home" run "$plan" &
pid=$!
machine=/sys/fs/cgroup/$cgroup/one
until [ -s "$(dirname "$plan")/one.log" ]; do sleep 0.1; done
cat /sys/fs/cgroup/cgroup.controllers "$machine/cgroup.controllers" "$machine/cgroup.subtree_control"
kill "-$signal" $pid
wait $pid || true
if [ "$signal" = KILL ]; then "$@"; fi
if [ -e "/sys/fs/cgroup/$cgroup" ]; then echo left; else echo gone; fi
`;

for (const signal of ["TERM", "KILL"]) {
  test(`a machine's cgroup has every controller that its kubelet asks for, and is gone after SIG${signal}`, () => {
    const plan: HomePlan = {
      directory: work,
      root,
      cgroup,
      networks: ["lan"],
      shared: [],
      processes: [],
      machines: [
        {
          name: "one",
          links: [{ network: "lan", device: "eth0", address: "192.168.1.11/24" }],
          processes: [
            { name: "one", command: ["sh", "-c", "echo runs; exec sleep 1000"], logFile: join(work, "one.log") },
          ],
        },
      ],
      forwards: [],
    };
    const [file, output] = [join(work, "home.json"), join(work, "output")];
    writeFileSync(file, JSON.stringify(plan));
    writeFileSync(join(work, "one.log"), "");
    asRoot(
      [
        ...["timeout", "60", "unshare", "--mount", "sh", "-c", script, "sh", home, file, cgroup, output, signal],
        ...removeCgroupsCommand(cgroup),
      ],
      "A home must run",
    );
    const [available = "", own = "", passedOn = "", left] = readFileSync(output, "utf8").split("\n");
    const wanted = available.split(" ").filter((name) => ["cpu", "cpuset", "hugetlb", "memory", "pids"].includes(name));
    assert.ok(wanted.length > 0, `version 2 has no controller here: ${available}`);
    assert.deepEqual(own.split(" "), wanted);
    assert.deepEqual(passedOn.split(" "), wanted);
    assert.equal(left, "gone");
  });
}
