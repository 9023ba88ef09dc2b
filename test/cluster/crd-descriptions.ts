/** A YAML text without descriptions, but with the properties that are called so, whose value is an object. */
export function stripDescriptions(yaml: string): string {
  let inside = -1;
  const kept = yaml.split("\n").filter((line) => {
    const indent = line.search(/\S/);
    if (inside >= 0 && (indent === -1 || indent > inside)) {
      return false;
    }
    inside = /^ *description: \S/.test(line) ? indent : -1;
    return inside === -1;
  });
  return kept.join("\n");
}
