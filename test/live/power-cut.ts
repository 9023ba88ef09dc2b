// A power cut: everything ends at once, and the same command brings it back.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isRunning } from "../../local/processes.ts";
import { asRoot } from "../../local/root.ts";
import { readState } from "../../local/state.ts";
import { eventually } from "../cluster/embedded.ts";
import { bringUp, directory, host, inPod, readyPod, visited } from "./home.ts";
import { host as shopHost, page } from "./shop.ts";

test("after SIGKILL to everything at once, the next run changes nothing, and the tenant's data is there", async () => {
  const written = "Written and synced before the cut.\n";
  const pod = await readyPod("shop");
  assert.equal((await inPod(pod, "sh", "-c", `printf '${written.trim()}\\n' >/data/cut && sync`)).code, 0);
  const phases = async (): Promise<string[]> => {
    const guests = await host().list<{ metadata: { name: string }; status?: { phase?: string } }>(
      "/apis/k3k.io/v1beta1/clusters",
    );
    return guests.map(({ metadata, status }) => `${metadata.name} ${status?.phase ?? "?"}`);
  };
  const ready = ["acme Ready", "blue Ready", "coral Ready"];
  // K3k 1.1.0 does not bring back a server that was cut off while it started (rancher/k3k#844).
  assert.deepEqual(await phases(), ready);
  const records = Object.values(readState(directory)?.processes ?? {});
  assert.ok(records.length >= 3, "home, longhorn-stand-in, s3");
  asRoot(["kill", "-KILL", ...records.filter(isRunning).map(({ pid }) => String(pid))], "The power must be cut");
  await eventually("the end of everything", () => Promise.resolve(records.some(isRunning) ? undefined : true));
  const output = await bringUp();
  assert.match(output, /^Nothing changed: all \d+ resources are as declared/m);
  assert.deepEqual(await phases(), ready);
  // K3k's kubelets replace their pods once more when the guest's API answers again.
  await eventually(
    "the shop, with what was written and synced",
    async () => {
      const again = await readyPod("shop");
      const read = await inPod(again, "cat", "/data/cut", "/data/index.html");
      return read.text === written + page && visited(`https://${shopHost}/`) === page ? true : undefined;
    },
    180,
  );
});
