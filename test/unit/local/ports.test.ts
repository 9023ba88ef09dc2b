import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { freePorts, isFree } from "../../../local/state.ts";

test("ports are different, free, not taken, and none that the kernel gives to an outgoing connection", async () => {
  const taken = await freePorts(50);
  const ports = await freePorts(50, taken);
  assert.equal(new Set([...taken, ...ports]).size, 100);
  const [firstOutgoing = 0] = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").split(/\s+/).map(Number);
  for (const port of ports) {
    assert.ok(port > 1024 && port < firstOutgoing, String(port));
    assert.ok(await isFree(port), String(port));
  }
});

test("a port that somebody listens on is not free", async () => {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  assert.equal(await isFree(port), false);
  await new Promise((done) => server.close(done));
  assert.equal(await isFree(port), true);
});
