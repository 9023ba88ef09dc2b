// A tenant's afternoon: from their kubeconfig to a site on the web whose data moves to another machine.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import * as k8s from "@kubernetes/client-node";
import { parse, parseAllDocuments } from "yaml";
import { paths } from "../../cluster/paths.ts";
import { reportKey, reportNamespace, termsName } from "../../components/plan/tenant-terms.ts";
import { tenantFiles } from "../../kraft/welcome/files.ts";
import { router } from "../../local/home/addresses.ts";
import { eventually } from "../cluster/embedded.ts";
import {
  atVisitor,
  firstUp,
  guest,
  guestKubeconfig,
  host as hostCluster,
  inPod,
  namespace,
  overLoopback,
  readyPod,
  roots,
  tenant,
  tool,
  visited,
  websecure,
} from "./home.ts";
import { app, host, page } from "./shop.ts";

test("the run that brings everything up ends with a site and a tenant's kubeconfig", () => {
  assert.match(firstUp, / created/);
  assert.match(firstUp, /curl --cacert .*www\.acme\.example/);
});

test("the tenant reads in the guest what is agreed with them, and nothing of anybody else's", async () => {
  const { data } = await eventually(`${termsName} in the guest`, async () =>
    (await guest()).get(paths.configMaps.named(reportNamespace, termsName)),
  );
  const text = data?.[reportKey] ?? "";
  assert.match(text, /^What the cluster acme may use/);
  assert.match(text, /memory: 4Gi/);
  assert.match(text, /volumes of kraft-standard: every day at \d\d:\d\d UTC, 30 kept/);
  assert.match(text, /nobody measures/);
  assert.doesNotMatch(text, /blue|coral/);
});

test("the kubeconfig names the guest's API as the internet knows it, and the visitor's call gets there", async () => {
  const { stdout } = await tool("kubeconfig", tenant);
  const file = parse(stdout) as {
    readonly clusters: readonly [{ readonly cluster: Readonly<Record<string, string>> }];
    readonly users: readonly [{ readonly user: Readonly<Record<string, string>> }];
  };
  const { cluster } = file.clusters[0];
  const { user } = file.users[0];
  assert.equal(cluster["server"], "https://acme.api.kraft.test");
  const files = {
    ca: cluster["certificate-authority-data"],
    cert: user["client-certificate-data"],
    key: user["client-key-data"],
  };
  for (const [name, data] of Object.entries(files)) {
    atVisitor("sh", "-c", `echo ${data ?? ""} | base64 -d >/tmp/${name}`);
  }
  const credentials = ["--cacert", "/tmp/ca", "--cert", "/tmp/cert", "--key", "/tmp/key"];
  const answer = atVisitor("curl", "-sS", ...credentials, `${cluster["server"]}/api/v1/nodes`);
  const nodes = (JSON.parse(answer) as { readonly items: readonly { metadata: { name: string } }[] }).items;
  assert.deepEqual(
    nodes.map(({ metadata }) => metadata.name),
    ["optiplex-1", "optiplex-2", "optiplex-3"],
  );
});

test("the bundle that the operator hands over has an application that runs as it is", async () => {
  const out = join(mkdtempSync(join(tmpdir(), "kraft-bundle-")), tenant);
  try {
    const { code, stderr } = await tool("onboard", tenant, "--out", out);
    assert.equal(code, 0, stderr);
    const read = (name: string): string => readFileSync(join(out, name), "utf8");
    const client = k8s.KubernetesObjectApi.makeApiClient(overLoopback(read(tenantFiles.kubeconfig)));
    for (const document of parseAllDocuments(read(tenantFiles.sample))) {
      await client.create(document.toJS() as k8s.KubernetesObject);
    }
  } finally {
    rmSync(dirname(out), { recursive: true });
  }
  const pod = await readyPod(app);
  const written = await inPod(pod, "sh", "-c", `printf '${page.trim()}\\n' >/data/index.html && sync`);
  assert.deepEqual(written, { code: 0, text: "" });
});

