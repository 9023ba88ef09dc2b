import {
  type AllowedAnnotations,
  domainsOfNamespace,
  foreignAnnotations,
  list,
  outsideDomains,
  quoted,
  valueOr,
} from "./expressions.ts";
import { type AdmissionPolicy, requestsFor, type Rule } from "./policy.ts";

/** The names that a tenant writes into an Ingress. */
export interface IngressSettings {
  readonly ingressClassName: string;
  readonly issuerName: string;
}

/** The most that one Ingress may have. */
export const ingressLimits = {
  /** Every host costs the platform a route and, with TLS, a certificate. */
  rules: 20,
  /** Entries of `tls`, and hosts in each. Let's Encrypt allows 100 names, but one that fails spoils the certificate. */
  tls: 10,
  /** All rules together. Traefik sorts all routes for each that is added, and matches them one by one. */
  paths: 50,
  /** Characters of a path. */
  pathLength: 512,
  /** Characters of a Secret's name under `tls`: those of one DNS label. */
  secretName: 63,
} as const;

const keySizeAnnotation = "cert-manager.io/private-key-size";
const issuerAnnotation = "cert-manager.io/cluster-issuer";
const entryPointsAnnotation = "traefik.ingress.kubernetes.io/router.entrypoints";

/**
 * Closed are the domains of Kubernetes, of Kraft, and of controllers of Ingresses, certificates, DNS, load balancers and
 * volumes. Of these, tenants may choose the issuer, the kind of key and the entry point. Annotations of `kubectl` and of
 * NGINX have no effect here.
 */
const annotations: AllowedAnnotations = {
  closed: [
    "cattle.io",
    "cert-manager.io",
    "containo.us",
    "emberstack.com",
    "k8s.io",
    "kraft.dev",
    "kube-vip.io",
    "kubernetes.io",
    "longhorn.io",
    "metallb.io",
    "metallb.universe.tf",
    "traefik.io",
  ],
  exact: [
    issuerAnnotation,
    "cert-manager.io/private-key-algorithm",
    "cert-manager.io/private-key-rotation-policy",
    keySizeAnnotation,
    "kubernetes.io/description",
    entryPointsAnnotation,
    "traefik.ingress.kubernetes.io/router.tls",
  ],
  prefixes: ["kubectl.kubernetes.io/", "nginx.ingress.kubernetes.io/"],
};

/** Allowed sizes of a certificate's key, in bits: larger ones take cert-manager seconds each. */
const keySizes = ["256", "384", "521", "2048", "3072", "4096"];

/** Allowed paths. A backtick would end the text in Traefik's rule and begin another one (CVE-2026-32695). */
const pathPattern = `^/[A-Za-z0-9._~!$&()*+,;=:@%/-]{0,${ingressLimits.pathLength - 1}}$`;

/**
 * The Ingresses of a tenant: only hosts of their own domains, only our class, no catch-all, and no annotation for Traefik
 * or cert-manager beyond those listed.
 *
 * The same rules apply on the host and in the guest. The host's protect the other tenants. The guest's tell the tenant at
 * `kubectl apply`: K3k only logs the host's answer, and leaves an Ingress that cannot be deleted.
 *
 * @param domains In a guest, the tenant's domains; on the host its namespace lists them.
 */
export function ingressPolicy(settings: IngressSettings, domains?: readonly string[]): AdmissionPolicy {
  return {
    name: "kraft-tenant-ingresses",
    scope: domains === undefined ? "tenants" : "everywhere",
    requests: [requestsFor("networking.k8s.io/v1", ["ingresses"])],
    variables: [
      { name: "domains", expression: domains === undefined ? domainsOfNamespace : list(domains) },
      { name: "rules", expression: valueOr("object.spec.rules", "[]") },
      { name: "tls", expression: valueOr("object.spec.tls", "[]") },
      { name: "annotations", expression: valueOr("object.metadata.annotations", "{}") },
      { name: "hosts", expression: "variables.rules.filter(r, has(r.host) && r.host != '').map(r, r.host)" },
      outsideDomains("foreignHosts", "variables.hosts"),
      {
        name: "foreignAnnotations",
        // The class has a message of its own.
        expression: `${foreignAnnotations(annotations)}.filter(k, k != 'kubernetes.io/ingress.class')`,
      },
    ],
    rules: [
      ...hostRules,
      ...tlsRules,
      ...annotationRules(settings),
      ...backendRules(settings),
      // On the host cert-manager writes one of them, which opens its own challenge to everybody.
      ...(domains === undefined ? [] : [accessRule]),
    ],
  };
}

const nginx = "nginx.ingress.kubernetes.io/";

/** Annotations by which NGINX keeps visitors out; here all of them would come in. */
const accessAnnotations = ["whitelist-source-range", "allowlist-source-range", "denylist-source-range", "satisfy"];

