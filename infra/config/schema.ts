import { z } from "zod";
import { isAddress, isIPv6, isRange } from "../../components/plan/network/address.ts";

/** Sizes are named here and given numbers in `components/plan/size.ts`. */
export const sizeNames = ["small", "medium", "large"] as const;

/** Tiers are named here and described in `components/plan/storage.ts`. */
export const tierNames = ["standard", "critical", "bulk"] as const;

/** The way of a tenant through Kraft, in its order; see docs/offboarding.md. */
export const stateNames = ["active", "suspended", "archived", "purged"] as const;

/** What a stack is at: its everyday, or coming back from its backups. */
export const phaseNames = ["run", "restore"] as const;

/** Wasabi's regions with an S3 endpoint of the form `s3.<region>.wasabisys.com` (docs.wasabi.com, service URLs). */
export const wasabiRegions = [
  "ap-northeast-1",
  "ap-northeast-2",
  "ap-southeast-1",
  "ap-southeast-2",
  "ca-central-1",
  "eu-central-1",
  "eu-central-2",
  "eu-south-1",
  "eu-west-1",
  "eu-west-2",
  "eu-west-3",
  "us-central-1",
  "us-east-1",
  "us-east-2",
  "us-west-1",
  "us-west-2",
] as const;

/** What a value may be and how to get there. Zod carries both in its one message; `problems.ts` takes them apart. */
function expect(allowed: string, fix: string): { error: string } {
  return { error: `${allowed}\n${fix}` };
}

function text(pattern: RegExp, expectation: { error: string }) {
  return z.string(expectation).regex(pattern, expectation);
}

function choice<const Values extends readonly [string, ...string[]]>(values: Values) {
  return z.enum(values, expect(values.join(", "), `choose one of them, for example ${values[0]}`));
}

const domainPattern = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const domain = text(
  domainPattern,
  expect(
    "a domain name in lower case with at least one dot; international names as punycode",
    "write the bare domain, for example acme.example: no scheme, no port, no wildcard, no trailing dot",
  ),
);

const cpuExpectation = expect(
  "CPUs as a Kubernetes quantity",
  "write cores or thousandths, for example 2, 1.5 or 500m",
);
const cpu = z
  .union([z.string(), z.number()], cpuExpectation)
  .transform(String)
  .pipe(text(/^([1-9][0-9]*m|[1-9][0-9]*(\.[0-9]{1,3})?|0\.[0-9]{0,2}[1-9])$/, cpuExpectation));
const bytes = text(
  /^[1-9][0-9]*(Mi|Gi|Ti)$/,
  expect("bytes as a Kubernetes quantity in Mi, Gi or Ti", "write a whole number with its unit, for example 4Gi"),
);

const podsExpectation = expect("a whole number from 1 to 500", "write the number of pods, for example 40");
const quota = z.strictObject(
  {
    cpu: cpu.optional().describe("CPU that the tenant's pods may request together, for example 2 or 1500m"),
    memory: bytes.optional().describe("Memory that the tenant's pods may request together, for example 6Gi"),
    storage: bytes.optional().describe("Size of all the tenant's volumes together, for example 80Gi"),
    pods: z
      .int(podsExpectation)
      .min(1, podsExpectation)
      .max(500, podsExpectation)
      .optional()
      .describe("Number of the tenant's pods"),
  },
  expect("a map with cpu, memory, storage or pods", "for example `quota: { memory: 8Gi }`"),
);

const dateExpectation = expect(
  "a day that exists, as year, month and day",
  'write it in quotes, for example "2027-01-31"',
);
/** Without quotes YAML takes a day for a point in time, and the engine hands it over as one, in two spellings of Go's. */
const day = z
  .string(dateExpectation)
  .regex(/^[0-9]{4}-[0-9]{2}-[0-9]{2}(T00:00:00Z| 00:00:00 \+0000 UTC)?$/, { ...dateExpectation, abort: true })
  .refine((value) => {
    const written = value.slice(0, 10);
    const time = Date.parse(`${written}T00:00:00Z`);
    return !Number.isNaN(time) && new Date(time).toISOString().startsWith(written);
  }, dateExpectation)
  .transform((value) => value.slice(0, 10));

