import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { TLSSocket } from "node:tls";
import { stringify } from "yaml";
import { readStackFile, type StackFile } from "../../../../infra/config/stack-file.ts";
import { hostOf } from "../../../../kraft/cli/host.ts";
import { stacks } from "../../../../stacks/index.ts";
import { selfSigned } from "../../../fixtures/kraft/certificate.ts";
import { folderWith } from "../../../fixtures/kraft/command.ts";

const uid = "11111111-2222-3333-4444-555555555555";
const day = 86_400_000;
const serving = selfSigned("kube-apiserver", new Date(Date.now() + day));
const client = selfSigned("operator", new Date(Date.now() + day));
const folder = mkdtempSync(join(tmpdir(), "kraft-host-"));
const stack = stacks.get("homelab") ?? assert.fail("no stack homelab");

let server: Server;
/** How often the server still says that it is busy, and in which words. */
let busy = 0;
const storage = { status: 429, message: "storage is (re)initializing" };
const quota = {
  status: 409,
  message:
    'Operation cannot be fulfilled on resourcequotas "kraft-objects": the object has been modified; please apply your changes to the latest version and try again',
};
const another = { status: 409, message: 'Operation cannot be fulfilled on pods "web": the object has been modified' };
let answer = storage;
/** Who the server took the last caller for. */
let caller: string;

before(async () => {
  server = createServer(
    {
      cert: serving.certificate,
      key: serving.key,
      ca: client.certificate,
      requestCert: true,
      rejectUnauthorized: false,
    },
    (request, response) => {
      const { socket } = request;
      const { authorization = "" } = request.headers;
      caller =
        socket instanceof TLSSocket && socket.authorized
          ? String(socket.getPeerCertificate().subject.CN)
          : authorization;
      if (caller === "") {
        response.writeHead(401).end(JSON.stringify({ kind: "Status", message: "Unauthorized" }));
      } else if (request.url === "/api/v1/namespaces/kube-system") {
        response.end(JSON.stringify({ metadata: { name: "kube-system", uid } }));
      } else if (request.url === "/api/v1/nodes") {
        response.end(JSON.stringify({ items: [{ metadata: { name: "one" } }] }));
      } else if (request.url === "/busy" && busy > 0) {
        busy -= 1;
        response.writeHead(answer.status).end(JSON.stringify({ kind: "Status", message: answer.message }));
      } else if (request.url === "/busy") {
        response.end(JSON.stringify({ items: [] }));
      } else if (request.url === "/broken") {
        response.writeHead(500).end("etcd is gone");
      } else {
        response.writeHead(404).end("404 page not found");
      }
    },
  );
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
});

after(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

/** Writes a kubeconfig for this user and connects as a verb does. */
async function connected(user: Readonly<Record<string, string>>, values: Readonly<Record<string, unknown>> = {}) {
  const { port } = server.address() as AddressInfo;
  const kubeconfig = join(folder, "kubeconfig.yaml");
  writeFileSync(
    kubeconfig,
    stringify({
      apiVersion: "v1",
      kind: "Config",
      "current-context": "another",
      clusters: [
        {
          name: "c",
          cluster: {
            server: `https://127.0.0.1:${port}`,
            "certificate-authority-data": base64(serving.certificate),
          },
        },
      ],
      users: [{ name: "u", user }],
      contexts: [
        { name: "another", context: { cluster: "nowhere", user: "nobody" } },
        { name: "kraft-homelab", context: { cluster: "c", user: "u" } },
      ],
    }),
  );
  let file: StackFile | undefined;
  await folderWith(values, (directory) => {
    file = readStackFile(stack, directory);
  });
  return hostOf(file ?? assert.fail(), { kubeconfig, context: "kraft-homelab", uid });
}

test("an API server that is busy is asked again, but not for ever", async () => {
  const host = await connected({ token: "secret" });
  for (answer of [storage, quota]) {
    busy = 2;
    assert.deepEqual(await host.list("/busy"), []);
  }
  answer = storage;
  busy = 100;
  await assert.rejects(host.list("/busy"), /429 storage is \(re\)initializing/);
  answer = another;
  busy = 1;
  await assert.rejects(host.list("/busy"), /409 Operation cannot be fulfilled on pods/);
});

describe("credentials of a kubeconfig", () => {
  const key = join(folder, "client.key");
  const certificate = join(folder, "client.crt");
  before(() => {
    writeFileSync(key, client.key);
    writeFileSync(certificate, client.certificate);
  });

  for (const [name, user, expected] of [
    ["a token", { token: "example" }, "Bearer example"],
    [
      "a client certificate",
      { "client-certificate-data": base64(client.certificate), "client-key-data": base64(client.key) },
      "operator",
    ],
    [
      "files with a client certificate, relative to the kubeconfig",
      { "client-certificate": "client.crt", "client-key": "client.key" },
      "operator",
    ],
  ] as const) {
    test(name, async () => {
      const host = await connected(user);
      assert.equal(caller, expected);
      assert.equal(host.uid, uid);
      assert.deepEqual(await host.list("/api/v1/nodes"), [{ metadata: { name: "one" } }]);
    });
  }

  test("none: the server's refusal in its own words", async () => {
    await assert.rejects(connected({}), /refuses the credentials of context kraft-homelab of .*: Unauthorized/);
  });
});

describe("the end of a client certificate", () => {
  const inDays = (days: number) => new Date(Math.floor((Date.now() + days * day) / 1000) * 1000);
  const user = (end: Date) => {
    const { certificate, key } = selfSigned("operator", end);
    return { "client-certificate-data": base64(certificate), "client-key-data": base64(key) };
  };

  test("it is told, of the operator's own certificate where others vouch for it", async () => {
    const end = inDays(20);
    const own = selfSigned("operator", end);
    // The server knows nobody but the operator of above, so it is asked by a token; the certificate goes along.
    const chain = { "client-certificate-data": base64(`${own.certificate}${serving.certificate}`) };
    const host = await connected({ ...chain, "client-key-data": base64(own.key), token: "example" });
    assert.deepEqual(host.certificateEnd, end);
    assert.equal((await connected({ token: "example" })).certificateEnd, undefined);
  });

  test("once it has ended nothing is asked, and the way to a new one is named", async () => {
    const asked = caller;
    caller = "nobody";
    const end = inDays(-1);
    await assert.rejects(connected(user(end), { "kraft:machines": { user: "kraft" } }), (error: Error) => {
      assert.match(error.message, new RegExp(`client certificate ended at ${end.toISOString()}`));
      assert.match(error.message, /fix: +npx kraft host-kubeconfig -s homelab --force/);
      return true;
    });
    await assert.rejects(connected(user(end)), /fix: +fetch \/etc\/rancher\/k3s\/k3s.yaml/);
    assert.equal(caller, "nobody");
    caller = asked;
  });

  test("a damaged certificate is named, not sent", async () => {
    await assert.rejects(
      connected({ ...user(inDays(20)), "client-certificate-data": base64("damaged") }),
      /context kraft-homelab of .* cannot be used/,
    );
  });
});

test("a kind that the cluster does not have has no objects; a failure is one", async () => {
  const host = await connected({ token: "example" });
  assert.deepEqual(await host.list("/apis/longhorn.io/v1beta2/volumes"), []);
  assert.equal(await host.get("/api/v1/namespaces/nobody"), undefined);
  await assert.rejects(host.get("/broken"), /\/broken: 500 etcd is gone/);
});
