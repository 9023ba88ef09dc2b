// Command pulumi-resource-kubernetes is the Pulumi Kubernetes provider, built from its Go module.
//
// The module's own main embeds files that its release process generates and that the module proxy does not carry.
// The build (local/toolchain) puts the module's schema.json and terraform-mapping.json beside this file.
package main

import (
	_ "embed"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
)

// version is set at link time, and must be the version of the npm package @pulumi/kubernetes.
var version string

//go:embed schema.json
var schema []byte

//go:embed terraform-mapping.json
var terraformMapping []byte

func main() {
	provider.Serve("kubernetes", version, schema, terraformMapping)
}
