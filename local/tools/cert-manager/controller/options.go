package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation/field"
	cliflag "k8s.io/component-base/cli/flag"

	config "github.com/cert-manager/cert-manager/internal/apis/config/controller"
	configscheme "github.com/cert-manager/cert-manager/internal/apis/config/controller/scheme"
	defaults "github.com/cert-manager/cert-manager/internal/apis/config/controller/v1alpha1"
	"github.com/cert-manager/cert-manager/internal/apis/config/controller/validation"
	"github.com/cert-manager/cert-manager/kraft/command"
	configv1alpha1 "github.com/cert-manager/cert-manager/pkg/apis/config/controller/v1alpha1"
	"github.com/cert-manager/cert-manager/pkg/controller"
	"github.com/cert-manager/cert-manager/pkg/controller/configfile"
	dnsutil "github.com/cert-manager/cert-manager/pkg/issuer/acme/dns/util"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
)

func read(arguments []string) (*config.ControllerConfiguration, error) {
	scheme, _, err := configscheme.NewSchemeAndCodecs()
	if err != nil {
		return nil, err
	}
	versioned := &configv1alpha1.ControllerConfiguration{}
	scheme.Default(versioned)
	options := &config.ControllerConfiguration{}
	if err := scheme.Convert(versioned, options, nil); err != nil {
		return nil, err
	}
	fromFile := configfile.New()
	settings := command.Settings{
		Flags:        flagsFor(options),
		FromFile:     fromFile,
		Apply:        func() { fromFile.Config.DeepCopyInto(options) },
		FeatureGates: func() map[string]bool { return options.FeatureGates },
		Validate:     func() field.ErrorList { return validation.ValidateControllerConfiguration(options, nil) },
		Logging:      &options.Logging,
	}
	if err := settings.Read(arguments); err != nil {
		return nil, err
	}
	if options.EnablePprof || options.GatewayAPIConfig.Enabled ||
		options.MetricsTLSConfig.FilesystemConfigProvided() || options.MetricsTLSConfig.DynamicConfigProvided() {
		return nil, errors.New("this build of the controller, made by Kraft, has no profiler and no Gateway API, and serves metrics without TLS only")
	}
	return options, nil
}

// flagsFor returns the flags that the chart can write, and those that running it outside of a cluster needs.
func flagsFor(options *config.ControllerConfiguration) *pflag.FlagSet {
	flags := pflag.NewFlagSet("controller", pflag.ContinueOnError)
	flags.StringVar(&options.KubeConfig, "kubeconfig", options.KubeConfig, "a kubeconfig, outside of a cluster")
	flags.StringVar(&options.Namespace, "namespace", options.Namespace, "the only namespace that is looked at")
	flags.StringVar(&options.ClusterResourceNamespace, "cluster-resource-namespace", options.ClusterResourceNamespace, "where secrets of ClusterIssuers are")
	flags.StringVar(&options.MetricsListenAddress, "metrics-listen-address", options.MetricsListenAddress, "address of the metrics")
	flags.StringVar(&options.HealthzListenAddress, "internal-healthz-listen-address", options.HealthzListenAddress, "address of /livez")
	flags.StringSliceVar(&options.Controllers, "controllers", options.Controllers, "controllers: *, names, or -names")
	flags.IntVar(&options.MaxConcurrentChallenges, "max-concurrent-challenges", options.MaxConcurrentChallenges, "challenges at the same time")
	flags.BoolVar(&options.EnableCertificateOwnerRef, "enable-certificate-owner-ref", options.EnableCertificateOwnerRef, "whether a secret goes with its certificate")
	command.FeatureGatesFlag(flags, &options.FeatureGates)

	election := &options.LeaderElectionConfig
	flags.BoolVar(&election.Enabled, "leader-elect", election.Enabled, "whether only one of several works")
	flags.StringVar(&election.Namespace, "leader-election-namespace", election.Namespace, "where the lease is")
	flags.DurationVar(&election.LeaseDuration, "leader-election-lease-duration", election.LeaseDuration, "how long a lease holds")
	flags.DurationVar(&election.RenewDeadline, "leader-election-renew-deadline", election.RenewDeadline, "until when it must be renewed")
	flags.DurationVar(&election.RetryPeriod, "leader-election-retry-period", election.RetryPeriod, "time between two attempts")

	ingress := &options.IngressShimConfig
	flags.StringVar(&ingress.DefaultIssuerName, "default-issuer-name", ingress.DefaultIssuerName, "issuer of an Ingress that names none")
	flags.StringVar(&ingress.DefaultIssuerKind, "default-issuer-kind", ingress.DefaultIssuerKind, "its kind")
	flags.StringVar(&ingress.DefaultIssuerGroup, "default-issuer-group", ingress.DefaultIssuerGroup, "its group")

	http01 := &options.ACMEHTTP01Config
	flags.StringVar(&http01.SolverImage, "acme-http01-solver-image", http01.SolverImage, "image of the pods that answer challenges")
	flags.Var(cliflag.NewMapStringString(&http01.SolverExtraLabels), "acme-http01-solver-extra-labels", "their labels")
	flags.StringVar(&http01.SolverRuntimeClassName, "acme-http01-solver-runtime-class-name", http01.SolverRuntimeClassName, "their runtime class")
	flags.StringSliceVar(&http01.SolverNameservers, "acme-http01-solver-nameservers", http01.SolverNameservers, "name servers of the self-check")

	dns01 := &options.ACMEDNS01Config
	flags.StringSliceVar(&dns01.RecursiveNameservers, "dns01-recursive-nameservers", dns01.RecursiveNameservers, "name servers of DNS-01")
	flags.BoolVar(&dns01.RecursiveNameserversOnly, "dns01-recursive-nameservers-only", dns01.RecursiveNameserversOnly, "whether no other is asked")
	logf.AddFlags(&options.Logging, flags)
	return flags
}

