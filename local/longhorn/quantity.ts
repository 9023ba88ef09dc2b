import { quantityOf } from "../../cluster/quantity.ts";

/**
 * Bytes of a quantity as tenants may write it, such as `1Gi`, `500M`, `1.5G` or `1e9`, rounded up.
 *
 * @throws RangeError for anything else, thousandths of a byte included
 */
export function bytesOf(quantity: string): number {
  const bytes = /[num]$/.test(quantity) ? undefined : quantityOf(quantity);
  if (bytes === undefined) {
    throw new RangeError(`${JSON.stringify(quantity)} is no amount of storage such as 1Gi`);
  }
  return Math.ceil(bytes);
}
