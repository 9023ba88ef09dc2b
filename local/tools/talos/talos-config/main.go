// Talos-config makes and checks machine configurations as talosctl does, from the same library of Talos: `gen secrets`,
// `gen config` and `validate`, with those of its flags that Kraft uses. talosctl itself cannot be built from Go modules
// alone. Only tests run it; whatever talks to a machine is not here. A command of its own, `supports`, says whether a
// version of Talos is made for a version of Kubernetes.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	machineapi "github.com/siderolabs/talos/pkg/machinery/api/machine"
	"github.com/siderolabs/talos/pkg/machinery/compatibility"
	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/config/bundle"
	"github.com/siderolabs/talos/pkg/machinery/config/configloader"
	"github.com/siderolabs/talos/pkg/machinery/config/configpatcher"
	"github.com/siderolabs/talos/pkg/machinery/config/encoder"
	"github.com/siderolabs/talos/pkg/machinery/config/generate"
	"github.com/siderolabs/talos/pkg/machinery/config/generate/secrets"
	"github.com/siderolabs/talos/pkg/machinery/config/machine"
	"github.com/siderolabs/talos/pkg/machinery/config/validation"
)

// metal is a machine with a disk that Talos is installed on.
type metal struct{}

func (metal) String() string        { return "metal" }
func (metal) RequiresInstall() bool { return true }
func (metal) InContainer() bool     { return false }

type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

func (l *list) Set(value string) error {
	*l = append(*l, value)

	return nil
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	commands := map[string]func([]string) error{
		"gen secrets": genSecrets,
		"gen config":  genConfig,
		"validate":    validate,
		"supports":    supports,
	}
	for name, command := range commands {
		words := strings.Fields(name)
		if len(arguments) >= len(words) && strings.Join(arguments[:len(words)], " ") == name {
			return command(arguments[len(words):])
		}
	}

	return fmt.Errorf("unknown command %q: there are gen secrets, gen config, validate and supports", strings.Join(arguments, " "))
}

func genSecrets(arguments []string) error {
	flags := flag.NewFlagSet("gen secrets", flag.ExitOnError)
	version := flags.String("talos-version", "", "")
	output := flags.String("output-file", "-", "")
	_ = flags.Parse(arguments)
	contract, err := config.ParseContractFromVersion(*version)
	if err != nil {
		return err
	}
	made, err := secrets.NewBundle(secrets.NewFixedClock(time.Now()), contract)
	if err != nil {
		return err
	}
	data, err := yaml.Marshal(made)
	if err != nil {
		return err
	}

	return write(*output, data)
}

func genConfig(arguments []string) error {
	if len(arguments) < 2 {
		return fmt.Errorf("gen config wants the cluster's name and endpoint")
	}
	flags := flag.NewFlagSet("gen config", flag.ExitOnError)
	withSecrets := flags.String("with-secrets", "", "")
	version := flags.String("talos-version", "", "")
	kubernetes := flags.String("kubernetes-version", "", "")
	outputType := flags.String("output-types", "controlplane", "")
	output := flags.String("output", "-", "")
	installDisk := flags.String("install-disk", "/dev/sda", "")
	docs := flags.Bool("with-docs", true, "")
	examples := flags.Bool("with-examples", true, "")
	var patches list
	flags.Var(&patches, "config-patch-control-plane", "")
	_ = flags.Parse(arguments[2:])
	if *docs || *examples {
		return fmt.Errorf("Kraft wants neither docs nor examples in a machine configuration")
	}

	contract, err := config.ParseContractFromVersion(*version)
	if err != nil {
		return err
	}
	loaded, err := secrets.LoadBundle(*withSecrets)
	if err != nil {
		return fmt.Errorf("failed to load secrets bundle: %w", err)
	}
	if err = loaded.Validate(); err != nil {
		return fmt.Errorf("failed to validate secrets bundle: %w", err)
	}
	parsed, err := configpatcher.LoadPatches(patches)
	if err != nil {
		return fmt.Errorf("error parsing config patch: %w", err)
	}
	made, err := bundle.NewBundle(
		bundle.WithInputOptions(&bundle.InputOptions{
			ClusterName: arguments[0],
			Endpoint:    arguments[1],
			KubeVersion: strings.TrimPrefix(*kubernetes, "v"),
			GenOptions: []generate.Option{
				generate.WithVersionContract(contract),
				generate.WithSecretsBundle(loaded),
				generate.WithInstallDisk(*installDisk),
				generate.WithDNSDomain("cluster.local"),
				generate.WithClusterDiscovery(true),
			},
		}),
		bundle.WithPatchControlPlane(parsed),
	)
	if err != nil {
		return fmt.Errorf("failed to generate config bundle: %w", err)
	}
	var data []byte
	switch *outputType {
	case "controlplane":
		data, err = made.Serialize(encoder.CommentsDisabled, machine.TypeControlPlane)
	case "talosconfig":
		data, err = yaml.Marshal(made.TalosConfig())
	default:
		err = fmt.Errorf("unknown output type %q", *outputType)
	}
	if err != nil {
		return err
	}

	return write(*output, data)
}

func validate(arguments []string) error {
	flags := flag.NewFlagSet("validate", flag.ExitOnError)
	path := flags.String("config", "", "")
	mode := flags.String("mode", "", "")
	strict := flags.Bool("strict", false, "")
	_ = flags.Parse(arguments)
	if *mode != "metal" {
		return fmt.Errorf("unknown mode %q: a machine is metal", *mode)
	}
	loaded, err := configloader.NewFromFile(*path)
	if err != nil {
		return err
	}
	options := []validation.Option{validation.WithLocal()}
	if *strict {
		options = append(options, validation.WithStrict())
	}
	warnings, err := loaded.Validate(metal{}, options...)
	for _, warning := range warnings {
		fmt.Fprintln(os.Stderr, "warning:", warning)
	}
	if err != nil {
		return err
	}
	fmt.Printf("%s is valid for %s mode\n", *path, *mode)

	return nil
}

func supports(arguments []string) error {
	if len(arguments) != 2 {
		return fmt.Errorf("supports wants a version of Talos and one of Kubernetes")
	}
	talos, err := compatibility.ParseTalosVersion(&machineapi.VersionInfo{Tag: arguments[0]})
	if err != nil {
		return err
	}
	kubernetes, err := compatibility.ParseKubernetesVersion(arguments[1])
	if err != nil {
		return err
	}

	return kubernetes.SupportedWith(talos)
}

func write(path string, data []byte) error {
	if path == "-" {
		_, err := os.Stdout.Write(data)

		return err
	}

	return os.WriteFile(path, data, 0o600)
}
