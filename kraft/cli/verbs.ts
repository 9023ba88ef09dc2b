import { backup } from "../backup/verb.ts";
import { check } from "../check/verb.ts";
import { completion } from "../completion/verb.ts";
import { diff } from "../diff/verb.ts";
import { drill } from "../drill/verb.ts";
import { hostKubeconfig } from "../host-kubeconfig/verb.ts";
import { kit } from "../kit/verb.ts";
import { kubeconfig } from "../kubeconfig/verb.ts";
import { move } from "../move/verb.ts";
import { reclaim } from "../reclaim/verb.ts";
import { restore } from "../restore/verb.ts";
import { status } from "../status/verb.ts";
import { welcome } from "../welcome/verb.ts";
import type { Verb } from "./verb.ts";

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
  completion,
];
