// The stand-in for K3s as a process of its own, in a network of its own: on its ports, as in a guest's pod.
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { once } from "node:events";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { request } from "node:https";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { terminalReporter } from "../../local/terminal.ts";
import { readyTools, toolPath } from "../../local/toolchain/ready.ts";

const variable = "KRAFT_TEST_GUEST_SERVER";
const program = process.env[variable];
if (program === undefined) {
  runInOwnNetwork(toolPath(await readyTools(terminalReporter(), ["nodes"]), "k3s-stand-in"));
}

/** Runs this file a second time where only its own addresses exist, and ends with it. */
function runInOwnNetwork(path: string): never {
  const root = process.getuid?.() === 0;
  const isolated = ["--net", "--pid", "--mount", "--fork", "--kill-child", "--mount-proc"];
  const result = spawnSync(
    "unshare",
    [...isolated, ...(root ? [] : ["--map-root-user"]), process.execPath, import.meta.filename],
    { stdio: "inherit", env: { ...process.env, [variable]: path } },
  );
  process.exit(result.status ?? 1);
}

const firstAddress = "10.99.0.2";
const secondAddress = "10.99.0.3";

function ip(line: string): void {
  execFileSync("ip", line.split(" "));
}

/** Gives this network one address, as a pod has it, with a default route by which a server finds its own address. */
function takeAddress(address: string): void {
  ip("addr flush dev eth0");
  ip(`addr add ${address}/24 dev eth0`);
  ip("route add default via 10.99.0.1");
}

ip("link set lo up");
ip("link add eth0 type veth peer name other");
ip("link set other up");
ip("link set eth0 up");
takeAddress(firstAddress);

/** What a guest's server may use at most while it has nothing to do. */
const idleMebibytes = 400;

const directory = mkdtempSync(join(tmpdir(), "kraft-guest-server-"));
const data = join(directory, "data");
const token = "0123456789abcdef";
/** What K3k 1.1.0 writes for a shared cluster's one server (its pkg/controller/cluster/server/config.go). */
const configuration = {
  "cluster-init": true,
  token,
  "cluster-cidr": "10.42.0.0/16",
  "service-cidr": "10.43.0.0/16",
  "cluster-dns": "10.43.0.10",
  "tls-san": ["10.43.7.7", "k3k-acme-service", "k3k-acme-service.k3k-acme"],
  "disable-agent": true,
  "egress-selector-mode": "disabled",
  disable: ["servicelb", "traefik", "metrics-server", "local-storage"],
  "data-dir": data,
  "write-kubeconfig": join(directory, "k3s.yaml"),
};

interface Server {
  readonly process: ChildProcess;
  log(): string;
}

const started = new Set<ChildProcess>();
let runs = 0;

/** Starts the program as K3k's script does. */
function start(keys: Readonly<Record<string, unknown>> = {}, ...options: string[]): Server {
  runs += 1;
  const file = join(directory, `config-${runs}.yaml`);
  const logFile = join(directory, `log-${runs}`);
  writeFileSync(file, JSON.stringify({ ...configuration, ...keys }));
  const output = openSync(logFile, "w");
  const child = spawn(program ?? "", ["server", ...options, "--config", file], { stdio: ["ignore", output, output] });
  closeSync(output);
  started.add(child);
  child.once("exit", () => started.delete(child));
  return { process: child, log: () => readFileSync(logFile, "utf8") };
}

/** Waits for the end of a run, and returns its exit code and what it printed. */
async function ended(server: Server): Promise<{ readonly code: number | null; readonly log: string }> {
  if (server.process.exitCode === null && server.process.signalCode === null) {
    await once(server.process, "exit");
  }
  return { code: server.process.exitCode, log: server.log() };
}

async function until<Value>(
  what: string,
  seconds: number,
  find: () => Value | undefined | Promise<Value | undefined>,
): Promise<Value> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const found = await find();
    if (found !== undefined) {
      return found;
    }
    assert.ok(Date.now() < deadline, `not within ${seconds} s: ${what}`);
    await sleep(100);
  }
}

interface Call {
  readonly method?: string;
  readonly body?: unknown;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly host?: string;
  readonly port?: number;
  /** Basic authentication. */
  readonly login?: string;
  readonly identity?: Identity;
  /** The authority that must have signed the server's certificate; any if there is none. */
  readonly authority?: string;
}

interface Identity {
  readonly cert: string;
  readonly key: string;
}

