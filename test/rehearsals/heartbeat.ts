// docs/runbooks/house-dark.md with real pods: in an hour in which all is well, a receiver outside of the home hears heartbeats and
// nothing else. Then the power of every node is cut: nobody inside can tell of it, and the service outside misses the heartbeat.
import { setTimeout as sleep } from "node:timers/promises";
import { heartbeatSeconds } from "../../components/plan/monitoring/alertmanager.ts";
import { cutPower, powerOn } from "../../local/home/power.ts";
import { stacks } from "../../stacks/index.ts";
import { eventually } from "../cluster/embedded.ts";
import { AlertReceiver, alerts, allowance } from "./alert-receiver.ts";
import { clock, type Rehearsal } from "./rehearsal.ts";
import { moveIn } from "./tenants.ts";

const tenant = "acme";
const config = { "kraft:alerts": alerts };

/** How long all is well. */
const quietMinutes = 60;

/** Minutes after which the service outside says something: a period of five, and ten of grace (docs/monitoring.md). */
const graceMinutes = 15;

export async function run(rehearsal: Rehearsal): Promise<void> {
  const home = rehearsal.home();
  await rehearsal.step("a home comes up, with three tenants", () => rehearsal.bringUp(home, config));
  const receiver = new AlertReceiver(home);
  rehearsal.removeAtEnd(() => {
    receiver.leave();
  });
  const heartbeat = (since: number): Promise<number> =>
    eventually("a heartbeat", () => Promise.resolve(receiver.heartbeats.find((at) => at > since)), 600);

  await rehearsal.step(`${tenant} moves in`, () => moveIn(home, tenant));
  await rehearsal.step("the first heartbeat", () => heartbeat(0));
  await quiet(rehearsal, receiver);

  await rehearsal.step("the power of every node is cut", async () => {
    for (const { name } of stacks.get("local")?.nodes ?? []) {
      await cutPower(home.directory, name);
    }
  });
  // What was on its way still arrives.
  await sleep(5000);
  const cut = Date.now();
  await rehearsal.step("the service waits", () => sleep(graceMinutes * 60_000));
  const beats = receiver.heartbeats.filter((at) => at > cut).length;
  rehearsal.expect(
    `heartbeats in ${graceMinutes} minutes without power: the service tells`,
    String(beats),
    beats === 0,
  );
  const messages = messagesSince(receiver, cut);
  rehearsal.expect("messages meanwhile, which nobody can send", messages || "none", messages === "");

  const back = Date.now();
  powerOn(home.directory);
  await rehearsal.step("the power is back: npm run local", () => rehearsal.bringUp(home, config));
  rehearsal.figure("the heartbeat is back, after the power was", clock(((await heartbeat(cut)) - back) / 1000));
  rehearsal.figure("messages since the power is back", messagesSince(receiver, cut) || "none");
  await rehearsal.command("npx kraft status -s local", () => home.tool("status", "-s", "local"));
}

/** All is well: nobody is told of anything, and the heartbeat comes. */
async function quiet(rehearsal: Rehearsal, receiver: AlertReceiver): Promise<void> {
  const from = Date.now();
  await rehearsal.step("all is well", () => sleep(quietMinutes * 60_000));
  const messages = messagesSince(receiver, from);
  rehearsal.expect(`messages in ${quietMinutes} minutes in which all is well`, messages || "none", messages === "");
  const beats = [from, ...receiver.heartbeats.filter((at) => at >= from), Date.now()];
  const longest = Math.max(...beats.slice(1).map((at, index) => at - (beats[index] ?? at))) / 1000;
  rehearsal.expect(
    "heartbeats meanwhile, and the longest time without one",
    `${beats.length - 2}, ${clock(longest)}`,
    longest <= heartbeatSeconds + allowance,
  );
}

/** Each alert that was told since then, in milliseconds since 1970. */
function messagesSince(receiver: AlertReceiver, since: number): string {
  return receiver.told
    .filter(({ at }) => at >= since)
    .map(
      ({ labels, annotations, status }) => `${labels["alertname"] ?? "?"} ${status} (${annotations["summary"] ?? "?"})`,
    )
    .join(", ");
}
