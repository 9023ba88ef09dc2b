package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/klog/v2"
)

const (
	apiServerStart = 3 * time.Minute
	// Open watches end at once; a request that lasts longer than this is cut off.
	shutdownTime = 10 * time.Second
)

// serve runs a server until it is told to end or a part of it does, or resets the datastore's members and returns.
func serve(s settings) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	err := serveUntil(ctx, s)
	if err != nil && ctx.Err() != nil {
		klog.Warningf("told to end before it was up: %v", err)
		return nil
	}
	return err
}

func serveUntil(ctx context.Context, s settings) error {
	exists, err := datastoreExists(s)
	if err != nil {
		return err
	}
	if s.clusterReset && !exists {
		klog.Info("there is no datastore yet whose members could be reset")
		return nil
	}
	for _, folder := range []string{"", "tls", "tls/etcd", "cred", "db", "db/etcd", "manifests"} {
		if err := removeUnfinished(filepath.Join(s.serverDirectory(), folder)); err != nil {
			return err
		}
	}
	if err := provideToken(&s); err != nil {
		return err
	}
	keys, err := providePKI(s, exists)
	if err != nil {
		return err
	}
	if s.clusterReset {
		return resetCluster(ctx, s, keys)
	}
	store, err := openDatastore(ctx, s, keys)
	if err != nil {
		return err
	}
	defer store.stop()
	// Only now: a server that was refused leaves the files of the one before.
	if err := errors.Join(writeTokens(s, keys), writeKubeconfigs(s, keys), writeManifests(s)); err != nil {
		return err
	}
	return runParts(ctx, s, keys, store)
}

// runParts runs everything beside the datastore, and ends it all when one part does.
func runParts(ctx context.Context, s settings, keys pki, store *datastore) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// Room for all, so that none hangs on when nobody waits for it any more.
	ended := make(chan error, 5)
	running := 0
	start := func(name string, run func(context.Context) error) {
		running++
		go func() {
			err := errors.New("ended by itself")
			// Deferred, because the exit below also ends the goroutine of a part.
			defer func() { ended <- fmt.Errorf("%s: %w", name, err) }()
			if problem := run(ctx); problem != nil {
				err = problem
			}
		}()
	}
	// A part that cannot go on ends the process, as Kubernetes' programs do, but one that was told to end only itself: the
	// controller manager calls it an error when that happens while it is starting.
	klog.OsExit = func(code int) {
		if ctx.Err() != nil {
			runtime.Goexit()
		}
		os.Exit(code)
	}
	start(etcd, func(ctx context.Context) error {
		select {
		case err := <-store.server.Err():
			return err
		case <-ctx.Done():
			return nil
		}
	})
	start(apiServer, func(ctx context.Context) error {
		return runAPIServer(ctx, s, keys, func(next http.Handler) http.Handler {
			return supervisor{serverToken: s.token, agentToken: s.agentToken, keys: keys, next: next}
		})
	})
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfigPath(s, "supervisor"))
	if err != nil {
		return err
	}
	ready := make(chan error, 1)
	go func() { ready <- waitForAPIServer(ctx, config) }()
	var failed error
	var timeout <-chan time.Time
	stopping := ctx.Done()
	for running > 0 {
		select {
		case err := <-ready:
			if ctx.Err() != nil {
				continue
			}
			if err != nil {
				failed = err
				cancel()
				continue
			}
			klog.Info("the API server is ready")
			start(controllerManager, func(ctx context.Context) error { return runControllerManager(ctx, s, keys) })
			start(scheduler, func(ctx context.Context) error { return runScheduler(ctx, s) })
			start("manifests", func(ctx context.Context) error { return applyManifests(ctx, s, config) })
		case err := <-ended:
			running--
			if ctx.Err() == nil {
				failed = errors.Join(failed, err)
			}
			cancel()
		case <-stopping:
			timeout, stopping = time.After(shutdownTime), nil
		case <-timeout:
			klog.Warningf("not everything has ended within %s", shutdownTime)
			return failed
		}
	}
	return failed
}

// waitForAPIServer returns when the API server has all it needs.
func waitForAPIServer(ctx context.Context, config *rest.Config) error {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, apiServerStart)
	defer cancel()
	for {
		_, err := client.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the API server is not ready: %w", err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// kubeconfig returns the text of a kubeconfig that signs in with a certificate, with all that it needs within it.
func kubeconfig(s settings, keys pki, certificate string) ([]byte, error) {
	config := clientcmdapi.NewConfig()
	cluster := clientcmdapi.NewCluster()
	cluster.Server = fmt.Sprintf("https://127.0.0.1:%d", s.httpsPort)
	cluster.CertificateAuthority = keys.certificate(serverCA)
	user := clientcmdapi.NewAuthInfo()
	user.ClientCertificate = keys.certificate(certificate)
	user.ClientKey = keys.key(certificate)
	contextOfBoth := clientcmdapi.NewContext()
	contextOfBoth.Cluster, contextOfBoth.AuthInfo = "default", "default"
	config.Clusters["default"] = cluster
	config.AuthInfos["default"] = user
	config.Contexts["default"] = contextOfBoth
	config.CurrentContext = "default"
	if err := clientcmdapi.FlattenConfig(config); err != nil {
		return nil, err
	}
	return clientcmd.Write(*config)
}

func randomToken() (string, error) {
	bytes := make([]byte, 16)
	if _, err := rand.Read(bytes); err != nil {
		return "", err
	}
	return hex.EncodeToString(bytes), nil
}
