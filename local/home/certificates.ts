import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../errors/failure.ts";
import type { Stack } from "../../stacks/index.ts";
import { cacheDirectory } from "../cache.ts";
import { writeFileWhole } from "../state.ts";
import { toolPath, type Tools } from "../toolchain/ready.ts";
import { internetNames } from "./internet.ts";

/**
 * The authority of the internet's servers, without `.crt` and `.key`: one for all homes of this user, since the images trust
 * it.
 */
export function internetAuthority(): string {
  return join(cacheDirectory(), "internet-authority", "authority");
}

/** A certificate of a home, without `.crt` and `.key`: its authority, the API server's, and what else it is made for. */
export function certificate(directory: string, name: "authority" | "api-server" | "acme" | "kubelet-client"): string {
  return join(directory, "certificates", name);
}

/**
 * The certificate of the internet's authority, in PEM: made at the first time.
 *
 * @throws Failure if it cannot be made.
 */
export function internetCertificate(tools: Tools): string {
  const authority = { path: internetAuthority(), commonName: "Kraft's embedded internet" };
  makeCertificates(tools, join(cacheDirectory(), "internet-authority", "list.json"), [authority]);
  return readFileSync(`${authority.path}.crt`, "utf8");
}

/**
 * Makes those certificates of a list that are not there yet, by local/tools/home.
 *
 * @param list Where the list is written.
 * @throws Failure if one cannot be made.
 */
export function makeCertificates(tools: Tools, list: string, wanted: readonly object[]): void {
  writeFileWhole(list, JSON.stringify(wanted));
  const result = spawnSync(toolPath(tools, "home"), ["certificates", list], { encoding: "utf8" });
  if (result.status !== 0) {
    throw new Failure(`Certificates cannot be made: ${result.stderr}`);
  }
}

/**
 * Makes the certificates of a home that are not there yet.
 *
 * @param address That of the API server on the LAN.
 * @throws Failure if one cannot be made.
 */
export function provideCertificates(
  { directory, stack, tools }: { readonly directory: string; readonly stack: Stack; readonly tools: Tools },
  address: string,
): void {
  const authority = certificate(directory, "authority");
  const [first, second] = stack.network.serviceCidr.split(".");
  makeCertificates(tools, join(directory, "certificates", "list.json"), [
    { path: authority, commonName: "kubernetes" },
    {
      path: certificate(directory, "api-server"),
      authority,
      commonName: "kube-apiserver",
      names: [
        "localhost",
        ...["kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"],
      ],
      addresses: [address, "127.0.0.1", `${first}.${second}.0.1`],
    },
    {
      path: certificate(directory, "acme"),
      authority: internetAuthority(),
      commonName: internetNames.acme,
      names: [internetNames.acme],
    },
    {
      path: certificate(directory, "kubelet-client"),
      authority,
      commonName: "kube-apiserver-kubelet-client",
      organizations: ["system:masters"],
    },
  ]);
}
