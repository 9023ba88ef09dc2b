import assert from "node:assert/strict";
import { test } from "node:test";
import { testAttempts, testOutcome } from "../../../../kraft/alert/figures.ts";

function figures(sent: number, failed: number): string {
  const labels = (receiver: string) => `{integration="webhook",receiver_name="${receiver}"}`;
  return [
    "# TYPE alertmanager_notification_requests_total counter",
    `alertmanager_notification_requests_total${labels("heartbeat")} 70`,
    `alertmanager_notification_requests_total${labels("test")} ${sent}`,
    `alertmanager_notification_requests_failed_total${labels("heartbeat")} 3`,
    `alertmanager_notification_requests_failed_total${labels("test")} ${failed}`,
    `alertmanager_notification_requests_total{integration="email",receiver_name="test"} 0`,
    "",
  ].join("\n");
}

test("only what was sent as a test counts, and not what was sent before", () => {
  const [before, after] = [testAttempts(figures(4, 1)), testAttempts(figures(7, 2))];
  assert.deepEqual(testOutcome(before, after, "webhook"), { taken: 2, refused: 1 });
  assert.deepEqual(testOutcome(before, after, "email"), { taken: 0, refused: 0 });
  assert.deepEqual(testOutcome(new Map(), after, "webhook"), { taken: 5, refused: 2 });
});

test("an Alertmanager without such figures has taken nothing", () => {
  assert.equal(testAttempts('alertmanager_notification_requests_total{integration="webhook"} 7\n').size, 0);
});