/** What the tests read of an API server's and etcd's answers. */
interface Body {
  readonly metadata: { readonly name: string; readonly managedFields: readonly { readonly manager: string }[] };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec: {
    readonly clusterIP: string;
    readonly template: { readonly metadata: { readonly labels: Readonly<Record<string, string>> } };
  };
  readonly status: {
    readonly user?: { readonly username: string };
    readonly conditions?: readonly { readonly type: string; readonly message: string }[];
  };
  readonly items: readonly Body[];
  readonly endpoints?: readonly { readonly addresses: readonly string[] }[];
  readonly members: readonly { readonly name: string; readonly peerURLs: readonly string[] }[];
}

interface Answer {
  readonly status: number;
  readonly text: string;
  /** Empty where the answer is no JSON. */
  readonly body: Body;
}

function call(path: string, options: Call = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: options.host ?? firstAddress,
        port: options.port ?? 6443,
        path,
        method: options.method ?? "GET",
        headers: { "content-type": options.type ?? "application/json", ...options.headers },
        ...(options.login !== undefined && { auth: options.login }),
        ...options.identity,
        ...(options.authority === undefined ? { rejectUnauthorized: false } : { ca: options.authority }),
        agent: false,
        timeout: 10_000,
      },
      (incoming) => {
        let text = "";
        incoming.setEncoding("utf8");
        incoming.on("data", (chunk: string) => (text += chunk));
        incoming.on("error", reject);
        incoming.on("end", () => {
          const isJson = incoming.headers["content-type"]?.startsWith("application/json") === true;
          resolve({ status: incoming.statusCode ?? 0, text, body: (isJson ? JSON.parse(text) : {}) as Body });
        });
      },
    );
    outgoing.on("error", reject);
    outgoing.on("timeout", () => outgoing.destroy(new Error(`${path} did not answer`)));
    outgoing.end(options.body === undefined ? undefined : JSON.stringify(options.body));
  });
}

interface Bootstrap {
  readonly serverCA: string;
  readonly clientCA: string;
  readonly clientCAKey: string;
  readonly etcdServerCA: string;
  readonly etcdServerCAKey: string;
}

/** The bootstrap data as K3k reads it: only once the server answers, and with base64 undone. */
async function bootstrap(host: string): Promise<Bootstrap> {
  const answer = await until("the bootstrap data", 30, async () => {
    try {
      return await call("/v1-k3s/server-bootstrap", { host, login: `server:${token}` });
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, "ECONNREFUSED");
      return undefined;
    }
  });
  assert.equal(answer.status, 200);
  return Object.fromEntries(
    Object.entries(answer.body as unknown as Record<string, { Content: string }>).map(([key, { Content }]) => [
      key,
      Buffer.from(Content, "base64").toString(),
    ]),
  ) as unknown as Bootstrap;
}

/** A client certificate, signed as K3k signs its own. */
function sign(name: string, subject: string, authority: string, authorityKey: string): Identity {
  const path = (ending: string): string => join(directory, `${name}.${ending}`);
  writeFileSync(path("ca.crt"), authority);
  writeFileSync(path("ca.key"), authorityKey);
  writeFileSync(path("ext"), "extendedKeyUsage=clientAuth\n");
  const openssl = (line: string): void => {
    execFileSync("openssl", line.split(" "), { cwd: directory, stdio: ["ignore", "ignore", "pipe"] });
  };
  openssl(
    `req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ${name}.key -out ${name}.csr -subj ${subject}`,
  );
  openssl(
    `x509 -req -in ${name}.csr -CA ${name}.ca.crt -CAkey ${name}.ca.key -CAcreateserial -days 1 -extfile ${name}.ext -out ${name}.crt`,
  );
  return { cert: readFileSync(path("crt"), "utf8"), key: readFileSync(path("key"), "utf8") };
}

/** Writes an addon as a mounted Secret has it: in a hidden folder, with links to it. */
function mountAddon(version: number, text: string): void {
  const addon = join(data, "server/manifests/acme-addons");
  mkdirSync(join(addon, `..v${version}`), { recursive: true });
  writeFileSync(join(addon, `..v${version}`, "addon.yaml"), text);
  symlinkSync(`..v${version}`, join(addon, "..data_new"));
  renameSync(join(addon, "..data_new"), join(addon, "..data"));
  if (!existsSync(join(addon, "addon.yaml"))) {
    symlinkSync("..data/addon.yaml", join(addon, "addon.yaml"));
  }
}

function addonText(greeting: string): string {
  return [
    JSON.stringify({
      apiVersion: "networking.k8s.io/v1",
      kind: "IngressClass",
      metadata: { name: "traefik" },
      spec: { controller: "traefik.io/ingress-controller" },
    }),
    JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "greeting" }, data: { greeting } }),
  ].join("\n---\n");
}

