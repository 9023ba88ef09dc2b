// Command pulumi-resource-command is a stand-in for Pulumi's command provider, for tests only.
//
// The module that the proxy carries for the provider's version lacks the provider itself: at v1.2.1 it is a module of its
// own without a tag. This program serves the two resources that Kraft declares, command:remote:Command and
// command:local:Command, with what Kraft uses of them: the same framework in the same version, the same fields, the same
// texts of errors; real SSH with a required host key, real processes. It differs where that keeps a mistake from being
// hidden. Of a remote command, a connection without a host key, an environment, triggers and a delete command are
// refused, and no agent is asked. A local command hands no files back: assetPaths and archivePaths do not exist.
//
// Where the machine has the plugin itself (pulumi plugin install resource command 1.2.1), that one is taken.
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
