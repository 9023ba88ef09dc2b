/** How often it is tried to remove a folder, a fifth of a second apart. */
const attempts = 150;

/**
 * The command that removes the cgroups of one name below a folder, with whatever is in them: version 2 has one, version 1 one
 * for each controller. Only empty ones can be removed, the deepest first, and whoever was killed a moment ago may still be
 * ending in one: it tries for half a minute, and then fails with what is in the way.
 *
 * @param root Default: where Linux has them.
 */
export function removeCgroupsCommand(name: string, root = "/sys/fs/cgroup"): readonly string[] {
  const script = `
remove() { [ ! -d "$1" ] || find "$1" -depth -type d -exec rmdir {} +; }
status=0
for folder in "$1/$2" "$1"/*/"$2"; do
  attempt=0
  until remove "$folder" 2>/dev/null || [ $attempt -ge ${attempts} ]; do
    attempt=$((attempt + 1))
    sleep 0.2
  done
  remove "$folder" || status=1
done
exit $status`;
  return ["sh", "-c", script, "remove-cgroups", root, name];
}
