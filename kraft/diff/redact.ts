import { type Fields, isFields } from "../../infra/drift/fields.ts";

/** What replaces a secret value, here as in Pulumi's own output. */
export const secret = "[secret]";

/** Marks a secret in what Pulumi serialises, whatever form its value has there. */
const secretSignature = "4dabf18193072939515e22adb298388d";

/** Keys that the engine writes for itself, in any object. */
const engineKeys: ReadonlySet<string> = new Set(["__fieldManager", "__initialApiVersion", "__inputs", "__defaults"]);

/**
 * An object with `replacement` for secret values: those that Pulumi marks, the content of a Kubernetes Secret, marked or
 * not, and the copy of an object that `kubectl apply` leaves in an annotation.
 */
export function withoutSecrets(object: Fields, replacement: (value: unknown) => string = () => secret): Fields {
  const isMarked = (value: unknown): value is Fields => isFields(value) && secretSignature in value;
  const hide = (value: unknown): string => replacement(isMarked(value) ? value["value"] : value);
  const clean = (value: unknown): unknown => {
    if (Array.isArray(value)) {
      return value.map(clean);
    }
    return isMarked(value) ? hide(value) : isFields(value) ? cleanFields(value) : value;
  };
  const cleanFields = (fields: Fields): Fields =>
    Object.fromEntries(
      Object.entries(fields)
        .filter(([key, value]) => value !== undefined && !engineKeys.has(key))
        .map(([key, value]) => [
          key,
          key === "kubectl.kubernetes.io/last-applied-configuration" ? hide(value) : clean(value),
        ]),
    );
  const hideEach = (content: unknown): unknown =>
    isFields(content) && !isMarked(content)
      ? Object.fromEntries(Object.entries(content).map(([name, value]) => [name, hide(value)]))
      : hide(content);
  const contents = object["kind"] === "Secret" ? ["data", "stringData"].filter((key) => object[key] !== undefined) : [];
  return { ...cleanFields(object), ...Object.fromEntries(contents.map((key) => [key, hideEach(object[key])])) };
}
