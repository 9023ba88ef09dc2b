import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { apiServerArguments } from "../../../components/plan/machines/api-server.ts";
import { k3sConfiguration, kubeletConfiguration } from "../../../components/plan/machines/k3s.ts";

test("whoever sets k3s up is told what keeps tenants apart where Kraft does", () => {
  const page = readFileSync(resolve(import.meta.dirname, "../../../docs/first-steps.md"), "utf8");
  const [, block = ""] = /^\*\*Your own k3s\*\*.*?^```yaml\n(.*?)^```/ms.exec(page) ?? [];
  const own = k3sConfiguration({ podCidr: "", serviceCidr: "", clusterDns: "", apiNames: [] });
  assert.deepEqual(parse(block), {
    disable: own["disable"],
    "kube-apiserver-arg": apiServerArguments(),
    "kubelet-arg": [`seccomp-default=${String(kubeletConfiguration()["seccompDefault"])}`],
  });
});
