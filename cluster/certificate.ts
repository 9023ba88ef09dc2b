import { X509Certificate } from "node:crypto";

/**
 * When a certificate ends; of several in a row, the first one, which is its owner's.
 *
 * @param certificate PEM or DER.
 * @throws where it is no certificate.
 */
export function certificateEnd(certificate: string | Buffer): Date {
  return new X509Certificate(certificate).validToDate;
}
