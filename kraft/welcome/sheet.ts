import { reportCommand } from "../../components/plan/tenant-terms.ts";
import { moment } from "../cli/moment.ts";
import { k3kDays } from "../kubeconfig/guest.ts";
import type { WelcomeFacts } from "./facts.ts";
import { tenantFiles } from "./files.ts";
import { sampleHost, sampleName, sampleYaml } from "./sample.ts";

/** The sheet that a tenant gets, in Markdown that a person also reads well as it is. */
export function welcomeSheet(facts: WelcomeFacts): string {
  const { tenant, domains, entrypoint, copies, nodes } = facts;
  const [domain = ""] = domains;
  const host = sampleHost(facts);
  const kept = copies === 1 ? "lies on one machine only" : `is kept ${copies} times, on different machines`;
  return `# Your cluster ${tenant}

You are administrator of a Kubernetes cluster of your own. You get its kubeconfig in private, as \`${tenantFiles.kubeconfig}\`: whoever
has it has your cluster. If somebody else may have seen it, say so at once.

${contactText(facts)}

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
${portsText(facts)}
## Your first application

With \`${host}\` as a CNAME for \`${entrypoint}\`, this file works as it is. Save it as
\`${tenantFiles.sample}\`, if you did not get it with this sheet:

\`\`\`yaml
${sampleYaml(facts).trimEnd()}
\`\`\`

You need \`kubectl\`, at most one minor version older or newer than your cluster: kubernetes.io/docs/tasks/tools.

\`\`\`sh
export KUBECONFIG=$PWD/${tenantFiles.kubeconfig}
kubectl get nodes
kubectl apply -f ${tenantFiles.sample}
kubectl rollout status deployment/${sampleName}
kubectl get pods,pvc,ingress
\`\`\`

A minute later \`https://${host}\` answers with a certificate of its own, which is renewed by itself.${
    facts.trustedCertificates
      ? ""
      : "\nFor now certificates come from a staging authority, and browsers warn of them: the platform is being tried out."
  }

\`\`\`sh
kubectl exec deployment/${sampleName} -- sh -c 'echo Hello. > /data/index.html'
kubectl logs deployment/${sampleName}
kubectl delete -f ${tenantFiles.sample}
\`\`\`

If it does not answer: \`kubectl describe\` shows what the pod, or its claim, waits for. A browser that gets no
certificate is too early, or the name is not a CNAME yet. An Ingress or a Service that stays although you deleted it has no
copy on the platform any more, and never had one if it broke a limit. This lets it go:

\`\`\`sh
kubectl patch ingress <name> --type=merge -p '{"metadata":{"finalizers":null}}'
\`\`\`

## What you may use

${limitsText(facts)}

In your cluster you can read what the operator plans, what your pods and volumes may use and when backups are made; and, where
the operator has it measured, what they use, how full each volume is, when it was last backed up and until when the
certificates of your sites last:

\`\`\`sh
${reportCommand}
\`\`\`

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
\`ReadWriteOnce\` is for the pods of one node at a time; \`ReadWriteMany\` is for several nodes, and slower.
${lastBackupsText(facts)}
## What is backed up, and what is not

- **Backed up**: every volume, as its class says; and the objects of your cluster, Secrets among them,
  ${facts.datastoreBackups.words}. What you wrote since the last backup is lost if the house is.
- **Not backed up**: whatever a container writes beside its volumes, \`emptyDir\`, images, logs.
- A backup is a copy of the disk at one moment, as after a power cut. Most databases recover from that. If yours may
  not, let it write dumps to a volume.
- Backups lie at Wasabi in ${facts.backupRegion}. Whoever runs the platform can read them, like everything in your cluster:
  encrypt yourself what nobody else may read.
- To get something back, even one file, ask the operator: name the claim, and the day and hour. The whole volume comes back
  as it was; copy away first what you wrote since. The data of a deleted claim is kept for a while: ask soon.
- This is somebody's home. Keep a copy of your own of what you cannot lose.

## What ends when

${markdownTable([
  ["", "ends"],
  ["your kubeconfig", kubeconfigEnd(facts)],
  ["a certificate of a site", "never: it is renewed by itself while its Ingress is there"],
  ["a snapshot, a backup", "as the table of storage classes says how many are kept"],
  ["the data of a claim that you delete", "when the operator clears it away"],
])}

## What is different here

\`kubectl apply\` says what most rules forbid and what to do instead, all at once and for templates of pods too; the table of limits
says where else you hear of it.

- An Ingress needs \`ingressClassName: ${facts.ingressClass}\` (the default), and for a certificate the annotation
  \`cert-manager.io/cluster-issuer: ${facts.issuer}\`. Every host is written out: no wildcard, no default backend.
- The Secret under \`tls\` ends in \`-tls\`, with a name that is unique in your whole cluster. It does not appear in your
  cluster, and certificates of your own cannot be served.
- Services are \`ClusterIP\`: no \`NodePort\`, no \`LoadBalancer\`. HTTP and HTTPS come in on ports 80 and 443, by an Ingress;
  HTTP is sent on to HTTPS. For another port, of TCP or UDP, ask the operator; a tunnel that dials out needs none. Send mail by
  way of a provider: most servers take none from a home address.
- Annotations that restrict access in NGINX are refused, since they do nothing here: put a proxy of your own in front of what
  is private.
- An Ingress without \`tls\` or without paths does not answer, a path is no pattern, and NGINX's annotations do nothing:
  \`kubectl apply\` warns of it. Gateway API and Traefik's own kinds do nothing, and middlewares cannot be used.
- Names of volume claims are unique in your whole cluster, not only in their namespace. A claim does not grow: the operator
  enlarges it, or you copy the data into a larger one.
- Pods cannot be privileged, use the network or folders of the machine, write raw packets (\`NET_RAW\`), or mount storage from
  elsewhere. They have no IPv6. A toleration needs a key, pod affinity names no namespaces, and \`preemptionPolicy: Never\` is
  not possible.
- NetworkPolicies have no effect. Nobody else's pods reach yours, whatever you write.
- A Service needs a selector, or \`clusterIP: None\`: Endpoints of your own are not looked at.
- Every claim gets a new volume of a storage class above: PersistentVolumes of your own cannot be mounted.
- A \`nodeSelector\` only prefers a machine, and a PodDisruptionBudget does not keep the operator from draining one.
- \`kubectl port-forward\` is refused. Use an Ingress, or \`kubectl exec\`.
- A pod with a \`dnsConfig\` of its own has to name a name server in it, and \`topologySpreadConstraints\` and pod affinity have
  no \`matchLabelKeys\`. No volume of a pod has a name that begins with \`kube-api-access\`.
- The Secret of a certificate stays when its Ingress goes, and counts: use few names again and again.

## Who else is here

All tenants run on ${nodes === 1 ? "the same machine and share its" : `the same ${nodes} machines and share their`} kernel, the line and one address on the internet. A busy neighbour
slows you down, and what one of us does with the address is held against all. Do not run anything that executes
strangers' code.
`;
}