const tenant = z.strictObject(
  {
    domains: z
      .array(domain, expect("a list of domains", "for example `domains: [acme.example]`"))
      .min(1, expect("at least one domain", "for example `domains: [acme.example]`"))
      .describe("The tenant's own domains. Each covers its subdomains; no two tenants may share or nest one."),
    size: choice(sizeNames).describe("Quota and limits by name"),
    quota: quota.optional().describe("What replaces the size's allowance; what K3k itself needs comes on top"),
    tier: choice(tierNames)
      .optional()
      .describe(
        "The best kept class of volumes that the tenant may use, and how its guest's datastore is kept. Default: standard",
      ),
    state: choice(stateNames)
      .optional()
      .describe(
        "active; suspended: nothing runs, all data stays; archived: only backups are left; purged: forgotten. Default: active",
      ),
    purge: day
      .optional()
      .describe(
        "Today's date: confirms that a tenant in state purged loses everything in the cluster. Good for two days",
      ),
  },
  expect(
    "a map with domains, size and, where needed, tier, quota, state and purge",
    "for example `{ domains: [acme.example], size: small }`",
  ),
);

const clusterCommand = "kubectl --context <context> get namespace kube-system -o jsonpath='{.metadata.uid}'";
const cluster = z.strictObject(
  {
    kubeconfig: text(
      /./,
      expect("the path of a kubeconfig", "for example ~/.kube/kraft-homelab.yaml, the same on every machine"),
    ).describe("Path of the kubeconfig, the same on every machine; ~/ is the home folder"),
    context: text(/./, expect("the name of a context in that kubeconfig", "for example kraft-homelab")).describe(
      "Context in that kubeconfig",
    ),
    uid: text(
      /^(?!0{8}-)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
      expect("the UID of the cluster's namespace kube-system", `read it with: ${clusterCommand}`),
    ).describe("UID of the namespace kube-system: Kraft touches no other cluster"),
  },
  expect("a map with kubeconfig, context and uid", "see docs/first-steps.md"),
);

const issuerExpectation = expect(
  "production, staging (both Let's Encrypt), or the https URL of an ACME directory",
  "begin with staging; production allows few certificates per week",
);
const issuer = z.strictObject(
  {
    server: z
      .union(
        [z.enum(["production", "staging"]), z.url({ protocol: /^https$/, ...issuerExpectation })],
        issuerExpectation,
      )
      .describe("production or staging (both Let's Encrypt), or the https URL of an ACME directory"),
    email: z
      .email(expect("an e-mail address", "write one that you read, or leave the key out"))
      .optional()
      .describe("Where the certificate authority may write to"),
  },
  expect("a map with server and email", "for example `{ server: staging }`"),
);

const charts = z
  .discriminatedUnion(
    "source",
    [
      z.strictObject({ source: z.literal("upstream") }, expect("only source", "remove what upstream does not need")),
      z.strictObject(
        {
          source: z.literal("folder"),
          path: text(
            /^\.{0,2}\//,
            expect("a path that starts with ./, ../ or /", "for example `path: ./charts`, filled by `helm pull`"),
          ).describe("Folder with one <chart>-<version>.tgz per chart, as `helm pull` writes them"),
        },
        expect("source and path", "for example `{ source: folder, path: ./charts }`"),
      ),
      z.strictObject(
        {
          source: z.literal("oci"),
          registry: text(
            /^oci:\/\/[^/]+(\/[^/]+)*$/,
            expect("oci://registry/path without a trailing slash", "for example oci://registry.example/charts"),
          ).describe("Mirror that holds all charts, for example oci://registry.example/charts"),
        },
        expect("source and registry", "for example `{ source: oci, registry: oci://registry.example/charts }`"),
      ),
    ],
    expect("a map with source: upstream, folder or oci", "for example `charts: { source: upstream }`"),
  )
  .describe("Where Helm charts come from: upstream, a folder, or an OCI mirror");

/** Addresses for documentation (RFC 5737), which stand in the stack files for those that only the owner knows. */
const notPlaceholder = /^(?!192\.0\.2\.)/;

