// Command pulumi-resource-command is a stand-in for Pulumi's command provider, for tests only.
//
// The Go module of the provider's version does not contain the provider: at v1.2.1 that is a nested module without a tag.
// This program serves the two resources that Kraft declares, command:remote:Command and command:local:Command, as far as
// Kraft uses them: the same framework in the same version, the same fields, the same error messages, real SSH with a
// required host key, real processes. It is stricter, so that no mistake stays hidden: a remote command must have a host key,
// may have no environment, triggers or delete command, and no SSH agent is asked. A local command returns no files:
// assetPaths and archivePaths do not exist.
//
// If the machine has the plugin itself (pulumi plugin install resource command 1.2.1), that one is used.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/pulumi/pulumi-go-provider/infer"
)

// version is set at link time, and must be the version of the npm package @pulumi/command.
var version string

func main() {
	served, err := infer.NewProviderBuilder().
		WithResources(infer.Resource(&remoteCommand{}), infer.Resource(&localCommand{})).
		Build()
	if err == nil {
		err = served.Run(context.Background(), "command", version)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "Error: %s\n", err)
		os.Exit(1)
	}
}