after(() => {
  for (const child of started) {
    child.kill("SIGKILL");
  }
  rmSync(directory, { recursive: true, force: true });
});

mountAddon(1, addonText("hello"));
let server = start({ nonsense: true });
let host = firstAddress;
const authorities = await bootstrap(host);
const admin = sign("admin", "/O=system:masters/CN=system:admin", authorities.clientCA, authorities.clientCAKey);
const api = (path: string, options: Call = {}): Promise<Answer> =>
  call(path, { host, identity: admin, authority: authorities.serverCA, ...options });
const configMaps = "/api/v1/namespaces/default/configmaps";
const servingPath = "/v1-k3s/serving-kubelet.crt";

async function apiReady(): Promise<void> {
  await until("the API server is ready", 30, async () => {
    assert.equal(server.process.exitCode, null, server.log());
    const ready = await api("/readyz").catch(() => undefined);
    return ready?.status === 200 ? true : undefined;
  });
}

/** Data of a ConfigMap once it is there. */
async function greeting(): Promise<string | undefined> {
  const { status, body } = await api(`${configMaps}/greeting`);
  return status === 200 ? body.data?.["greeting"] : undefined;
}

await apiReady();
const changedAddon = (async () => {
  await until("the addon is applied", 20, greeting);
  mountAddon(2, addonText("hello again"));
})();

test("says that it is a stand-in, wherever it speaks", () => {
  const line =
    "k3s version v1.35.4+k3s1 (stand-in of Kraft: Kubernetes' own API server, controller manager, scheduler and etcd)";
  assert.equal(execFileSync(program, ["--version"], { encoding: "utf8" }), `${line}\n`);
  assert.equal(server.log().split("\n")[0], line);
});

test("names a configuration key that it does not know, and goes on", () => {
  assert.match(server.log(), /the option nonsense is unknown to this stand-in of K3s and ignored/);
  assert.doesNotMatch(server.log(), /the option (?!nonsense)/);
});

test("the supervisor's endpoints open to their users' passwords only", async () => {
  const status = async (path: string, options: Call): Promise<number> =>
    (await call(path, { host, ...options })).status;
  const [bootstrapPath, configPath] = ["/v1-k3s/server-bootstrap", "/v1-k3s/config"];
  assert.deepEqual((await call(configPath, { host, login: `node:${token}` })).body, { ClusterInit: true });
  for (const login of [`server:${token}x`, "server:", `admin:${token}`, `:${token}`, `node:x`]) {
    assert.equal(await status(bootstrapPath, { login }), 401, login);
    assert.equal(await status(configPath, { login }), 401, login);
  }
  assert.equal(await status(bootstrapPath, {}), 401);
  // Not even an administrator of the guest: with the authorities' keys they could outlive their rights.
  assert.equal(await status(bootstrapPath, { identity: admin }), 401);
  assert.equal(await status(bootstrapPath, { login: `node:${token}` }), 403);
  assert.equal(await status(bootstrapPath, { login: `server:${token}`, method: "POST" }), 405);
  assert.equal(await status(servingPath, { login: `node:${token}x` }), 401);
  // The password opens nothing else.
  assert.equal(await status("/api/v1/secrets", { login: `server:${token}` }), 401);
});

test("a kubelet gets a serving certificate for its node and addresses, which K3k's ask for from 1.2.0 on", async () => {
  const headers = {
    "k3s-node-name": "acme-server-0",
    "k3s-node-password": token,
    "k3s-node-ip": "10.43.7.8,10.42.0.9",
  };
  const asked = (changed: Readonly<Record<string, string>> = {}): Promise<Answer> =>
    call(servingPath, { host, login: `node:${token}`, headers: { ...headers, ...changed } });
  const { status, text } = await asked();
  assert.equal(status, 200);
  const [key = "", leaf = "", authority] = text.split(/(?<=-----END [A-Z ]+-----\n)/);
  const certificate = new X509Certificate(leaf);
  assert.ok(certificate.checkPrivateKey(createPrivateKey(key)));
  assert.ok(certificate.verify(new X509Certificate(authorities.serverCA).publicKey));
  assert.equal(authority, authorities.serverCA);
  assert.equal(
    certificate.subjectAltName,
    "DNS:acme-server-0, DNS:localhost, IP Address:127.0.0.1, IP Address:10.43.7.8, IP Address:10.42.0.9",
  );
  for (const [header, text] of [
    ["k3s-node-name", ""],
    ["k3s-node-password", ""],
    ["k3s-node-ip", "10.43.7.8,nonsense"],
  ] as const) {
    assert.equal((await asked({ [header]: text })).status, 400, header);
  }
});