const addressExpectation = expect(
  "an IPv4 address of your home network; those of 192.0.2.0/24 are placeholders",
  "read it with: kubectl --context <context> get nodes -o wide",
);
const driveExpectation = expect(
  "the WWID of a drive, for example naa.600508b1001c7ad3f0f1c8a2c9f01a11",
  "read it with: talosctl get disks --insecure --nodes <address>",
);
const drive = text(/^(naa|eui|t10|nvme|uuid)\.[\w.:-]+$/, driveExpectation);
const hostKeyExpectation = expect(
  "the node's public host key: ssh-ed25519 and its text, without a comment",
  "read it on the node's own screen: cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub",
);
const node = z.strictObject(
  {
    drives: z
      .strictObject(
        {
          system: drive.describe("Where Talos is installed. Its contents are overwritten"),
          longhorn: drive.describe("Where Longhorn keeps the tenants' volumes. Nothing else is on it"),
        },
        expect("a map with system and longhorn", "for example `drives: { system: naa.6005…, longhorn: naa.6005… }`"),
      )
      .optional()
      .describe("Drives of a machine on Talos, by WWID; needed with kraft:machines"),
    hostKey: text(/^ssh-ed25519 [A-Za-z0-9+/]{68}={0,2}$/, hostKeyExpectation)
      .optional()
      .describe("The node's public SSH host key; needed with kraft:machines, which talks to no other machine"),
    address: z
      .string(addressExpectation)
      .regex(notPlaceholder, addressExpectation)
      .refine((text) => isAddress(text) && !isIPv6(text), addressExpectation)
      .describe("The node's address in your home network"),
  },
  expect("a map with address and, with kraft:machines, hostKey or drives", "for example `{ address: 192.168.1.11 }`"),
);

const digestExpectation = expect(
  "a SHA-256: 64 digits and letters a to f",
  "take it from the release's own page, file sha256sum-amd64.txt or sha256sum-arm64.txt",
);
const digest = text(/^[0-9a-f]{64}$/, digestExpectation);
const clusterInitExpectation = expect("true or false", "true once, for the first installation; then leave the key out");
const machines = z.strictObject(
  {
    user: text(
      /^[a-z_][a-z0-9_-]{0,31}$/,
      expect("the name of a user", "the one that docs/machines-homelab.md sets up, for example kraft"),
    )
      .optional()
      .describe("User on every node who may use sudo without a password. Default: kraft"),
    api: domain
      .optional()
      .describe("Name of the API server in your home's DNS, with the addresses of all nodes. Default: the first node"),
    clusterInit: z
      .boolean(clusterInitExpectation)
      .optional()
      .describe("Whether the first node may begin a new cluster. Only for the first installation"),
    recoverFrom: text(
      /./,
      expect("the path of a snapshot of etcd", "for example ~/.kube/kraft-proliant-etcd-20261125T180000Z.db"),
    )
      .optional()
      .describe("Snapshot of etcd that a machine on Talos gets back when it has none. Only for that"),
    sha256: z
      .strictObject({ amd64: digest.optional(), arm64: digest.optional() }, digestExpectation)
      .optional()
      .describe("SHA-256 of the k3s program, by architecture; that of the release is compared in any case"),
    again: z
      .string(expect("any text", 'for example `again: "2026-11-25"`; another one runs everything again'))
      .optional()
      .describe("Any text: when it changes, every node is gone through again"),
  },
  expect("a map with user, api, clusterInit, recoverFrom, sha256 and again", "see docs/machines-homelab.md"),
);

const resolverExpectation = expect(
  "the address of a name server; those of 192.0.2.0/24 are placeholders",
  "write what the nodes use, on k3s: resolvectl dns, or cat /etc/resolv.conf",
);
const rangeExpectation = expect(
  "a range of addresses in its shortest form, at most a /8, for IPv6 a /16",
  "for example 2001:db8:7::/56, and for a single address 203.0.113.7/32",
);
const entryExpectation = expect(
  "an IPv4 address of your home network that no machine has",
  "take one that DHCP never gives away, for example 192.168.1.250, and forward the router's ports 80 and 443 to it",
);
const network = z.strictObject(
  {
    entry: z
      .string(entryExpectation)
      .regex(notPlaceholder, entryExpectation)
      .refine((text) => isAddress(text) && !isIPv6(text), entryExpectation)
      .optional()
      .describe(
        "Address of the entrypoint in your home network, which moves when a node dies. Only with several nodes",
      ),
    hairpin: z
      .boolean(expect("true or false", "see docs/entry.md; leave the key out where your router does it"))
      .optional()
      .describe("Whether your router leads your own public address back inside (NAT loopback). Default: true"),
    resolvers: z
      .array(
        z.string(resolverExpectation).regex(notPlaceholder, resolverExpectation).refine(isAddress, resolverExpectation),
        expect("a list of addresses", "for example `resolvers: [192.168.1.1]`"),
      )
      .min(1, expect("at least one address", "for example `resolvers: [192.168.1.1]`"))
      .describe("Name servers that the nodes use. Tenants may ask them, and reach nothing else of your home."),
    home: z
      .array(
        z.string(rangeExpectation).refine(isRange, rangeExpectation),
        expect("a list of ranges", "for example `home: [203.0.113.7/32, 2001:db8:7::/56]`"),
      )
      .optional()
      .describe("Public ranges that are your own: your IPv6 prefix, a fixed public address. Tenants never reach them."),
  },
  expect(
    "a map with resolvers and, where you need them, home, entry and hairpin",
    "for example `network: { resolvers: [192.168.1.1] }`",
  ),
);

