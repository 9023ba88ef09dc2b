/** What a suffix of Kubernetes' quantities multiplies by (k8s.io/apimachinery, pkg/api/resource). */
const suffixes: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
  Ti: 1024 ** 4,
  Pi: 1024 ** 5,
  Ei: 1024 ** 6,
};

/** The amount of any quantity that an API server prints, such as `500m`, `1536Mi` or `3e9`; undefined for another text. */
export function quantityOf(text: string): number | undefined {
  const [, amount, suffix = ""] =
    /^([0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?)([numkMGTPE]|[KMGTPE]i)?$/.exec(text) ?? [];
  const factor = suffixes[suffix];
  return amount === undefined || factor === undefined ? undefined : Number(amount) * factor;
}
