import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { kubeconfigPath } from "../../../../cluster/kubeconfig.ts";
import { writeCredential } from "../../../../kraft/kubeconfig/file.ts";
import { rewriteKubeconfig } from "../../../../kraft/kubeconfig/rewrite.ts";
import { k3kKubeconfig } from "../../../fixtures/kraft/k3k-kubeconfig.ts";

const notAfter = new Date("2027-11-23T09:00:00Z");
const server = "https://acme.api.kraft.example";

interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: Readonly<Record<string, string>> }[];
  readonly users: readonly { readonly user: Readonly<Record<string, string>> }[];
}

test("server and names are the tenant's; authority, certificate and key stay as K3k wrote them", () => {
  const source = k3kKubeconfig(notAfter);
  const { text, expires } = rewriteKubeconfig(source, "acme", server, "K3k");
  const before = parse(source) as Kubeconfig;
  assert.deepEqual(parse(text), {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "acme", cluster: { ...before.clusters[0]?.cluster, server } }],
    users: [{ name: "acme", user: before.users[0]?.user }],
    contexts: [{ name: "acme", context: { cluster: "acme", user: "acme" } }],
    "current-context": "acme",
  });
  assert.deepEqual(expires, notAfter);
  assert.ok(!text.includes("10.43."));
});

test("the fixture's certificate is one, with its subject", () => {
  const { users } = parse(k3kKubeconfig(notAfter)) as Kubeconfig;
  const certificate = new X509Certificate(Buffer.from(users[0]?.user["client-certificate-data"] ?? "", "base64"));
  assert.equal(certificate.subject, "CN=system:admin");
  assert.ok(certificate.verify(certificate.publicKey));
});

test("without a client certificate the expiry is not known", () => {
  const source = k3kKubeconfig(notAfter).replace(/client-certificate-data: .*/, "token: example");
  assert.equal(rewriteKubeconfig(source, "acme", server, "K3k").expires, undefined);
});

describe("a kubeconfig of another shape is refused, without a word of its content", () => {
  for (const [what, change, message] of [
    ["no YAML", () => "clusters: [", /it is not YAML/],
    ["empty", () => "", /not exactly one entry under clusters/],
    ["two users", (text: string) => text.replace("users:\n", "users:\n  - {}\n"), /not exactly one entry under users/],
    [
      "no authority",
      (text: string) => text.replace("certificate-authority-data", "certificate-authority"),
      /no certificate-authority-data/,
    ],
    [
      "a damaged certificate",
      (text: string) => text.replace(/client-certificate-data: ..../, "client-certificate-data: AAAA"),
      /certificate cannot be read/,
    ],
  ] as const) {
    test(what, () => {
      assert.throws(() => rewriteKubeconfig(change(k3kKubeconfig(notAfter)), "acme", server, "K3k"), {
        name: "Failure",
        message,
      });
    });
  }
});

describe("writing it", () => {
  function inFolder(use: (path: string, folder: string) => void): void {
    const folder = mkdtempSync(join(tmpdir(), "kraft-credential-"));
    try {
      use(join(folder, "acme.yaml"), folder);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  test("only its user can read the file", () => {
    inFolder((path) => {
      writeCredential(path, "secret\n", false);
      assert.equal(readFileSync(path, "utf8"), "secret\n");
      assert.equal(statSync(path).mode & 0o777, 0o600);
    });
  });

  test("what is there stays, without --force", () => {
    inFolder((path) => {
      writeFileSync(path, "mine");
      assert.throws(() => {
        writeCredential(path, "secret", false);
      }, /is there already and was left as it is\n {2}replace it with --force/);
      assert.equal(readFileSync(path, "utf8"), "mine");
    });
  });

  test("with --force it is replaced, and what others could read they can read no more", () => {
    inFolder((path, folder) => {
      writeFileSync(path, "mine", { mode: 0o644 });
      writeCredential(path, "secret", true);
      assert.equal(readFileSync(path, "utf8"), "secret");
      assert.equal(statSync(path).mode & 0o777, 0o600);
      assert.deepEqual(readdirSync(folder), ["acme.yaml"]);
    });
  });

  test("a folder that is not there is named", () => {
    assert.throws(() => {
      writeCredential("/nonexistent/acme.yaml", "secret", false);
    }, /^Failure: \/nonexistent\/acme\.yaml cannot be written: ENOENT/);
  });
});

test("the host's kubeconfig: ~/ is the home folder, and what is relative is so to the stack file", () => {
  assert.equal(kubeconfigPath("~/.kube/x.yaml", "/checkout", "/home/operator"), "/home/operator/.kube/x.yaml");
  assert.equal(kubeconfigPath("./x.yaml", "/checkout", "/home/operator"), "/checkout/x.yaml");
  assert.equal(kubeconfigPath("/etc/x.yaml", "/checkout", "/home/operator"), "/etc/x.yaml");
});
