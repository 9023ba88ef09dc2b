import type { Verb } from "./verb.ts";

/** Every verb there is, in the order in which help lists them. Its folder in kraft/ has the work, in `run.ts`. */
export const verbs: readonly Verb[] = [
  {
    name: "init",
    summary: "describe your machines in a new stack file",
    operands: [["[stack]", "homelab (k3s) or proliant (Talos)"]],
    options: [
      ["--domain <domain>", "the platform's domain"],
      ["--setup <who>", "kraft: Kraft sets up the machines; own: there is a cluster"],
      ["--machines <address...>", "the machines, as 192.168.1.11 or name=192.168.1.11; default name: the host name"],
      ["--user <name>", "user on the machines; default: kraft"],
      ["--key <file>", "private key of that user; default: ssh's own choice"],
      ["--fingerprint <sha256...>", "fingerprints of the machines' host keys, in their order"],
      ["--kubeconfig <file>", "with --setup own; default: ~/.kube/kraft-<stack>.yaml"],
      ["--context <name>", "context in it; default: the only one"],
      ["--longhorn <size>", "with --setup own, while Longhorn does not run: its file system, for example 690Gi"],
      ["--hardware <figures>", 'on Talos: threads, memory, file system for Longhorn, for example "48 128Gi 3000Gi"'],
      ["--resolver <address...>", "name servers that the nodes use; default: what the machines say"],
      ["--entry <address>", "address for the entrypoint; default: the nodes' own"],
      ["--bucket <name>", "bucket for backups"],
      ["--region <region>", "Wasabi region of the bucket"],
      ["--line <down/up>", "Mbit/s of your line, for example 200/50; default: not in the file"],
    ],
    defaultStack: "none",
    details: [
      "Asks what is not given as an option, at most ten questions. Measures threads, memory, disk, network cards and name servers over ssh, or asks the cluster, writes Pulumi.<stack>.yaml whole or not at all, and says what is left. No secret is asked for or written. The machines are not changed.",
      "Without a terminal it names every option that is missing. Interrupted, it suggests your answers the next time; they are kept in .kraft/init-<stack>.json, for you alone. A stack file of yours is never replaced, only Kraft's example as git has it.",
    ],
    examples: [
      "init homelab",
      "init homelab --domain cluster.meier.example --setup kraft --machines 192.168.1.11 192.168.1.12 192.168.1.13 --key ~/.ssh/kraft --fingerprint SHA256:… SHA256:… SHA256:… --bucket meier-backup --region eu-central-2 --line 200/50",
    ],
    load: () => import("../init/run.ts"),
  },
  {
    name: "check",
    summary: "check stack files without a cluster or passphrase",
    defaultStack: "every stack that has a file",
    options: [
      ["--dns", "ask DNS for the entrypoint, tenants' APIs and tenants' domains"],
      ["--resolver <address>", "name server to ask, with :<port> if it is not 53; default: this machine's"],
    ],
    details: [
      "Prints the checks' tables, warnings and problems. Encrypted values count as present; only a preview can tell whether they are right.",
      "With --dns, names that do not lead to the entrypoint are warnings and do not change the exit code.",
    ],
    examples: ["check", "check -s homelab", "check -s homelab --dns"],
    old: { stackOperand: true },
    load: () => import("../check/run.ts"),
  },
  {
    name: "diff",
    summary: "show which tenants a change affects, and how",
    options: [
      ["--base <ref or folder>", "compare this checkout with a commit or another checkout, without a cluster"],
      ["--preview <file>", "read a preview: the output of `pulumi preview --json`; - is standard input"],
      ["--drift", "the preview is that of a refresh: sort what it found by how much it matters"],
      ["--confirm-from <file>", "text of the pull request, which may confirm the loss of data"],
      ["--markdown", "print the comment as GitHub's Markdown"],
    ],
    details: [
      "Prints text, or the comment of a pull request. Exits with 1 also when something that holds data is deleted or replaced and the pull request's text does not confirm it with `Kraft-confirm: <tenant or platform> <YYYY-MM-DD>`; with --drift, when something that keeps tenants apart has drifted.",
    ],
    examples: [
      "diff --base main",
      "diff -s homelab --base main --markdown --confirm-from text.txt",
      "diff --preview preview.json",
      "diff --preview refresh.json --drift",
    ],
    load: () => import("../diff/run.ts"),
  },
  {
    name: "status",
    summary: "show nodes, tenants, backups and certificates of a cluster",
    options: [
      ["--guests", "look into the guests too, for pods that the host does not have"],
      ["--prometheus", "print figures in Prometheus' text format, for node_exporter's textfile collector"],
      ["--html [file]", "print one HTML page, or write it to a file that you alone can read"],
      ["--force", "with --html <file>: replace an existing file"],
    ],
    details: [
      "Only reads a running cluster. Exits with 1 if anything is wrong; the problems are listed at the end.",
      "K3k may lose pods when a node is drained or comes back, and their guests show them as if they ran: --guests compares every guest's pods with the host's, and names the command that brings them back.",
      "The page begins with the problems, the most urgent first, and adds what `check` knows of capacity and cost. It needs no server and no network. It names tenants and their domains.",
    ],
    examples: [
      "status",
      "status -s homelab --guests",
      "status -s homelab --json",
      "status -s homelab --prometheus",
      "status -s homelab --html ~/homelab.html --force",
    ],
    old: { stackOperand: true },
    load: () => import("../status/run.ts"),
  },
  {
    name: "alert",
    summary: "send a test alert to everybody whom kraft:alerts names",
    options: [["--test", "send it: without this option only the targets are listed"]],
    details: [
      "The running Alertmanager sends it, by the ways that every other alert takes, so that the whole path is tried, and says which targets took it. Nothing is sent to the heartbeat. Exits with 1 if any target did not take it within a minute.",
    ],
    examples: ["alert --test", "alert -s homelab --test --json"],
    load: () => import("../alert/run.ts"),
  },
  {
    name: "onboard",
    summary: "write what a new tenant gets: sheet, kubeconfig, sample application",
    operands: [["<tenant>", "tenant of the stack file"]],
    options: [
      ["-o, --out <folder>", "the folder to write, outside of this checkout"],
      ["--days <days>", "a kubeconfig that ends after so many days, and can be revoked; default: K3k's own, a year"],
      ["--via <address>", "with --days: where to ask the guest, if its name does not lead there from here"],
      ["--renew", "a new kubeconfig, even if the one in the folder is still good"],
    ],
    details: [
      "Writes README.md, kubeconfig.yaml and sample.yaml: the sheet of `welcome` with what is used now, the file of `kubeconfig`, and an application that answers over https. All are readable by you alone. Hand them over in private.",
      "Run it again for a new sheet. It keeps a kubeconfig that has a third of its time left, and replaces only what it wrote itself: if somebody changed a file, nothing is written.",
    ],
    examples: ["onboard acme --out ~/tenants/acme", "onboard acme --out ~/tenants/acme --days 90 -s homelab"],
    load: () => import("../onboard/run.ts"),
  },
  {
    name: "kubeconfig",
    summary: "print a tenant's own kubeconfig, renew or revoke it",
    operands: [["<tenant>", "tenant of the stack file"]],
    options: [
      ["-o, --output <file>", "write it there, readable by you alone"],
      ["--force", "replace an existing file"],
      ["--renew", "with -o: replace the kubeconfig of this tenant in that file"],
      ["--days <days>", "one that ends after so many days, and can be revoked; default: K3k's own, a year"],
      ["--revoke", "end every kubeconfig of the tenant that was made with --days"],
      ["--via <address>", "with --days or --revoke: where to ask the guest, if its name does not lead there from here"],
    ],
    details: [
      "Its server is the name at which the tenant reaches the guest. It makes its owner administrator of the guest cluster: hand it over in private. Standard error says when it ends, and status reminds you.",
      "K3k's own holds a certificate for a year, which cannot be revoked; K3k makes a new one at every reconcile. With --days it holds the token of a service account in the guest, which --revoke deletes. An administrator of the guest may have made other credentials: to keep everybody out, suspend the tenant.",
    ],
    examples: [
      "kubeconfig acme -o acme.yaml",
      "kubeconfig acme -s homelab > acme.yaml",
      "kubeconfig acme -o acme.yaml --renew --days 90",
      "kubeconfig acme --revoke",
    ],
    load: () => import("../kubeconfig/run.ts"),
  },
  {
    name: "host-kubeconfig",
    summary: "fetch the host cluster's kubeconfig from a node",
    options: [
      ["--key <file>", "private key of the user on the nodes; default: ssh's own choice"],
      ["--force", "replace an existing file"],
    ],
    details: [
      "Writes it to the path in the stack file. For machines on which Kraft runs k3s (kraft:machines). It asks over ssh, and only nodes that prove the host key in the stack file. The file makes its owner administrator of everything, for a year: k3s renews the certificate when it is restarted within the last 120 days. Then fetch it again with --force.",
    ],
    examples: ["host-kubeconfig -s homelab --key ~/.ssh/kraft", "host-kubeconfig -s homelab --force"],
    old: { stackOperand: true },
    load: () => import("../host-kubeconfig/run.ts"),
  },
  {
    name: "welcome",
    summary: "print the sheet that a tenant gets, in Markdown",
    operands: [["<tenant>", "tenant of the stack file"]],
    options: [["--live", "also ask the cluster what is used, for the last backups, and when the kubeconfig ends"]],
    details: [
      "Whom to ask, entrypoint, domains, an application to copy, every limit, what is backed up and what is not, what ends when. Nothing in it is secret. Without --live no cluster is asked.",
    ],
    examples: ["welcome acme > acme.md", "welcome acme --live", "welcome acme -s homelab --json"],
    load: () => import("../welcome/run.ts"),
  },
  {
    name: "backup",
    summary: "back up every volume of a tenant now",
    operands: [["<tenant>", "tenant of the stack file"]],
    options: [
      ["--volume <name>", "only this Longhorn volume, even if its claim is deleted"],
      ["--timeout <minutes>", "time limit for the whole run; default: 720"],
    ],
    details: [
      "Takes a snapshot of all volumes at once, then uploads one after the other, and waits until that is done. If you interrupt it, Longhorn finishes the upload that has begun. Exits with 1 if any volume could not be backed up; the others are.",
    ],
    examples: ["backup acme", "backup acme --volume pvc-0a1b2c3d -s homelab"],
    load: () => import("../backup/run.ts"),
  },
  {
    name: "drill",
    summary: "prove that a tenant's backups can be restored",
    operands: [["[tenant]", "tenant of the stack file"]],
    options: [
      ["--next", "the tenant whose last drill is longest ago"],
      ["--timeout <minutes>", "time limit for each volume, download included; default: 240"],
    ],
    details: [
      "Restores the newest backup of each of the tenant's volumes, one after the other, into a volume that nothing else uses, reads all of it in a pod without network, removes it, and records the result on the tenant's namespace. The tenant's own volumes and backups are not touched. The next drill cleans up after one that was killed.",
      "Exits with 1 if a backup is missing, cannot be restored, or cannot be read to the end.",
    ],
    examples: ["drill acme", "drill acme -s homelab", "drill --next --json"],
    load: () => import("../drill/run.ts"),
  },
  {
    name: "restore",
    summary: "show what the backups hold, or restore it",
    phases: {
      plan: "say what would come back, how old it is and how long it takes",
      apply: "restore it",
    },
    needsPhase: true,
    options: [["--tenant <tenant>", "only this tenant"]],
    details: [
      "plan reads the bucket alone: no cluster is needed, only the passphrase of the stack file, or the bucket's key in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. It exits with 1 if something is damaged or belongs to no tenant.",
      "apply creates Longhorn's volumes and binds them to their claims. It deletes nothing, and changes nothing that came from elsewhere. Interrupted at any moment, it continues when it is run again.",
    ],
    examples: ["restore plan -s homelab", "restore apply -s homelab", "restore apply -s homelab --tenant acme"],
    old: { phaseOptions: true },
    load: () => import("../restore/run.ts"),
  },
  {
    name: "recover",
    summary: "bring a tenant back whose guest, namespace or claims were deleted",
    operands: [["<tenant>", "tenant of the stack file"]],
    phases: {
      plan: "say which volumes are still there, and what comes from the backups",
      apply: "bind them to their claims again, and restore what is lost",
    },
    needsPhase: true,
    options: [
      ["--claim <name>", "only this claim: its name on the host, <namespace>/<name> in the guest, or datastore"],
      [
        "--at <moment>",
        "with --claim: from its newest backup up to <YYYY-MM-DD> or <YYYY-MM-DDTHH:MM> (UTC), or a backup's name",
      ],
      ["--volume <name>", "with --claim: this retained volume in place of the one that the claim had last"],
    ],
    details: [
      "Volumes outlive their claims. Without --claim, everything that the guest had when it last ran gets its claims again, with the same volumes and without a download; only what no volume in the cluster holds comes from its newest backup. pulumi up then creates the guest, with the token that it had.",
      "With --claim the tenant has to be suspended and its pods ended, unless the claim is gone. Its volume is kept under its own name, until you reclaim it.",
      "No volume and no backup is ever deleted. Interrupted at any moment, it continues when it is run again. Exits with 1 while something stands in the way or cannot come back.",
    ],
    examples: [
      "recover acme plan -s homelab",
      "recover acme apply",
      "recover acme plan --claim shop/data-db-0 --at 2026-11-24",
      "recover acme apply --claim shop/data-db-0 --at 2026-11-24T18:00",
    ],
    load: () => import("../recover/run.ts"),
  },
  {
    name: "move",
    summary: "move a tenant here from another stack, with all data",
    operands: [["<tenant>", "tenant with `from` in the stack file"]],
    phases: {
      copy: "create copies that follow the other stack's backups",
      cutover: "make the last backup, restore it here, let the guest start here",
      done: "say whether anything still depends on the other stack",
      back: "undo a cutover, if the guest never started here",
    },
    defaultStack: "the only one whose file has the tenant with `from`",
    options: [
      ["--resolver <address>", "name server that `done` asks, with :<port> if it is not 53; default: this machine's"],
      ["--key-policy", "only print what kraft:sourceAccessKeyId has to be allowed at Wasabi"],
      ["--timeout <minutes>", "time limit for the last backup of `cutover`; default: 720"],
    ],
    details: [
      "Without a phase it says where the move stands, and what is next. The tenant keeps running on the other stack during copy, and is suspended there before cutover; done changes nothing.",
      "Each phase may be interrupted, and continues when it is run again. Nothing is ever deleted. Exits with 1 while something is open.",
    ],
    examples: [
      "move acme --key-policy",
      "move acme",
      "move acme copy -s proliant",
      "move acme cutover",
      "move acme done",
    ],
    load: () => import("../move/run.ts"),
  },
  {
    name: "kit",
    summary: "check the recovery kit outside the house, or write it",
    operands: [["<folder>", "the kit: a folder on a stick, or in a second place"]],
    options: [
      ["--write", "write what is missing"],
      ["--force", "with --write: replace what differs"],
    ],
    details: [
      "Tries everything in the folder that a rebuild needs, using the folder alone: it opens the secrets and reads the backups. With --write it first writes what is missing, for which the passphrase must be in the environment.",
      "Whoever has the folder can read and delete all backups: keep it locked away.",
    ],
    examples: ["kit /media/stick/kraft -s homelab", "kit /media/stick/kraft -s homelab --write"],
    old: { stackOperand: true },
    load: () => import("../kit/run.ts"),
  },
  {
    name: "reclaim",
    summary: "list volumes without a claim, and delete them one by one",
    options: [
      ["--volume <name>", "Longhorn volume to delete"],
      ["--confirm <name and date...>", "the same name, and today's date"],
      ["--without-backup", "delete it even if no backup has its data, which is then lost"],
    ],
    details: [
      "Such volumes still take disk space. Deletes nothing without --volume and --confirm, which repeats the name and gives today's date (UTC). A volume that any claim names is never deleted, nor one whose last backup is older than the deletion of its claim. Backups always stay.",
    ],
    examples: ["reclaim -s homelab", "reclaim --volume pvc-0a1b2c3d --confirm pvc-0a1b2c3d 2026-11-25"],
    load: () => import("../reclaim/run.ts"),
  },
  {
    name: "completion",
    summary: "print what makes bash, zsh or fish complete kraft's commands",
    operands: [
      ["<shell>", "bash, zsh or fish"],
      // The words after `kraft`, the one under the cursor last: the script asks for their completions so.
      ["[words...]", ""],
    ],
    details: [
      "Completes verbs, options, phases, stacks and tenants. Where no command `kraft` is installed, the script defines one that runs this checkout from any folder.",
    ],
    examples: [
      "completion bash >> ~/.bashrc",
      "completion zsh >> ~/.zshrc",
      "completion fish > ~/.config/fish/conf.d/kraft.fish",
    ],
    load: () => import("../completion/run.ts"),
  },
];
