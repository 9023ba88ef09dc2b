import { domainsOfNamespace, outsideDomains, quoted, valueOr } from "./expressions.ts";
import { type AdmissionPolicy, requestsFor } from "./policy.ts";

/**
 * The certificates of a tenant. cert-manager derives them from Ingresses; if one of its annotations ever passed the rules
 * for Ingresses, it would be refused here.
 */
export function certificatePolicy(issuerName: string): AdmissionPolicy {
  const refusedFields = [
    "ipAddresses",
    "uris",
    "emailAddresses",
    "otherNames",
    "literalSubject",
    "secretTemplate",
    "keystores",
  ];
  return {
    name: "kraft-tenant-certificates",
    scope: "tenants",
    requests: [requestsFor("cert-manager.io/v1", ["certificates"])],
    variables: [
      { name: "domains", expression: domainsOfNamespace },
      { name: "names", expression: valueOr("object.spec.dnsNames", "[]") },
      outsideDomains("foreignNames", "variables.names"),
    ],
    rules: [
      {
        expression: "variables.names.size() >= 1 && !variables.names.exists(h, h.startsWith('*'))",
        message: "a certificate needs names, and no wildcard: name the hosts in the Ingress",
      },
      {
        expression: "variables.foreignNames.size() == 0",
        message: "a name of the certificate is not within the tenant's domains: correct the Ingress that asks for it",
        messageExpression:
          "'not within the domains of the tenant: ' + variables.foreignNames.join(', ') + '; theirs are: ' + variables.domains.join(', ')",
      },
      {
        expression:
          "!has(object.spec.commonName) || object.spec.commonName == '' || object.spec.commonName in variables.names",
        message: "the common name must be one of the certificate's names: leave it out",
      },
      {
        expression: `${refusedFields.map((field) => `!has(object.spec.${field})`).join(" && ")} && !(has(object.spec.isCA) && object.spec.isCA)`,
        message: `a tenant's certificate may not have ${refusedFields.join(", ")} or isCA: it is for hosts of an Ingress only`,
      },
      {
        expression: `object.spec.issuerRef.name == ${quoted(issuerName)} && has(object.spec.issuerRef.kind) && object.spec.issuerRef.kind == 'ClusterIssuer'`,
        message: `the only issuer for tenants is the ClusterIssuer ${issuerName}: name it in the annotation of the Ingress`,
      },
      {
        expression: "object.spec.secretName.endsWith('-tls')",
        message: "the secret of a certificate must end in -tls: under other names it could write over the platform's",
      },
    ],
  };
}