test("clients sign in with certificates of the bootstrap's authority, and with no others", async () => {
  for (const name of [firstAddress, "127.0.0.1"]) {
    assert.equal((await api("/api/v1/namespaces", { host: name })).status, 200, name);
  }
  const foreign = sign(
    "foreign",
    "/O=system:masters/CN=system:admin",
    authorities.etcdServerCA,
    authorities.etcdServerCAKey,
  );
  assert.equal((await api("/api/v1/namespaces", { identity: foreign })).status, 401);
  assert.equal((await call("/api/v1/namespaces", { host })).status, 401);
  assert.equal((await call("/version", { host })).status, 401);
  const nobody = sign("nobody", "/CN=nobody", authorities.clientCA, authorities.clientCAKey);
  assert.equal((await api("/api/v1/namespaces", { identity: nobody })).status, 403);
});

/** Members of the datastore, as K3k's controller reads them before it removes one. */
async function members(): Promise<Body["members"]> {
  const identity = sign("etcd", "/CN=etcd-client", authorities.etcdServerCA, authorities.etcdServerCAKey);
  const { status, body } = await call("/v3/cluster/member/list", {
    host,
    port: 2379,
    method: "POST",
    body: {},
    identity,
    authority: authorities.etcdServerCA,
  });
  assert.equal(status, 200);
  return body.members;
}

test("K3k's controller finds the server's pod among the datastore's members", async () => {
  const [member, ...others] = await members();
  assert.ok(member?.name.startsWith(`${hostname()}-`), member?.name);
  assert.deepEqual(member?.peerURLs, [`https://${firstAddress}:2380`]);
  assert.deepEqual(others, []);
  // Neither without a certificate nor with one of the guest's own.
  for (const identity of [undefined, admin]) {
    const options = { host, port: 2379, method: "POST", body: {}, ...(identity !== undefined && { identity }) };
    await assert.rejects(call("/v3/cluster/member/list", options));
  }
});

test("CoreDNS and the addons that K3k mounts are applied", async () => {
  await until("CoreDNS", 20, async () =>
    (await api("/apis/apps/v1/namespaces/kube-system/deployments/coredns")).status === 200 ? true : undefined,
  );
  const { body: service } = await api("/api/v1/namespaces/kube-system/services/kube-dns");
  assert.equal(service.spec.clusterIP, "10.43.0.10");
  const { body: deployment } = await api("/apis/apps/v1/namespaces/kube-system/deployments/coredns");
  // K3k's Service for the guest's DNS selects pods by it.
  assert.equal(deployment.spec.template.metadata.labels["k8s-app"], "kube-dns");
  assert.equal((await api("/apis/networking.k8s.io/v1/ingressclasses/traefik")).status, 200);
});

test("the controller manager and the scheduler work", async () => {
  const pod = await until("CoreDNS' pod", 20, async () => {
    const { body } = await api("/api/v1/namespaces/kube-system/pods?labelSelector=k8s-app%3Dkube-dns");
    return body.items.find((item) => item.status.conditions?.some((condition) => condition.type === "PodScheduled"));
  });
  assert.match(pod.status.conditions?.[0]?.message ?? "", /no nodes available/);
  const path = "/api/v1/namespaces/default/secrets";
  await api(path, {
    method: "POST",
    body: {
      metadata: { name: "default-token", annotations: { "kubernetes.io/service-account.name": "default" } },
      type: "kubernetes.io/service-account-token",
    },
  });
  const secret = await until("the service account's token", 20, async () => {
    const { body } = await api(`${path}/default-token`);
    return body.data?.["token"] === undefined ? undefined : body.data;
  });
  assert.equal(Buffer.from(secret["ca.crt"] ?? "", "base64").toString(), authorities.serverCA);
});

test("a changed addon is applied again", async () => {
  await changedAddon;
  await until("the changed addon", 25, async () => ((await greeting()) === "hello again" ? true : undefined));
  const { body } = await api(`${configMaps}/greeting`);
  assert.deepEqual(
    body.metadata.managedFields.map((entry) => entry.manager),
    ["deploy@k3s-stand-in"],
  );
});

test("it is small and quiet while nothing happens", async () => {
  const ticks = (): number => {
    const fields = readFileSync(`/proc/${server.process.pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return Number(fields[11]) + Number(fields[12]);
  };
  const before = ticks();
  await sleep(4000);
  // 100 ticks are one second of one core.
  const share = (ticks() - before) / 400;
  const kilobytes = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.process.pid}/status`, "utf8"))?.[1]);
  assert.ok(share < 0.15, `${Math.round(share * 100)} % of a core`);
  assert.ok(kilobytes < idleMebibytes * 1024, `${Math.round(kilobytes / 1024)} MiB`);
});