test("a kubeconfig for a day opens the guest until it is revoked", async () => {
  const via = ["--via", `127.0.0.1:${websecure()}`];
  const { code, stdout, stderr } = await tool("kubeconfig", tenant, "--days", "1", ...via);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /is valid until .* \(in 2[34] h\)/);
  const client = overLoopback(stdout).makeApiClient(k8s.CoreV1Api);
  const { items } = await client.listNode();
  assert.equal(items.length, 3);
  const revoked = await tool("kubeconfig", tenant, "--revoke", ...via);
  assert.equal(revoked.code, 0, revoked.stderr);
  // The API server remembers for some seconds whom it let in.
  await eventually("a refusal", () =>
    client.listNode().then(
      () => undefined,
      (error: unknown) => (error instanceof k8s.ApiException && error.code === 401 ? true : undefined),
    ),
  );
});

test("the visitor finds the name by its CNAME, is sent from http to https, and gets the right bytes with a certificate of the internet's authority", async () => {
  assert.deepEqual(atVisitor("dig", "+short", host).trim().split("\n"), ["ingress.kraft.test.", router.publicAddress]);
  assert.match(
    atVisitor("curl", "-sSi", `http://${host}/a?b=c`),
    /^HTTP\/1\.1 301 .*\r\n(?:.*\r\n)*Location: https:\/\/shop\.acme\.example\/a\?b=c\r\n/i,
  );
  let answer = "";
  await eventually(
    `https://${host}`,
    async () => {
      answer = visited(`https://${host}/`);
      return Promise.resolve(answer === page ? true : undefined);
    },
    120,
  ).catch((error: unknown) => assert.fail(`${String(error)}: ${answer}`));
  const chain = atVisitor(
    "sh",
    "-c",
    `openssl s_client -connect ${host}:443 -servername ${host} -CAfile ${roots} -verify_return_error -verify_hostname ${host} </dev/null`,
  );
  assert.match(chain, /Verify return code: 0 \(ok\)/);
  assert.match(chain, /i:CN\s?=\s?Pebble Root CA/);
});

test("logs are those of the container", async () => {
  const api = (await guestKubeconfig()).makeApiClient(k8s.CoreV1Api);
  const log = await api.readNamespacedPodLog({ name: await readyPod(app), namespace: "default" });
  assert.match(log, /^serving \/data\n/);
});

test("a command runs in the container, and its exit code comes back", async () => {
  assert.deepEqual(await inPod(await readyPod(app), "sh", "-c", "hostname; exit 7"), {
    code: 7,
    text: `${await readyPod(app)}\n`,
  });
});

// K3k 1.1.0 would open a port of its own kubelet's in place of the pod's (`PortForward` in k3k-kubelet/provider/provider.go),
// and has no right to: given it, the tenant gets "Unable to listen on port 8080" in place of the page.
test("a port of the pod cannot be forwarded, as the trust model says", async () => {
  const forwarding = new k8s.PortForward(await guestKubeconfig());
  const [request, answer, failure] = [new PassThrough(), new PassThrough(), new PassThrough()];
  let answered = "";
  answer.on("data", (part: Buffer) => (answered += part.toString("utf8")));
  request.write("GET / HTTP/1.0\r\n\r\n");
  const pod = await readyPod(app);
  const socket = (await forwarding.portForward("default", pod, [8080], answer, failure, request)) as EventTarget;
  await new Promise((resolve) => {
    socket.addEventListener("close", resolve);
  });
  assert.equal(answered, "");
  const review = await hostCluster().create<{ readonly status?: { readonly allowed: boolean } }>(
    "/apis/authorization.k8s.io/v1/subjectaccessreviews",
    {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SubjectAccessReview",
      spec: {
        user: `system:serviceaccount:${namespace}:k3k-${tenant}-kubelet`,
        resourceAttributes: { namespace, verb: "create", resource: "pods", subresource: "portforward" },
      },
    },
  );
  assert.equal(review.status?.allowed, false);
});

test("the pod moves to another machine, and its data is there", async () => {
  const api = await guest();
  const pod = await readyPod(app);
  const from = (await api.get(paths.pods.named("default", pod)))?.spec?.nodeName;
  const to = ["optiplex-1", "optiplex-2", "optiplex-3"].find((node) => node !== from) ?? "";
  await api.merge("/apis/apps/v1/namespaces/default/deployments/shop", {
    spec: { template: { spec: { nodeSelector: { "kubernetes.io/hostname": to } } } },
  });
  const moved = await readyPod(app, to, 120);
  assert.equal((await inPod(moved, "cat", "/data/index.html")).text, page);
  await eventually("the site, from there", () =>
    Promise.resolve(visited(`https://${host}/`) === page ? true : undefined),
  );
});