/** The ports that lead to the tenant beside 80 and 443; nothing where there are none. */
function portsText({ ports, entrypoint, domains: [domain = ""] }: WelcomeFacts): string {
  if (ports.length === 0) {
    return "";
  }
  const rows = ports.map((port) => [
    code(`${entrypoint}:${port.port}`),
    port.protocol.toUpperCase(),
    code(port.service.namespace),
    code(port.service.name),
    String(port.servicePort),
  ]);
  return `
## Your ports

${markdownTable([["visitors connect to", "", "namespace", "Service", "its port"], ...rows])}

A name of yours that is a CNAME for \`${entrypoint}\` does as well, for example \`play.${domain}\`. While there is no
such Service, or no pod behind it is ready, a connection gets no answer. Your application does not see who connects: the
address is the platform's. Ports come and go with the operator, and then all connections are interrupted once.
`;
}

function contactText({ contact }: WelcomeFacts): string {
  return contact === null
    ? "Where this sheet says to ask the operator: that is who gave it to you."
    : `**Whom to ask**: ${contact}. This sheet calls them the operator.`;
}

/** Every limit in one table, with what is used where the cluster was asked. */
function limitsText({ limits, live }: WelcomeFacts): string {
  const used = (resource: string | null): string[] =>
    live === null ? [] : [(resource === null ? undefined : live.used[resource]) ?? ""];
  const rows = limits.map(({ what, most, resource, beyond }) => [what, most, ...used(resource), beyond]);
  const table = markdownTable([["", "at most", ...(live === null ? [] : ["used"]), "beyond it"], ...rows]);
  const age = live === null ? "The operator can tell what you use." : `Used is as of ${moment(new Date(live.at))}.`;
  return `${table}\n\nEvery number counts all of your namespaces together, and the few objects that the platform keeps for you.\n${age}`;
}

/** When each volume was last backed up, where the cluster was asked and has any. */
function lastBackupsText({ live }: WelcomeFacts): string {
  if (live === null || live.volumes.length === 0) {
    return "";
  }
  const rows = live.volumes.map(({ claim, lastBackupAt }) => [
    claim === "datastore" ? "your cluster's own objects" : code(claim),
    lastBackupAt === null ? "never yet" : moment(new Date(lastBackupAt)),
  ]);
  return `\n${markdownTable([["volume", "last backup"], ...rows])}\n`;
}

function kubeconfigEnd({ live }: WelcomeFacts): string {
  const ends = live?.kubeconfigEndsAt ?? null;
  return ends === null
    ? `${k3kDays} days after it was made, at the latest: ask for a new one before`
    : `${moment(new Date(ends))}: ask for a new one before`;
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