// enabledControllers returns the names of the controllers that run.
func enabledControllers(options *config.ControllerConfiguration) sets.Set[string] {
	enabled := sets.New[string]()
	disabled := sets.New[string]()
	for _, name := range options.Controllers {
		switch {
		case name == "*":
			enabled.Insert(defaults.DefaultEnabledControllers...)
		case strings.HasPrefix(name, "-"):
			disabled.Insert(strings.TrimPrefix(name, "-"))
		default:
			enabled.Insert(name)
		}
	}
	if enabled.Len() == 0 {
		enabled.Insert(defaults.DefaultEnabledControllers...)
	}
	if options.Namespace != "" {
		enabled.Delete(defaults.ClusterScopedControllers...)
	}
	return enabled.Difference(disabled)
}

// contextFactory translates the configuration for cert-manager's controllers.
func contextFactory(ctx context.Context, options *config.ControllerConfiguration) (*controller.ContextFactory, error) {
	http01, dns01, ingress := options.ACMEHTTP01Config, options.ACMEDNS01Config, options.IngressShimConfig
	acme := controller.ACMEOptions{
		ACMEHTTP01SolverRunAsNonRoot: http01.SolverRunAsNonRoot,
		HTTP01SolverImage:            http01.SolverImage,
		HTTP01SolverNameservers:      http01.SolverNameservers,
		HTTP01SolverExtraLabels:      http01.SolverExtraLabels,
		HTTP01SolverRuntimeClassName: http01.SolverRuntimeClassName,
		DNS01Nameservers:             dns01.RecursiveNameservers,
		DNS01CheckRetryPeriod:        dns01.CheckRetryPeriod,
		DNS01CheckAuthoritative:      !dns01.RecursiveNameserversOnly,
	}
	if len(acme.DNS01Nameservers) == 0 {
		acme.DNS01Nameservers = dnsutil.RecursiveNameservers
	}
	for _, quantity := range []struct {
		text string
		into *resource.Quantity
	}{
		{http01.SolverResourceRequestCPU, &acme.HTTP01SolverResourceRequestCPU},
		{http01.SolverResourceRequestMemory, &acme.HTTP01SolverResourceRequestMemory},
		{http01.SolverResourceLimitsCPU, &acme.HTTP01SolverResourceLimitsCPU},
		{http01.SolverResourceLimitsMemory, &acme.HTTP01SolverResourceLimitsMemory},
	} {
		parsed, err := resource.ParseQuantity(quantity.text)
		if err != nil {
			return nil, fmt.Errorf("resources of the pods that answer challenges: %q: %w", quantity.text, err)
		}
		*quantity.into = parsed
	}
	return controller.NewContextFactory(ctx, controller.ContextOptions{
		Kubeconfig:         options.KubeConfig,
		KubernetesAPIQPS:   options.KubernetesAPIQPS,
		KubernetesAPIBurst: options.KubernetesAPIBurst,
		APIServerHost:      options.APIServerHost,
		Namespace:          options.Namespace,
		ACMEOptions:        acme,
		SchedulerOptions:   controller.SchedulerOptions{MaxConcurrentChallenges: options.MaxConcurrentChallenges},
		IssuerOptions: controller.IssuerOptions{
			ClusterIssuerAmbientCredentials: options.ClusterIssuerAmbientCredentials,
			IssuerAmbientCredentials:        options.IssuerAmbientCredentials,
			ClusterResourceNamespace:        options.ClusterResourceNamespace,
		},
		IngressShimOptions: controller.IngressShimOptions{
			DefaultIssuerName:                 ingress.DefaultIssuerName,
			DefaultIssuerKind:                 ingress.DefaultIssuerKind,
			DefaultIssuerGroup:                ingress.DefaultIssuerGroup,
			DefaultAutoCertificateAnnotations: ingress.DefaultAutoCertificateAnnotations,
			ExtraCertificateAnnotations:       ingress.ExtraCertificateAnnotations,
			GatewayAPIExtraProtocols:          sets.New[string](),
		},
		CertificateOptions: controller.CertificateOptions{
			EnableOwnerRef:                           options.EnableCertificateOwnerRef,
			CopiedAnnotationPrefixes:                 options.CopiedAnnotationPrefixes,
			CertificateRequestMinimumBackoffDuration: options.CertificateRequestMinimumBackoffDuration,
			CertificateRequestMaximumBackoffDuration: options.CertificateRequestMaximumBackoffDuration,
		},
	})
}
