const factors: Readonly<Record<string, number>> = {
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
  Ti: 1024 ** 4,
  Pi: 1024 ** 5,
};

/**
 * Bytes of a quantity as tenants may write it, such as `1Gi`, `500M`, `1.5G` or `1e9`, rounded up.
 *
 * @throws RangeError for anything else
 */
export function bytesOf(quantity: string): number {
  const [, number = "", suffix = ""] = /^(\d+(?:\.\d+)?(?:[eE]\d+)?)([A-Za-z]*)$/.exec(quantity) ?? [];
  const factor = number === "" ? undefined : factors[suffix];
  if (factor === undefined) {
    throw new RangeError(`${JSON.stringify(quantity)} is no amount of storage such as 1Gi`);
  }
  return Math.ceil(Number(number) * factor);
}
