import assert from "node:assert/strict";
import { test } from "node:test";
import { alertmanagerConfig, targetPorts } from "../../../../../components/plan/monitoring/alertmanager.ts";

const ntfy = "https://ntfy.example/home/kraft-topic";

/** The webhooks of one receiver. */
function webhooks(config: ReturnType<typeof alertmanagerConfig>, name: string) {
  const receiver = config.receivers.find((each) => each.name === name);
  return receiver !== undefined && "webhook_configs" in receiver ? (receiver.webhook_configs ?? []) : [];
}

test("ntfy gets a message as JSON at the server's root, with the topic in it", () => {
  const [hook] = webhooks(alertmanagerConfig({ ntfy }), "operator");
  assert.ok(hook !== undefined && "payload" in hook);
  assert.equal(hook.url, "https://ntfy.example/home/");
  assert.equal(hook.payload.topic, '"kraft-topic"');
  assert.match(hook.payload.message, /Runbook/);
});

test("secrets are read from files: none is in the configuration", () => {
  const email = { to: "a@b.example", from: "c@d.example", server: "smtp.example:587", user: "eva" };
  const targets = { ntfy, email, webhook: "https://hook.example/x" };
  const config = JSON.stringify(
    alertmanagerConfig(targets, { ntfyToken: true, emailPassword: true, webhookToken: true }),
  );
  for (const file of ["ntfy-token", "email-password", "webhook-token"]) {
    assert.ok(config.includes(`"/etc/alertmanager/${file}"`), file);
  }
  assert.doesNotMatch(JSON.stringify(alertmanagerConfig(targets)), /_file/);
});

test("a test goes to the same targets as every alert, and is not taken back", () => {
  const config = alertmanagerConfig({ ntfy, webhook: "https://hook.example/x", heartbeat: "https://hc.example/x" });
  const urls = (name: string) => webhooks(config, name).map(({ url }) => url);
  assert.deepEqual(urls("test"), urls("operator"));
  assert.deepEqual(urls("heartbeat"), ["https://hc.example/x"]);
  assert.ok(webhooks(config, "operator").every(({ send_resolved }) => send_resolved));
  assert.ok(!webhooks(config, "test").some(({ send_resolved }) => send_resolved));
});

test("Alertmanager is let out on the ports of its targets, and on no other", () => {
  const email = { to: "a@b.example", from: "c@d.example", server: "smtp.example:465" };
  assert.deepEqual(targetPorts({ ntfy, email, heartbeat: "https://hc.example:8443/x" }), [443, 465, 8443]);
});
