// Package command is what cert-manager's programs have in common: how they start, and how they are configured.
//
// cert-manager's own commands are in nested modules that the Go module proxy does not have. The programs beside this
// package take their place in the images of its pods: all that they do is code of cert-manager's root module, and they
// take every argument that its chart can write. What the chart cannot write they refuse as an unknown flag.
package command

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/util/validation/field"
	cliflag "k8s.io/component-base/cli/flag"
	componentlogs "k8s.io/component-base/logs"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cert-manager/cert-manager/internal/cmd/util"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
	utilversion "github.com/cert-manager/cert-manager/pkg/util"
	"github.com/cert-manager/cert-manager/pkg/util/configfile"
	utilfeature "github.com/cert-manager/cert-manager/pkg/util/feature"
)

// Main runs a program until it ends or is asked to, and leaves with its exit code. It never returns.
func Main(name string, run func(ctx context.Context, arguments []string) error) {
	ctx, exit := util.SetupExitHandler(context.Background(), util.GracefulShutdown)
	defer exit()
	logf.InitLogs()
	defer logf.FlushLogs()
	ctrl.SetLogger(logf.Log)
	ctx = logf.NewContext(ctx, logf.Log, name)
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, pflag.ErrHelp) {
		logf.Log.Error(err, "error executing command")
		util.SetExitCode(err)
	}
}

// Announce writes the line that every program of cert-manager's begins with.
func Announce(ctx context.Context, name string) {
	version := utilversion.VersionInfo()
	logf.FromContext(ctx).Info("starting cert-manager "+name+", built by Kraft", "version", version.GitVersion, "go_version", version.GoVersion)
}

// Settings is the configuration of one program.
type Settings struct {
	// Flags are all that the program takes, but for --config.
	Flags *pflag.FlagSet
	// FromFile is filled from the file that --config names, and Apply then makes it the configuration.
	FromFile configfile.ConfigFile
	Apply    func()
	// FeatureGates returns those of the configuration.
	FeatureGates func() map[string]bool
	// Validate is asked once all is read.
	Validate func() field.ErrorList
	Logging  *componentlogs.Options
}

// Read reads the configuration: the defaults, over them the file, over that the flags.
func (s *Settings) Read(arguments []string) error {
	file := s.Flags.String("config", "", "a file with the program's configuration")
	read := func() error {
		if err := s.Flags.Parse(arguments); err != nil {
			return err
		}
		// Twice, since the gates decide which fields of the file are known.
		return utilfeature.DefaultMutableFeatureGate.SetFromMap(s.FeatureGates())
	}
	if err := read(); err != nil {
		return err
	}
	if *file != "" {
		path, err := filepath.Abs(*file)
		if err != nil {
			return err
		}
		loader, err := configfile.NewConfigurationFSLoader(nil, path)
		if err != nil {
			return err
		}
		if err := loader.Load(s.FromFile); err != nil {
			return err
		}
		s.Apply()
		if err := read(); err != nil {
			return err
		}
	}
	if problems := s.Validate(); len(problems) > 0 {
		return problems.ToAggregate()
	}
	return logf.ValidateAndApply(s.Logging)
}

// FeatureGatesFlag adds --feature-gates.
func FeatureGatesFlag(flags *pflag.FlagSet, gates *map[string]bool) {
	flags.Var(cliflag.NewMapStringBool(gates), "feature-gates", "feature gates, as name=true or name=false")
}
