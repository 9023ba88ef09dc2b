// Command cert-manager-admission is the part of cert-manager that the API server itself needs: the admission webhook
// and the CA injector that makes the API server trust it. Both are cert-manager's own code.
//
// cert-manager's own commands are in nested modules that the Go module proxy does not have, so this program replaces two of
// them. Its import path is below cert-manager's, because only such code may import cert-manager's internal packages.
package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"
	admissionregistration "k8s.io/api/admissionregistration/v1"
	core "k8s.io/api/core/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	apiregistration "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	config "github.com/cert-manager/cert-manager/internal/apis/config/webhook"
	"github.com/cert-manager/cert-manager/internal/webhook"
	certmanager "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"github.com/cert-manager/cert-manager/pkg/controller/cainjector"
	"github.com/cert-manager/cert-manager/pkg/util"
	"github.com/cert-manager/cert-manager/pkg/webhook/admission"
	"github.com/cert-manager/cert-manager/pkg/webhook/options"
)

// version is set at link time: the version of cert-manager.
var version string

func main() {
	if len(os.Args) == 2 && os.Args[1] == "--version" {
		fmt.Println("cert-manager", version)
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "cert-manager-admission:", err)
		os.Exit(1)
	}
}

// run takes every flag of the webhook's Deployment, and --listen: the address of the webhook's Service.
func run(ctx context.Context, arguments []string) error {
	webhookConfig, err := options.NewWebhookConfiguration()
	if err != nil {
		return err
	}
	flags := pflag.NewFlagSet("cert-manager-admission", pflag.ContinueOnError)
	options.AddConfigFlags(flags, webhookConfig)
	listen := flags.String("listen", "", "the address and port of the webhook's Service")
	if err := flags.Parse(arguments); err != nil {
		return err
	}

	log := klog.Background()
	ctrl.SetLogger(log)
	restConfig, err := clientcmd.BuildConfigFromFlags("", webhookConfig.KubeConfig)
	if err != nil {
		return err
	}

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return serveWebhook(ctx, log, *webhookConfig, *listen) })
	group.Go(func() error {
		return injectAuthorities(ctx, restConfig, webhookConfig.TLSConfig.Dynamic.SecretNamespace)
	})
	return group.Wait()
}

// serveWebhook answers admission requests on one address only. Upstream's own server listens on every address, which
// would put it on the home network.
func serveWebhook(ctx context.Context, log logr.Logger, webhookConfig config.WebhookConfiguration, address string) error {
	server, err := webhook.NewCertManagerWebhookServer(log, webhookConfig)
	if err != nil {
		return err
	}
	if server.CertificateSource == nil {
		return fmt.Errorf("the flags name no certificate: --dynamic-serving-ca-secret-name is missing")
	}
	handler := http.NewServeMux()
	handler.Handle("/mutate", admission.NewCustomMutationWebhook(server.MutationWebhook))
	handler.Handle("/validate", admission.NewCustomValidationWebhook(server.ResourceScheme, server.ValidationWebhook))

	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	https := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		TLSConfig:         &tls.Config{GetCertificate: server.CertificateSource.GetCertificate, MinVersion: tls.VersionTLS12},
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return server.CertificateSource.Start(ctx) })
	group.Go(func() error {
		<-ctx.Done()
		return https.Close()
	})
	group.Go(func() error {
		log.Info("the webhook listens", "address", address)
		if err := https.ServeTLS(listener, "", ""); err != http.ErrServerClosed {
			return err
		}
		return nil
	})
	return group.Wait()
}

// injectAuthorities writes the webhook's CA into the webhook configurations that ask for it by annotation.
func injectAuthorities(ctx context.Context, restConfig *rest.Config, namespace string) error {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		certmanager.AddToScheme, core.AddToScheme, admissionregistration.AddToScheme, apiextensions.AddToScheme, apiregistration.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return err
		}
	}
	manager, err := ctrl.NewManager(util.RestConfigWithUserAgent(restConfig, "cainjector"), ctrl.Options{
		Scheme:  scheme,
		Metrics: metricsserver.Options{BindAddress: "0"},
		// As upstream: secrets are read one by one, never all cached.
		Client: client.Options{Cache: &client.CacheOptions{DisableFor: []client.Object{&core.Secret{}}}},
	})
	if err != nil {
		return err
	}
	if err := cainjector.RegisterAllInjectors(ctx, manager, cainjector.SetupOptions{
		Namespace: "",
		EnabledReconcilersFor: map[string]bool{
			cainjector.MutatingWebhookConfigurationName:   true,
			cainjector.ValidatingWebhookConfigurationName: true,
		},
	}); err != nil {
		return err
	}
	return manager.Start(ctx)
}
