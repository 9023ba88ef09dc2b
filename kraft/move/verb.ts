import type { Verb } from "../cli/verb.ts";

/** `kraft move <tenant> [phase]`: moves a tenant to the stack whose file names the tenant's old stack in `from`. */
export const move: Verb = {
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
  load: () => import("./run.ts"),
};
