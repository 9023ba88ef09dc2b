import { type Fields, isFields } from "./fields.ts";

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
  const hide = (value: unknown): string =>
    replacement(isFields(value) && secretSignature in value ? value["value"] : value);
  const isSecretContent = (key: string, parent: Fields): boolean =>
    parent === object && object["kind"] === "Secret" && (key === "data" || key === "stringData");
  const clean = (value: unknown): unknown => {
    if (Array.isArray(value)) {
      return value.map(clean);
    }
    if (!isFields(value)) {
      return value;
    }
    return secretSignature in value ? hide(value) : cleanFields(value);
  };
  const cleanFields = (fields: Fields): Fields =>
    Object.fromEntries(
      Object.entries(fields)
        .filter(([key, value]) => value !== undefined && !engineKeys.has(key))
        .map(([key, value]) => {
          if (key === "kubectl.kubernetes.io/last-applied-configuration") {
            return [key, hide(value)];
          }
          if (!isSecretContent(key, fields)) {
            return [key, clean(value)];
          }
          return [
            key,
            isFields(value) && !(secretSignature in value)
              ? Object.fromEntries(Object.entries(value).map(([name, content]) => [name, hide(content)]))
              : hide(value),
          ];
        }),
    );
  return cleanFields(object);
}
