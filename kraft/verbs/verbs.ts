import type { Verb } from "../verb.ts";
import { backup } from "./backup.ts";
import { check } from "./check.ts";
import { diff } from "./diff.ts";
import { drill } from "./drill.ts";
import { kit } from "./kit.ts";
import { hostKubeconfig } from "./host-kubeconfig.ts";
import { kubeconfig } from "./kubeconfig.ts";
import { move } from "./move.ts";
import { reclaim } from "./reclaim.ts";
import { restore } from "./restore.ts";
import { status } from "./status.ts";
import { welcome } from "./welcome.ts";

/** Every verb there is, in the order in which help lists them. */
export const verbs: readonly Verb[] = [
  check,
  diff,
  status,
  kubeconfig,
  hostKubeconfig,
  welcome,
  backup,
  drill,
  restore,
  move,
  kit,
  reclaim,
];
