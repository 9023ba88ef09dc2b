// docs/runbooks/house-dark.md with real pods: the power of every node is cut. Nobody can tell of it from inside, and a service outside of
// the home misses the heartbeat.
import { setTimeout as sleep } from "node:timers/promises";
import { cutPower, powerOn } from "../../local/home/power.ts";
import { stacks } from "../../stacks/index.ts";
import { eventually } from "../cluster/embedded.ts";
import { AlertReceiver, alerts } from "./alert-receiver.ts";
import { clock, type Rehearsal } from "./rehearsal.ts";

const config = { "kraft:alerts": alerts };

/** Minutes after which the service says something: a period of five, and ten of grace (docs/monitoring.md). */
const minutes = 15;

export async function run(rehearsal: Rehearsal): Promise<void> {
  const home = rehearsal.home();
  await rehearsal.step("a home comes up", () => rehearsal.bringUp(home, config));
  const receiver = new AlertReceiver(home);
  rehearsal.removeAtEnd(() => {
    receiver.leave();
    return Promise.resolve();
  });
  const up = Date.now();
  const heartbeat = (since: number, seconds: number): Promise<number> =>
    eventually("a heartbeat", () => Promise.resolve(receiver.heartbeats.find((at) => at > since)), seconds);
  rehearsal.figure("the first heartbeat, after all was up", clock(((await heartbeat(0, 600)) - up) / 1000));
  await rehearsal.step("the power of every node is cut", async () => {
    for (const { name } of stacks.get("local")?.nodes ?? []) {
      await cutPower(home.directory, name);
    }
  });
  // What was on its way still arrives.
  await sleep(5000);
  const cut = Date.now();
  await rehearsal.step("the service waits", () => sleep(minutes * 60_000));
  const beats = receiver.heartbeats.filter((at) => at > cut).length;
  rehearsal.expect(`heartbeats in ${minutes} minutes without power: the service tells`, String(beats), beats === 0);
  const messages = receiver.messages.filter((at) => at > cut).length;
  rehearsal.expect("messages meanwhile, which nobody can send", String(messages), messages === 0);
  powerOn(home.directory);
  await rehearsal.step("the power is back, npm run local", () => rehearsal.bringUp(home, config));
  const back = Date.now();
  rehearsal.figure("the heartbeat is back, after all was up", clock(((await heartbeat(cut, 600)) - back) / 1000));
  await rehearsal.command("npx kraft status -s local", () => home.tool("status", "-s", "local"));
}
