// Command acmesolver answers an HTTP-01 challenge: cert-manager runs one in a pod for each. See the package command.
package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/spf13/pflag"

	"github.com/cert-manager/cert-manager/kraft/command"
	"github.com/cert-manager/cert-manager/pkg/issuer/acme/http/solver"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
)

func main() {
	command.Main("acmesolver", run)
}

func run(ctx context.Context, arguments []string) error {
	var challenge solver.HTTP01Solver
	flags := pflag.NewFlagSet("acmesolver", pflag.ContinueOnError)
	flags.IntVar(&challenge.ListenPort, "listen-port", 8089, "the port to listen on")
	flags.StringVar(&challenge.Domain, "domain", "", "the name that is to be certified")
	flags.StringVar(&challenge.Token, "token", "", "the token of the challenge")
	flags.StringVar(&challenge.Key, "key", "", "the answer to the challenge")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		graceful, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		stopped <- challenge.Shutdown(graceful)
	}()
	if err := challenge.Listen(logf.FromContext(ctx)); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}
