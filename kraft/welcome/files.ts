/** Names of the files that a tenant gets. The sheet, which is one of them, names the others. */
export const tenantFiles = { sheet: "README.md", kubeconfig: "kubeconfig.yaml", sample: "sample.yaml" } as const;
