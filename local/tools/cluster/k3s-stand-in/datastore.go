package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"
	"k8s.io/klog/v2"
)

const (
	datastoreEndpoint = "https://127.0.0.1:2379"
	// etcd replays its log before it answers; a large one on a slow disk takes its time.
	datastoreStart   = 5 * time.Minute
	datastoreRequest = 30 * time.Second
	// Under it K3s keeps what a server is made of, encrypted with the token; here the key itself is the proof.
	bootstrapPrefix = "/bootstrap/"
)

// datastore is the etcd of this process.
type datastore struct {
	server *embed.Etcd
	client *clientv3.Client
}

func datastoreDirectory(s settings) string { return filepath.Join(s.serverDirectory(), "db", "etcd") }

// resetFlag is a file that says that the members were reset and no server has run since.
func resetFlag(s settings) string { return filepath.Join(s.serverDirectory(), "db", "reset-flag") }

// datastoreExists tells whether etcd has ever written here.
func datastoreExists(s settings) (bool, error) {
	_, err := os.Stat(filepath.Join(datastoreDirectory(s), "member", "wal"))
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// resetCluster makes the datastore a cluster of one member under the present address, and returns when that is on the
// disk. Like K3s it leaves the reset flag from its very beginning, and refuses to run while that is there: K3k removes it
// after each reset.
func resetCluster(ctx context.Context, s settings, keys pki) error {
	_, err := os.Stat(resetFlag(s))
	if err == nil {
		return fmt.Errorf("the members of the datastore were reset before: start without cluster-reset, or delete %s to reset them once more", resetFlag(s))
	}
	if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	name, err := memberName(s, true)
	if err != nil {
		return err
	}
	if err := writeFile(resetFlag(s), nil); err != nil {
		return err
	}
	store, err := startDatastore(ctx, s, keys, name, true)
	if err != nil {
		return err
	}
	defer store.stop()
	if err := store.checkToken(ctx, s.token); err != nil {
		return err
	}
	if err := store.moveMember(ctx, peerURL(s)); err != nil {
		return err
	}
	klog.Infof("the members of the datastore have been reset: %s at %s is the only one; start without cluster-reset now", name, peerURL(s))
	return nil
}

// openDatastore starts the datastore of a server that is to run.
func openDatastore(ctx context.Context, s settings, keys pki) (*datastore, error) {
	if err := os.Remove(resetFlag(s)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	name, err := memberName(s, false)
	if err != nil {
		return nil, err
	}
	store, err := startDatastore(ctx, s, keys, name, false)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(store.checkToken(ctx, s.token), store.checkMember(ctx, peerURL(s))); err != nil {
		store.stop()
		return nil, err
	}
	return store, nil
}

// memberName returns the name of this server's etcd member, which is the pod's with a suffix: K3k's controller finds the
// members to remove by it.
func memberName(s settings, renew bool) (string, error) {
	path := filepath.Join(datastoreDirectory(s), "name")
	text, err := os.ReadFile(path)
	if err == nil && len(text) > 0 && !renew {
		return string(text), nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	suffix := make([]byte, 4)
	if _, err := rand.Read(suffix); err != nil {
		return "", err
	}
	name := s.nodeName + "-" + hex.EncodeToString(suffix)
	return name, writeFile(path, []byte(name))
}

func peerURL(s settings) string { return "https://" + bracketed(s.nodeAddress) + ":2380" }

func startDatastore(ctx context.Context, s settings, keys pki, name string, forceNewCluster bool) (*datastore, error) {
	config := embed.NewConfig()
	// First, because it gives every field that has a flag the flag's default.
	flags := flag.NewFlagSet(etcd, flag.ContinueOnError)
	config.AddFlags(flags)
	urls := func(port int, hosts ...string) []url.URL {
		var all []url.URL
		for _, host := range hosts {
			all = append(all, url.URL{Scheme: "https", Host: fmt.Sprintf("%s:%d", bracketed(host), port)})
		}
		return all
	}
	config.Name = name
	config.Dir = datastoreDirectory(s)
	config.ListenClientUrls = urls(2379, "127.0.0.1", s.nodeAddress)
	config.AdvertiseClientUrls = urls(2379, s.nodeAddress)
	config.ListenPeerUrls = urls(2380, "127.0.0.1", s.nodeAddress)
	config.AdvertisePeerUrls = urls(2380, s.nodeAddress)
	config.InitialCluster = name + "=" + peerURL(s)
	config.ForceNewCluster = forceNewCluster
	config.ClientTLSInfo = tlsInfo(keys, etcdServing, etcdServerCA)
	config.PeerTLSInfo = tlsInfo(keys, etcdPeer, etcdPeerCA)
	config.LogLevel = "warn"
	// Left at zero it would log every request.
	config.WarningUnaryRequestDuration = embed.DefaultWarningUnaryRequestDuration
	if err := flags.Parse(dashed(s.extra[etcd])); err != nil {
		return nil, fmt.Errorf("etcd-arg: %w", err)
	}
	server, err := embed.StartEtcd(config)
	if err != nil {
		return nil, fmt.Errorf("etcd does not start: %w", err)
	}
	store := &datastore{server: server}
	select {
	case <-server.Server.ReadyNotify():
	case err := <-server.Err():
		store.stop()
		return nil, fmt.Errorf("etcd ended: %w", err)
	case <-time.After(datastoreStart):
		store.stop()
		return nil, fmt.Errorf("etcd was not ready within %s", datastoreStart)
	case <-ctx.Done():
		store.stop()
		return nil, ctx.Err()
	}
	clientTLS, err := clientTLS(keys)
	if err != nil {
		store.stop()
		return nil, err
	}
	store.client, err = clientv3.New(clientv3.Config{
		Endpoints: []string{datastoreEndpoint},
		TLS:       clientTLS,
		Logger:    zap.NewNop(),
	})
	if err != nil {
		store.stop()
		return nil, err
	}
	return store, nil
}

// stop ends etcd. What it acknowledged is on the disk before that.
func (d *datastore) stop() {
	if d.client != nil {
		if err := d.client.Close(); err != nil {
			klog.Warningf("the datastore's client: %v", err)
		}
	}
	d.server.Close()
}

// checkToken refuses a token that the datastore was not made with, and stores which one it is made with.
func (d *datastore) checkToken(ctx context.Context, token string) error {
	ctx, cancel := context.WithTimeout(ctx, datastoreRequest)
	defer cancel()
	hash := sha256.Sum256([]byte(token))
	key := bootstrapPrefix + hex.EncodeToString(hash[:])[:12]
	found, err := d.client.Get(ctx, bootstrapPrefix, clientv3.WithPrefix(), clientv3.WithKeysOnly())
	if err != nil {
		return fmt.Errorf("the datastore does not answer: %w", err)
	}
	for _, entry := range found.Kvs {
		if string(entry.Key) == key {
			return nil
		}
	}
	if len(found.Kvs) > 0 {
		return errors.New("bootstrap data already found and encrypted with different token: this datastore was made with another token than the one in the configuration")
	}
	_, err = d.client.Put(ctx, key, "stand-in of K3s: the keys are in files, and this entry only says which token they belong to")
	return err
}

// moveMember writes down the one member's present address.
func (d *datastore) moveMember(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, datastoreRequest)
	defer cancel()
	list, err := d.client.MemberList(ctx)
	if err != nil {
		return err
	}
	if len(list.Members) != 1 {
		return fmt.Errorf("the datastore has %d members after a reset", len(list.Members))
	}
	_, err = d.client.MemberUpdate(ctx, list.Members[0].ID, []string{address})
	return err
}

// checkMember refuses a datastore that knows this server under another address, as K3s does.
func (d *datastore) checkMember(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, datastoreRequest)
	defer cancel()
	list, err := d.client.MemberList(ctx)
	if err != nil {
		return err
	}
	var known []string
	for _, member := range list.Members {
		known = append(known, member.PeerURLs...)
	}
	if !slices.Contains(known, address) {
		return fmt.Errorf("this server is not a member of its etcd cluster: it is %s, and the members are %s; run it with --cluster-reset once", address, strings.Join(known, ", "))
	}
	return nil
}

func tlsInfo(keys pki, certificate, authority string) transport.TLSInfo {
	return transport.TLSInfo{
		CertFile:       keys.certificate(certificate),
		KeyFile:        keys.key(certificate),
		TrustedCAFile:  keys.certificate(authority),
		ClientCertAuth: true,
	}
}

func clientTLS(keys pki) (*tls.Config, error) {
	return tlsInfo(keys, etcdClient, etcdServerCA).ClientConfig()
}
