/** Kubernetes quantities, as far as Kraft uses them: thousandths of a CPU, and bytes in binary units. */

const units = { Mi: 1, Gi: 1024, Ti: 1024 * 1024 } as const;

/**
 * Thousandths of a CPU of a quantity such as `2`, `1.5` or `500m`.
 *
 * @throws RangeError for anything else.
 */
export function millicpu(quantity: string): number {
  const match = /^([0-9]+)m$|^([0-9]+(?:\.[0-9]{1,3})?)$/.exec(quantity);
  if (match === null) {
    throw new RangeError(`not a CPU quantity: ${quantity}`);
  }
  return match[1] === undefined ? Math.round(Number(match[2]) * 1000) : Number(match[1]);
}

/** `500` as `500m`, `2000` as `2`: the form that the API server itself would print. */
export function cpuQuantity(thousandths: number): string {
  return thousandths % 1000 === 0 ? String(thousandths / 1000) : `${thousandths}m`;
}

/**
 * Mebibytes of a quantity such as `512Mi`, `4Gi` or `1Ti`.
 *
 * @throws RangeError for anything else.
 */
export function mebibytes(quantity: string): number {
  const match = /^([0-9]+)(Mi|Gi|Ti)$/.exec(quantity);
  if (match === null) {
    throw new RangeError(`not a quantity in Mi, Gi or Ti: ${quantity}`);
  }
  return Number(match[1]) * units[match[2] as keyof typeof units];
}

/** `1536` as `1536Mi`, `4096` as `4Gi`: the form that the API server itself would print. */
export function byteQuantity(mebibytes: number): string {
  const unit = (["Ti", "Gi"] as const).find((name) => mebibytes % units[name] === 0) ?? "Mi";
  return `${mebibytes / units[unit]}${unit}`;
}