/** Annotations of NGINX without which an application often does not answer as it should. Most others only tune. */
const effectiveAnnotations = [
  "app-root",
  "backend-protocol",
  "configuration-snippet",
  "permanent-redirect",
  "rewrite-target",
  "server-snippet",
  "ssl-passthrough",
  "temporal-redirect",
  "upstream-vhost",
  "use-regex",
];

const restrictsAccess = `k.startsWith(${quoted(`${nginx}auth-`)}) || k in ${list(accessAnnotations.map((name) => nginx + name))}`;

const accessRule: Rule = {
  expression: `!variables.annotations.exists(k, ${restrictsAccess})`,
  message:
    "annotations by which NGINX restricts access do nothing here: remove them, and put a proxy with a login of its own in front",
  messageExpression:
    `variables.annotations.filter(k, ${restrictsAccess}).join(', ') + ` +
    "': only NGINX knows these, and here everybody would get in; remove them, and put a proxy with a login of its own in front'",
};

/**
 * What a guest warns of: an Ingress that is allowed, and that nobody gets an answer from. It may be one of several that share
 * a certificate, or become whole later, so that it is not refused.
 */
export function ingressWarnings({ issuerName }: IngressSettings): AdmissionPolicy {
  return {
    name: "kraft-tenant-hints",
    scope: "everywhere",
    warns: true,
    requests: [requestsFor("networking.k8s.io/v1", ["ingresses"])],
    variables: [
      { name: "tls", expression: valueOr("object.spec.tls", "[]") },
      { name: "annotations", expression: valueOr("object.metadata.annotations", "{}") },
      {
        name: "hosts",
        expression: `(${valueOr("object.spec.rules", "[]")}).filter(r, has(r.host) && r.host != '').map(r, r.host)`,
      },
      {
        name: "bare",
        expression: "variables.hosts.filter(h, !variables.tls.exists(t, has(t.hosts) && h in t.hosts))",
      },
      {
        name: "empty",
        expression: `(${valueOr("object.spec.rules", "[]")}).filter(r, has(r.host) && !has(r.http)).map(r, r.host)`,
      },
      {
        name: "patterns",
        expression: `(${valueOr("object.spec.rules", "[]")}).filter(r, has(r.http) && r.http.paths.exists(p, has(p.path) && p.path.matches('[(*]|[$]$'))).map(r, r.http.paths.filter(p, has(p.path) && p.path.matches('[(*]|[$]$'))[0].path)`,
      },
      {
        name: "ignored",
        expression: `variables.annotations.filter(k, k in ${list(effectiveAnnotations.map((name) => nginx + name))})`,
      },
    ],
    rules: [
      {
        expression: "variables.bare.size() == 0",
        message: "a host without an entry in spec.tls does not answer: add one",
        messageExpression:
          "'does not answer before spec.tls names it, since http is sent on to https: ' + variables.bare.join(', ') + " +
          `'; add an entry with a secretName that ends in -tls, and the annotation ${issuerAnnotation}: ${issuerName}'`,
      },
      {
        expression: `variables.tls.size() == 0 || ${quoted(issuerAnnotation)} in variables.annotations`,
        message: `no certificate is issued without the annotation ${issuerAnnotation}: ${issuerName}, and nothing answers until another Ingress with the same secretName has it: add it`,
      },
      {
        expression: `!(${quoted(entryPointsAnnotation)} in variables.annotations) || variables.annotations[${quoted(entryPointsAnnotation)}] != 'web'`,
        message: `with ${entryPointsAnnotation}: web nothing answers, since http is sent on to https: remove it`,
      },
      {
        expression: "variables.empty.size() == 0",
        message: "a host without paths does not answer: write http.paths into its rule, with a Service as backend",
        messageExpression:
          "'does not answer without paths: ' + variables.empty.join(', ') + '; write http.paths into its rule, with a Service as backend'",
      },
      {
        expression: "variables.patterns.size() == 0",
        message: "a path is taken as it is written, not as a pattern: nothing answers by it",
        messageExpression:
          "'taken as they are written, not as patterns, so that hardly any address begins with them: ' + variables.patterns.join(', ') + '; write plain paths'",
      },
      {
        expression: "variables.ignored.size() == 0",
        message: "annotations of NGINX do nothing here: let your application answer without them",
        messageExpression:
          "'only NGINX knows these, and here they do nothing: ' + variables.ignored.join(', ') + '; let the application answer under " +
          "the path that visitors ask for; for a backend that speaks https, annotate its Service: traefik.ingress.kubernetes.io/service.serversscheme: https'",
      },
    ],
  };
}

