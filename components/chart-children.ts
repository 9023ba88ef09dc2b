import { DependencyResource } from "@pulumi/pulumi/resource.js";
import { registerResourceModule } from "@pulumi/pulumi/runtime/index.js";

// Import this before @pulumi/kubernetes: the first registration counts.
//
// A Chart's output `resources` refers to every object that it renders, and the SDK would fetch each of them whole from the
// engine. CustomResourceDefinitions are nine tenths of all bytes, and nobody needs more of them than their URN.
registerResourceModule("kubernetes", "apiextensions.k8s.io/v1", {
  construct: (_name: string, _type: string, urn: string) => new DependencyResource(urn),
});
