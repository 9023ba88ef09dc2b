// One machine loses its power, and gets it back: here the network storage, which nothing of the platform needs.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, test } from "node:test";
import { nas } from "../../local/home/addresses.ts";
import { inNetworkOf, machineProcess, runInMachine } from "../../local/home/enter.ts";
import { cutPower, powerOn } from "../../local/home/power.ts";
import { eventually } from "../cluster/embedded.ts";
import { directory } from "./home.ts";

function page(): string {
  return runInMachine(directory, "optiplex-2", "curl", "-sS", "-m", "3", `http://${nas.address}/`).stdout;
}

test("a machine whose power is cut answers nobody, and is back with its cables once it has power again", async () => {
  assert.match(page(), /photographs/);
  // Somebody is in its network from outside, so that this is still there when the power is back.
  const [executable = "", ...rest] = inNetworkOf(directory, nas.name, "sh", "-c", "echo in; exec sleep 60");
  const inside = spawn(executable, rest, { stdio: ["ignore", "pipe", "inherit"] });
  after(() => inside.kill());
  await once(inside.stdout, "data");
  await cutPower(directory, nas.name);
  assert.equal(page(), "");
  await assert.rejects(cutPower(directory, nas.name), /off already/);
  powerOn(directory);
  await eventually("the page of the storage", () => Promise.resolve(page().includes("photographs") ? true : undefined));
  assert.ok(machineProcess(directory, nas.name) !== undefined);
});