const replicasExpectation = expect("a whole number from 1 to 10", "for example `replicas: 2`");
const storage = z.strictObject(
  {
    replicas: z
      .int(replicasExpectation)
      .min(1, replicasExpectation)
      .max(10, replicasExpectation)
      .optional()
      .describe("Copies of every new volume, each on a node of its own; default: 2, or 1 on a single node"),
  },
  expect("a map with replicas", "for example `storage: { replicas: 2 }`"),
);

const endpointExpectation = expect(
  "the https URL of an S3 server without a path",
  "leave the key out for Wasabi; for example https://s3.example",
);
const backup = z.strictObject(
  {
    bucket: text(
      /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
      expect(
        "the name of an S3 bucket: 3 to 63 lower-case letters, digits, dots and hyphens",
        "name the bucket; with an empty target Longhorn would silently stop all backups",
      ),
    ).describe("Bucket that holds the backups. It must exist."),
    region: choice(wasabiRegions).describe("Wasabi region of the bucket"),
    prefix: text(
      /^[a-z0-9][a-z0-9-]*$/,
      expect(
        "lower-case letters, digits and hyphens",
        "for example the stack's name: two clusters must never share one",
      ),
    ).describe("Folder in the bucket. Two live clusters must never share one."),
    managed: z
      .boolean(
        expect("true or false", "true lets Kraft make bucket, user and key; false or nothing takes those you made"),
      )
      .optional()
      .describe("Whether Kraft makes the bucket, its user and the key at Wasabi. Default: false"),
    endpoint: z
      .url({ protocol: /^https?$/, ...endpointExpectation })
      .refine((url) => /^(https:\/\/[^/?#@]+|http:\/\/127\.0\.0\.1:[0-9]+)$/.test(url), endpointExpectation)
      .optional()
      .describe("Address of an S3 server in place of Wasabi's"),
    replaces: text(
      /^s3:\/\/[^@/]+@[^/]+\/[a-z0-9-]+\/$/,
      expect(
        "the backup target that this one takes the place of, as s3://<bucket>@<region>/<prefix>/",
        "copy it from the message that asked for it",
      ),
    )
      .optional()
      .describe("The target that backups went to until now. Without it a changed target is refused"),
  },
  expect("a map with bucket, region and prefix", "without a backup target no tenant's data would leave the house"),
);

const overcommitExpectation = expect(
  "a number from 1 to 16",
  "for example `overcommit: 4`; with 1 everything promised can be used at once",
);
const capacity = z.strictObject(
  {
    overcommit: z
      .number(overcommitExpectation)
      .min(1, overcommitExpectation)
      .max(16, overcommitExpectation)
      .optional()
      .describe("How many times CPU and pods may be promised to tenants; memory and volumes only once. Default: 4"),
  },
  expect("a map with overcommit", "for example `capacity: { overcommit: 4 }`"),
);

const speedExpectation = expect("megabits per second above 0", "write what the line really does, for example 50");
const shareExpectation = expect("a share above 0 and at most 1", "for example 0.5 for half");
const roundTripExpectation = expect(
  "milliseconds from 1 to 2000",
  "measure it with: ping s3.<region>.wasabisys.com, for example 30",
);
const speed = z.number(speedExpectation).positive(speedExpectation);
const share = z.number(shareExpectation).positive(shareExpectation).max(1, shareExpectation);
const line = z.strictObject(
  {
    uplinkMbps: speed.describe("Speed towards the internet, in megabits per second"),
    downlinkMbps: speed.describe("Speed from the internet, in megabits per second"),
    backupShare: share.optional().describe("Share of the uplink that backups may take. Default: 0.5"),
    roundTripMs: z
      .number(roundTripExpectation)
      .min(1, roundTripExpectation)
      .max(2000, roundTripExpectation)
      .optional()
      .describe("Milliseconds from here to the bucket's region and back. Default: 30"),
    dailyChange: share
      .optional()
      .describe("Share of the tenants' volumes that is written anew in a day, counted in whole blocks. Default: 0.02"),
  },
  expect("a map with uplinkMbps and downlinkMbps", "for example `line: { uplinkMbps: 50, downlinkMbps: 200 }`"),
);

const priceExpectation = expect("a price, 0 or more", "write the number alone, for example 0.35");
const price = z.number(priceExpectation).nonnegative(priceExpectation);
const prices = z.strictObject(
  {
    currency: text(/^[A-Z]{3}$/, expect("three capital letters", "for example EUR")).describe(
      "Currency of all prices, for example EUR",
    ),
    perKilowattHour: price.describe("Price of a kilowatt-hour"),
    wasabiPerTerabyteMonth: price.describe("Price of a terabyte at Wasabi for a month"),
  },
  expect(
    "a map with currency, perKilowattHour and wasabiPerTerabyteMonth",
    "for example `prices: { currency: EUR, perKilowattHour: 0.35, wasabiPerTerabyteMonth: 7.99 }`",
  ),
);

const expiry = z.record(
  z.string(),
  day,
  expect("a map of days by name", 'for example `expiry: { domain: "2027-01-31" }`'),
);

const timezoneExpectation = expect(
  "the name of a time zone",
  "for example Europe/Berlin; Longhorn itself knows UTC only",
);

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function secret(name: string, pattern: RegExp, allowed: string) {
  return text(pattern, expect(allowed, `pulumi config set --secret kraft:${name}`));
}

/** Every key of the `kraft:` namespace, in the order in which a stack file lists them. */
export const configSchema = z.strictObject({
  cluster: cluster.describe("The host cluster, and the proof that it is the right one"),
  nodes: z
    .record(z.string(), node, expect("a map of the stack's nodes by name", "see docs/first-steps.md"))
    .describe("Where each node of stacks/<stack>.ts is"),
  network: network.describe("Your home's network, as far as the boundary around tenants has to know it"),
  machines: machines
    .optional()
    .describe("Lets Kraft keep the machines themselves. Without it they are set up by hand."),
  domain: text(
    new RegExp(domainPattern.source.replace("^", "^(?!.*\\.invalid$)")),
    expect(
      "a domain of your own in lower case; names under .invalid are placeholders",
      "pulumi config set kraft:domain <your domain>",
    ),
  ).describe("The platform's own domain: ingress.<domain> is the entrypoint that tenants point a CNAME at"),
  issuer: issuer.describe("The certificate authority behind the ClusterIssuer kraft-issuer"),
  charts,
  k3kVersion: z
    .string(expect("a version of K3k", "leave the key out to run the stack's own"))
    .optional()
    .describe("Version of K3k instead of the stack's own"),
  phase: choice(phaseNames)
    .optional()
    .describe("run, or restore: the platform without schedules and guests, until the backups are back. Default: run"),
  timezone: z
    .string(timezoneExpectation)
    .refine(isTimezone, timezoneExpectation)
    .optional()
    .describe("Time zone in which schedules are shown, for example Europe/Berlin. Default: that of the machine"),
  leaveOut: z
    .array(
      text(
        /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
        expect("the name of a volume", "copy it from: npm run kraft -- restore --plan"),
      ),
      expect("a list of volumes", "for example `leaveOut: [pvc-6f0c2a]`"),
    )
    .optional()
    .describe("Volumes in the backups that are not to come back: a rebuild goes on without them"),
  storage: storage.optional().describe("How volumes are kept"),
  capacity: capacity.optional().describe("How much may be promised to tenants"),
  backup: backup.describe("Where Longhorn's backups go"),
  line: line.optional().describe("Your internet line. With it, a preview says whether backups get through in a night."),
  prices: prices
    .optional()
    .describe("What electricity and Wasabi cost. With it, a preview says what each tenant costs."),
  expiry: expiry
    .optional()
    .describe(
      "Days that you keep in mind, by name: a preview warns 30 days before each. recoveryKit is the day on which you " +
        "last checked the recovery kit, and is warned of after 90 days.",
    ),
  tenants: z
    .record(z.string(), tenant, expect("a map of tenants by name", "for example `tenants: {}`"))
    .describe("Tenants by name: each gets a guest cluster"),
  wasabiAdminAccessKeyId: secret(
    "wasabiAdminAccessKeyId",
    /^\S+$/,
    "the access key of an administrator at Wasabi, without spaces or line breaks",
  )
    .optional()
    .describe(
      "Access key of an administrator at Wasabi, who makes the bucket; only with kraft:backup.managed. Secret.",
    ),
  wasabiAdminSecretAccessKey: secret(
    "wasabiAdminSecretAccessKey",
    /^\S+$/,
    "the secret key of an administrator at Wasabi, without spaces or line breaks",
  )
    .optional()
    .describe("Secret key of that administrator. Secret."),
  wasabiAccessKeyId: secret(
    "wasabiAccessKeyId",
    /^\S+$/,
    "the access key of the bucket's user, without spaces or line breaks",
  )
    .optional()
    .describe("Access key of the bucket's user; not with kraft:backup.managed. Secret."),
  wasabiSecretAccessKey: secret(
    "wasabiSecretAccessKey",
    /^\S+$/,
    "the secret key of the bucket's user, without spaces or line breaks",
  )
    .optional()
    .describe("Secret key of the bucket's user; not with kraft:backup.managed. Secret."),
  machineKey: secret(
    "machineKey",
    // Or one word: what stands for a secret where nobody reads it.
    /^(-----BEGIN [A-Z ]*PRIVATE KEY-----\n[\s\S]+|[\w-]+)$/,
    "an SSH private key without a passphrase, as ssh-keygen writes it",
  )
    .optional()
    .describe("SSH private key of the user on the nodes; only with kraft:machines. Secret."),
  k3sToken: secret(
    "k3sToken",
    /^[\w-]{32,}$/,
    "at least 32 random letters and digits, for example of `openssl rand -hex 32`",
  )
    .optional()
    .describe(
      "The token that nodes join with; only with kraft:machines. Secret; no etcd snapshot can be restored without it.",
    ),
  talosSecrets: secret(
    "talosSecrets",
    // Or one word: what stands for a secret where nobody reads it.
    /^(cluster:\s[\s\S]+|[\w-]+)$/,
    "what `talosctl gen secrets` wrote, whole",
  )
    .optional()
    .describe(
      "What `talosctl gen secrets` wrote; only with kraft:machines on Talos. Secret: it is the cluster's keys.",
    ),
  diskPassphrase: secret(
    "diskPassphrase",
    /^[\w-]{32,}$/,
    "at least 32 random letters and digits, for example of `openssl rand -hex 32`",
  )
    .optional()
    .describe(
      "Opens the disks of a machine on Talos whose mainboard is gone; only with kraft:machines on Talos. Secret.",
    ),
  guestTokenSeed: secret(
    "guestTokenSeed",
    /^.{32,}$/,
    "at least 32 random characters, for example of `openssl rand -hex 32`",
  ).describe("What every guest's K3s token is derived from. Secret; a guest cannot be restored without it."),
});

/** Keys whose value must be encrypted in the stack file. */
export const secretKeys: ReadonlySet<string> = new Set([
  "wasabiAdminAccessKeyId",
  "wasabiAdminSecretAccessKey",
  "wasabiAccessKeyId",
  "wasabiSecretAccessKey",
  "machineKey",
  "k3sToken",
  "talosSecrets",
  "diskPassphrase",
  "guestTokenSeed",
] satisfies (keyof Config)[]);

export const tenantSchema = tenant;

export type Config = z.output<typeof configSchema>;
export type TenantConfig = z.output<typeof tenant>;
export type ChartSource = z.output<typeof charts>;
export type QuotaConfig = z.output<typeof quota>;
export type TierName = (typeof tierNames)[number];
export type StateName = (typeof stateNames)[number];
export type Phase = (typeof phaseNames)[number];
export type SizeName = (typeof sizeNames)[number];
