import { stringify } from "yaml";
import type { WelcomeFacts } from "./facts.ts";

/** The sheet that a tenant gets, in Markdown that a person also reads well as it is. */
export function welcomeSheet(facts: WelcomeFacts): string {
  const { tenant, domains, entrypoint, allowance, copies, nodes } = facts;
  const [domain = ""] = domains;
  const host = exampleHost(facts);
  const kept = copies === 1 ? "lies on one machine only" : `is kept ${copies} times, on different machines`;
  return `# Your cluster ${tenant}

You are administrator of a Kubernetes cluster of your own. Your kubeconfig comes separately and in private: whoever has
it has your cluster, and it cannot be revoked before it expires. Ask for a new one before then.

${markdownTable([
  ["", ""],
  ["API", code(facts.api)],
  ["Kubernetes", facts.kubernetes],
  ["Context in the kubeconfig", code(tenant)],
])}

## Your domains

${
  domains.length === 1
    ? `${code(domain)} with all its subdomains is yours here.`
    : ["These with all their subdomains are yours here:", "", ...domains.map((name) => `- ${code(name)}`)].join("\n")
}

To bring a name to your cluster, give it this record at your DNS provider:

\`\`\`
<name>.  CNAME  ${entrypoint}.
\`\`\`

A domain itself, such as ${code(domain)}, cannot be a CNAME: use what your provider calls ALIAS, ANAME or CNAME
flattening, and no fixed address, since ours may change. For another domain ask the operator.

## What you may use

All your pods and volumes together:

${markdownTable([
  ["CPU", "memory", "volumes", "pods"],
  [allowance.cpu, allowance.memory, allowance.storage, String(allowance.pods)],
])}

CPU and memory are counted by what your containers request; one that requests nothing counts as 100m and 128Mi. What is
beyond the allowance is refused, and the pod's status says so.

## Bring an application to the web

With a Service \`shop\` on port 80 in your namespace \`default\`, and \`${host}\` as a CNAME for \`${entrypoint}\`:

\`\`\`yaml
${stringify(exampleIngress(facts)).trimEnd()}
\`\`\`

A minute later \`https://${host}\` answers with a certificate of its own, which is renewed by itself.${
    facts.trustedCertificates
      ? ""
      : "\nFor now certificates come from a staging authority, and browsers warn of them: the platform is being tried out."
  }

## Volumes

${markdownTable([
  ["storage class", "snapshot in the house", "backup away from the house"],
  ...facts.storageClasses.map(({ name, isDefault, snapshots, backups }) => [
    `${code(name)}${isDefault ? " (default)" : ""}`,
    `${snapshots.words}, ${snapshots.keep} kept`,
    `${backups.words}, ${backups.keep} kept`,
  ]),
])}

Every volume ${kept}.${copies === 1 && nodes === 1 ? " When that machine is lost, the last backup is what you have." : ""} The class of a volume cannot be changed later.

## What is backed up, and what is not

- **Backed up**: every volume, as its class says; and the objects of your cluster, Secrets among them,
  ${facts.datastoreBackups.words}. What you wrote since the last backup is lost if the house is.
- **Not backed up**: whatever a container writes beside its volumes, \`emptyDir\`, images, logs.
- A backup is a copy of the disk at one moment, as after a power cut. Most databases recover from that. If yours may
  not, let it write dumps to a volume.
- Backups lie at Wasabi in ${facts.backupRegion}. Whoever runs the platform can read them, like everything in your cluster:
  encrypt yourself what nobody else may read.
- To get something back, ask the operator. The data of a deleted claim is kept for a while: ask soon.
- This is somebody's home. Keep a copy of your own of what you cannot lose.

## What is different here

\`kubectl apply\` says what is not allowed and what to do instead. A pod that is refused shows the reason in its status.

- An Ingress needs \`ingressClassName: ${facts.ingressClass}\` (the default), and for a certificate the annotation
  \`cert-manager.io/cluster-issuer: ${facts.issuer}\`. Every host is written out: no wildcard, no default backend.
- The Secret under \`tls\` ends in \`-tls\`, with a name that is unique in your whole cluster. It does not appear in your
  cluster, and certificates of your own cannot be served.
- Services are \`ClusterIP\`: no \`NodePort\`, no \`LoadBalancer\`. Only HTTP and HTTPS come in, on ports 80 and 443;
  HTTP is sent on to HTTPS.
- Names of volume claims are unique in your whole cluster, not only in their namespace.
- Pods cannot be privileged, use the network or folders of the machine, or mount storage from elsewhere.
- NetworkPolicies have no effect. Nobody else's pods reach yours, whatever you write.
- A pod with a \`dnsConfig\` of its own has to name a name server in it.

## Who else is here

All tenants run on ${nodes === 1 ? "the same machine and share its" : `the same ${nodes} machines and share their`} kernel, the line and one address on the internet. A busy neighbour
slows you down, and what one of us does with the address is held against all. Do not run anything that executes
strangers' code.
`;
}

function code(text: string): string {
  return `\`${text}\``;
}

/** A table whose columns are aligned in the text as well. */
function markdownTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const [head = [], ...body] = rows;
  return [head, widths.map((width) => "-".repeat(width)), ...body].map(line).join("\n");
}

/** Host of the example: the tenant's first domain with a name in front, which can be a CNAME where a domain cannot. */
export function exampleHost({ domains: [domain = ""] }: Pick<WelcomeFacts, "domains">): string {
  return `shop.${domain}`;
}

/** The Ingress that a tenant can copy. A test sends it through the platform's own admission rules. */
export function exampleIngress(facts: Pick<WelcomeFacts, "domains" | "ingressClass" | "issuer">) {
  const host = exampleHost(facts);
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: {
      name: "shop",
      namespace: "default",
      annotations: { "cert-manager.io/cluster-issuer": facts.issuer },
    },
    spec: {
      ingressClassName: facts.ingressClass,
      tls: [{ hosts: [host], secretName: "shop-tls" }],
      rules: [
        {
          host,
          http: {
            paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: "shop", port: { number: 80 } } } }],
          },
        },
      ],
    },
  };
}