const hostRules: readonly Rule[] = [
  {
    expression: "!has(object.spec.defaultBackend)",
    message: "spec.defaultBackend would answer for every host of the platform: remove it, and write rules with a host",
  },
  {
    expression: `variables.rules.size() >= 1 && variables.rules.size() <= ${ingressLimits.rules}`,
    message: `an Ingress needs 1 to ${ingressLimits.rules} rules: write one with a host, or split the Ingress`,
  },
  {
    expression: "variables.rules.all(r, has(r.host) && r.host != '')",
    message: "a rule without a host would answer for every host of the platform: give every rule a host",
  },
  {
    expression: "!variables.hosts.exists(h, h.startsWith('*'))",
    message: "a wildcard host would take precedence over exact ones: write each host in a rule of its own",
  },
  {
    expression: "variables.foreignHosts.size() == 0",
    message: "a host is not within your domains: use one of your own, or ask the operator to add the domain",
    messageExpression:
      "'not within your domains: ' + variables.foreignHosts.join(', ') + '; yours are: ' + variables.domains.join(', ') + " +
      "' and all their subdomains; use one of them, or ask the operator to add the domain'",
  },
];

const tlsRules: readonly Rule[] = [
  {
    expression: `variables.tls.size() <= ${ingressLimits.tls} && variables.tls.all(t, has(t.hosts) && t.hosts.size() >= 1 && t.hosts.size() <= ${ingressLimits.tls})`,
    message: `spec.tls may have up to ${ingressLimits.tls} entries, each with 1 to ${ingressLimits.tls} hosts: name the hosts, or split the Ingress`,
  },
  {
    expression: "variables.tls.all(t, !has(t.hosts) || t.hosts.all(h, h in variables.hosts))",
    message: "spec.tls names a host that no rule of this Ingress has: add the rule, or remove the host",
  },
  {
    expression: `variables.tls.all(t, has(t.secretName) && t.secretName.endsWith('-tls') && t.secretName.size() <= ${ingressLimits.secretName})`,
    message: `every entry of spec.tls needs a secretName that ends in -tls, ${ingressLimits.secretName} characters at most, for example shop-tls: the platform puts the certificate there`,
  },
];

function annotationRules({ issuerName }: IngressSettings): readonly Rule[] {
  return [
    {
      expression: "!('kubernetes.io/ingress.class' in variables.annotations)",
      message: "the annotation kubernetes.io/ingress.class is out of use: write spec.ingressClassName",
    },
    {
      expression: "variables.foreignAnnotations.size() == 0",
      message: "an annotation is not allowed on an Ingress here: remove it",
      messageExpression:
        "'annotations that are not allowed on an Ingress here: ' + variables.foreignAnnotations.join(', ') + '; remove them; ' + " +
        "(variables.foreignAnnotations.exists(k, k.contains('middlewares')) ? " +
        "'http is sent on to https anyway, and a login, headers or a list of addresses go into a proxy of your own; ' : '') + " +
        "('kubernetes.io/tls-acme' in variables.foreignAnnotations ? " +
        `'${issuerAnnotation}: ${issuerName} asks for a certificate; ' : '') + ` +
        "(variables.foreignAnnotations.exists(k, k.startsWith('external-dns')) ? " +
        "'a CNAME record at your DNS provider brings the name here; ' : '') + " +
        `'of these domains only ${annotations.exact.join(", ")} are'`,
    },
    {
      expression: `!(${quoted(issuerAnnotation)} in variables.annotations) || variables.annotations[${quoted(issuerAnnotation)}] == ${quoted(issuerName)}`,
      message: `the only issuer here is ${issuerName}: write ${issuerAnnotation}: ${issuerName}`,
    },
    {
      expression: `!(${quoted(entryPointsAnnotation)} in variables.annotations) || variables.annotations[${quoted(entryPointsAnnotation)}] in ['web', 'websecure', 'web,websecure', 'websecure,web']`,
      message: `${entryPointsAnnotation} may be web, websecure or both with a comma: write that, or remove it for both`,
    },
    {
      expression: `!(${quoted(keySizeAnnotation)} in variables.annotations) || variables.annotations[${quoted(keySizeAnnotation)}] in ${list(keySizes)}`,
      message: `${keySizeAnnotation} may be one of ${keySizes.join(", ")}: write one of them, or remove it`,
    },
  ];
}

function backendRules({ ingressClassName }: IngressSettings): readonly Rule[] {
  return [
    {
      expression: `has(object.spec.ingressClassName) && object.spec.ingressClassName == ${quoted(ingressClassName)}`,
      message: `spec.ingressClassName must be ${ingressClassName}`,
    },
    {
      expression: `variables.rules.map(r, has(r.http) ? r.http.paths.size() : 0).sum() <= ${ingressLimits.paths}`,
      message: `an Ingress may have up to ${ingressLimits.paths} paths, all rules together: join them under a common one`,
    },
    {
      expression:
        "variables.rules.all(r, !has(r.http) || r.http.paths.all(p, has(p.backend.service) && !has(p.backend.resource)))",
      message: "every path needs a Service as its backend: spec.rules[].http.paths[].backend.service",
    },
    {
      expression: `variables.rules.all(r, !has(r.http) || r.http.paths.all(p, !has(p.path) || p.path == '' || p.path.matches(${quoted(pathPattern)})))`,
      message: `a path begins with / and has up to ${ingressLimits.pathLength} letters, digits and the characters ._~!$&()*+,;=:@%/-: correct it`,
    },
  ];
}
