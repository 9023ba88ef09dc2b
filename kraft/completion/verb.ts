import type { Verb } from "../cli/verb.ts";

/** `kraft completion <shell>`: the script by which a shell completes the tool's command lines. */
export const completion: Verb = {
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
  load: () => import("./run.ts"),
};
