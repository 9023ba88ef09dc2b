import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { apiServerArguments } from "../../../components/plan/machines/api-server.ts";
import { k3sConfiguration, kubeletConfiguration } from "../../../components/plan/machines/k3s.ts";
import { podBridgeRules } from "../../../components/plan/machines/pod-bridges.ts";

const project = resolve(import.meta.dirname, "../../..");
const page = readFileSync(resolve(project, "docs/first-steps.md"), "utf8");

test("whoever sets k3s up is told what keeps tenants apart where Kraft does", () => {
  const [, block = ""] = /^\*\*Your own k3s\*\*.*?^```yaml\n(.*?)^```/ms.exec(page) ?? [];
  const own = k3sConfiguration({ podCidr: "", serviceCidr: "", clusterDns: "", apiNames: [] });
  assert.deepEqual(parse(block), {
    disable: own["disable"],
    "kube-apiserver-arg": apiServerArguments(),
    "kubelet-arg": [`seccomp-default=${String(kubeletConfiguration()["seccompDefault"])}`],
  });
});

test("the command that prints the rules of a node works as the page has it", () => {
  const [command = ""] = /^node --print .*/m.exec(page) ?? [];
  const { stdout, stderr } = spawnSync("sh", ["-c", command], { cwd: project, encoding: "utf8" });
  assert.equal(stdout.trim(), podBridgeRules("10.43.0.10").trim(), stderr);
});
