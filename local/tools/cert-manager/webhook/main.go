// Command webhook is cert-manager's admission webhook. See the package command.
package main

import (
	"context"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/cert-manager/cert-manager/internal/apis/config/webhook/validation"
	"github.com/cert-manager/cert-manager/internal/webhook"
	"github.com/cert-manager/cert-manager/kraft/command"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
	"github.com/cert-manager/cert-manager/pkg/webhook/configfile"
	"github.com/cert-manager/cert-manager/pkg/webhook/options"
)

func main() {
	command.Main("webhook", run)
}

func run(ctx context.Context, arguments []string) error {
	config, err := options.NewWebhookConfiguration()
	if err != nil {
		return err
	}
	flags := pflag.NewFlagSet("webhook", pflag.ContinueOnError)
	options.AddConfigFlags(flags, config)
	fromFile := configfile.New()
	settings := command.Settings{
		Flags:        flags,
		FromFile:     fromFile,
		Apply:        func() { fromFile.Config.DeepCopyInto(config) },
		FeatureGates: func() map[string]bool { return config.FeatureGates },
		Validate:     func() field.ErrorList { return validation.ValidateWebhookConfiguration(config, nil) },
		Logging:      &config.Logging,
	}
	if err := settings.Read(arguments); err != nil {
		return err
	}
	command.Announce(ctx, "webhook")
	server, err := webhook.NewCertManagerWebhookServer(logf.FromContext(ctx), *config)
	if err != nil {
		return err
	}
	return server.Run(ctx)
}