/** Writes ConfigMaps until the server dies, and returns the names of those that it acknowledged. */
async function writeUntilDeath(writers: number): Promise<string[]> {
  const acknowledged: string[] = [];
  await Promise.all(
    Array.from({ length: writers }, async (_, writer) => {
      for (let number = 0; ; number++) {
        const name = `write-${writer}-${number}`;
        try {
          const { status } = await api(configMaps, { method: "POST", body: { metadata: { name }, data: { name } } });
          if (status === 201) {
            acknowledged.push(name);
          }
        } catch {
          return;
        }
      }
    }),
  );
  return acknowledged;
}

test("a server that was killed comes back at another address with every object it had acknowledged", async () => {
  const { body: secret } = await api("/api/v1/namespaces/default/secrets/default-token");
  await api(`${configMaps}/greeting`, { method: "DELETE" });
  const writing = writeUntilDeath(4);
  await sleep(2000);
  server.process.kill("SIGKILL");
  const acknowledged = await writing;
  assert.ok(acknowledged.length > 50, `only ${acknowledged.length} writes before the kill`);
  await ended(server);

  takeAddress(secondAddress);
  host = secondAddress;
  const refused = await ended(start());
  assert.equal(refused.code, 1);
  assert.match(
    refused.log,
    /not a member of its etcd cluster: it is https:\/\/10\.99\.0\.3:2380, .*10\.99\.0\.2:2380; run it with --cluster-reset/,
  );

  const reset = await ended(start({}, "--cluster-reset"));
  assert.equal(reset.code, 0, reset.log);
  const again = await ended(start({}, "--cluster-reset"));
  assert.equal(again.code, 1);
  assert.match(again.log, /were reset before.*delete .*server\/db\/reset-flag/);

  server = start();
  await apiReady();
  assert.ok(!existsSync(join(data, "server/db/reset-flag")));
  assert.deepEqual(await bootstrap(host), authorities);
  assert.deepEqual(
    (await members()).map(({ peerURLs }) => peerURLs),
    [[`https://${secondAddress}:2380`]],
  );
  const { body } = await api(configMaps);
  const found = new Set(body.items.map((item) => item.metadata.name));
  assert.deepEqual(
    acknowledged.filter((name) => !found.has(name)),
    [],
  );
  await until("the deleted addon is there again", 20, greeting);
  const bearer = Buffer.from(secret.data?.["token"] ?? "", "base64").toString();
  const review = await api("/apis/authentication.k8s.io/v1/tokenreviews", {
    method: "POST",
    body: { spec: { token: bearer } },
  });
  assert.equal(review.body.status.user?.username, "system:serviceaccount:default:default");
  const slices = await until("the API server's own endpoint", 20, async () => {
    const { body: list } = await api("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes");
    return list.endpoints?.length === 1 ? list : undefined;
  });
  assert.deepEqual(slices.endpoints?.[0]?.addresses, [secondAddress]);
});

test("SIGTERM ends it within seconds", async () => {
  const asked = Date.now();
  server.process.kill("SIGTERM");
  const { code, log } = await ended(server);
  assert.equal(code, 0, log);
  assert.ok(Date.now() - asked < 8000, `${Date.now() - asked} ms`);
});

test("another token than the datastore's is refused, for a reset too, and changes nothing", async () => {
  const tokenFile = readFileSync(join(data, "server/token"), "utf8");
  for (const options of [[], ["--cluster-reset"]]) {
    const { code, log } = await ended(start({ token: "fedcba9876543210" }, ...options));
    assert.equal(code, 1);
    assert.match(log, /bootstrap data already found and encrypted with different token/);
    rmSync(join(data, "server/db/reset-flag"), { force: true });
  }
  assert.equal(readFileSync(join(data, "server/token"), "utf8"), tokenFile);
});

test("a second server is refused, and a datastore whose authorities are gone", async () => {
  const joining = await ended(start({ server: "https://10.43.7.7" }));
  assert.equal(joining.code, 1);
  assert.match(joining.log, /cannot join another server/);
  renameSync(join(data, "server/tls/client-ca.key"), join(directory, "client-ca.key"));
  const gone = await ended(start());
  assert.equal(gone.code, 1);
  assert.match(gone.log, /the datastore is there, but .*client-ca\.crt or its key is gone/);
});

test("a reset without data, which K3k asks for after a start that was cut short, does nothing", async () => {
  const { code, log } = await ended(start({ "data-dir": join(directory, "empty") }, "--cluster-reset"));
  assert.equal(code, 0, log);
});
