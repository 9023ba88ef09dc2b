package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/client-go/util/keyutil"
)

const (
	day = 24 * time.Hour
	// As K3s: authorities live ten years, certificates one, and a start renews what has less than 120 days left.
	authorityLifetime   = 3650 * day
	certificateLifetime = 365 * day
	renewBefore         = 120 * day
)

// pki names the files of a server's keys and certificates, which are where K3s has them.
type pki struct {
	directory string
}

func (p pki) certificate(name string) string { return filepath.Join(p.directory, name+".crt") }
func (p pki) key(name string) string         { return filepath.Join(p.directory, name+".key") }

const (
	serverCA        = "server-ca"
	clientCA        = "client-ca"
	requestHeaderCA = "request-header-ca"
	etcdServerCA    = "etcd/server-ca"
	etcdPeerCA      = "etcd/peer-ca"
	serviceKey      = "service"

	adminClient      = "client-admin"
	supervisorClient = "client-supervisor"
	controllerClient = "client-controller"
	schedulerClient  = "client-scheduler"
	apiServerClient  = "client-kube-apiserver"
	proxyClient      = "client-auth-proxy"
	apiServerServing = "serving-kube-apiserver"
	etcdServing      = "etcd/server-client"
	etcdPeer         = "etcd/peer-server-client"
	etcdClient       = "etcd/client"
)

// providePKI makes what is missing and renews what nears its end. It never replaces an authority: what K3k signed with one
// must stay valid, so with a datastore a missing one is an error.
func providePKI(s settings, datastoreExists bool) (pki, error) {
	p := pki{directory: filepath.Join(s.serverDirectory(), "tls")}
	if err := os.MkdirAll(filepath.Join(p.directory, "etcd"), 0o700); err != nil {
		return p, err
	}
	for _, authority := range []struct{ name, commonName string }{
		{serverCA, "k3s-server-ca"},
		{clientCA, "k3s-client-ca"},
		{requestHeaderCA, "k3s-request-header-ca"},
		{etcdServerCA, "etcd-server-ca"},
		{etcdPeerCA, "etcd-peer-ca"},
	} {
		if err := p.provideAuthority(authority.name, authority.commonName, datastoreExists); err != nil {
			return p, err
		}
	}
	if err := p.provideServiceKey(datastoreExists); err != nil {
		return p, err
	}
	serviceAddress, err := addressOf(firstOf(s.serviceCIDR), 1)
	if err != nil {
		return p, fmt.Errorf("service-cidr: %w", err)
	}
	own := append([]string{"localhost", "127.0.0.1", s.nodeName, s.nodeAddress, s.advertiseAddress}, s.tlsSANs...)
	kubernetes := []string{"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc." + s.clusterDomain, serviceAddress.String()}
	masters := []string{user.SystemPrivilegedGroup}
	client := []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	server := []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	both := []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	for _, leaf := range []struct {
		name, authority, commonName string
		organizations               []string
		usages                      []x509.ExtKeyUsage
		names                       []string
	}{
		{adminClient, clientCA, "system:admin", masters, client, nil},
		{supervisorClient, clientCA, "system:k3s-supervisor", masters, client, nil},
		{controllerClient, clientCA, user.KubeControllerManager, nil, client, nil},
		{schedulerClient, clientCA, user.KubeScheduler, nil, client, nil},
		{apiServerClient, clientCA, user.APIServerUser, masters, client, nil},
		{proxyClient, requestHeaderCA, requestHeaderName, nil, client, nil},
		{apiServerServing, serverCA, "kube-apiserver", nil, server, append(kubernetes, own...)},
		{etcdServing, etcdServerCA, "etcd-server", nil, both, own},
		{etcdPeer, etcdPeerCA, "etcd-peer", nil, both, own},
		{etcdClient, etcdServerCA, "etcd-client", nil, client, nil},
	} {
		wanted := &x509.Certificate{
			Subject:     pkix.Name{CommonName: leaf.commonName, Organization: leaf.organizations},
			ExtKeyUsage: leaf.usages,
		}
		for _, name := range leaf.names {
			if address := net.ParseIP(name); address != nil {
				wanted.IPAddresses = append(wanted.IPAddresses, address)
			} else {
				wanted.DNSNames = append(wanted.DNSNames, name)
			}
		}
		if err := p.provideCertificate(leaf.name, leaf.authority, wanted); err != nil {
			return p, fmt.Errorf("%s: %w", p.certificate(leaf.name), err)
		}
	}
	return p, nil
}

func (p pki) provideAuthority(name, commonName string, datastoreExists bool) error {
	if _, _, err := p.authority(name); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if datastoreExists {
		return fmt.Errorf("the datastore is there, but %s or its key is gone; restore it from a backup: with a new one nobody could sign in", p.certificate(name))
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(now.UnixNano()),
		Subject:               pkix.Name{CommonName: fmt.Sprintf("%s@%d", commonName, now.Unix())},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(authorityLifetime),
		KeyUsage:              x509.KeyUsageKeyEncipherment | x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	return p.write(name, key, der)
}

// authority reads the certificate and key of an authority; its error is os.ErrNotExist where one of the two is missing.
func (p pki) authority(name string) (*x509.Certificate, crypto.Signer, error) {
	pair, err := tls.LoadX509KeyPair(p.certificate(name), p.key(name))
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", p.certificate(name), err)
	}
	signer, isSigner := pair.PrivateKey.(crypto.Signer)
	if !isSigner {
		return nil, nil, fmt.Errorf("%s cannot sign", p.key(name))
	}
	return pair.Leaf, signer, nil
}

func (p pki) provideServiceKey(datastoreExists bool) error {
	path := p.key(serviceKey)
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if datastoreExists {
		return fmt.Errorf("the datastore is there, but %s is gone; restore it from a backup: with a new one no service account's token would be valid", path)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	text, err := keyutil.MarshalPrivateKeyToPEM(key)
	if err != nil {
		return err
	}
	return writeFile(path, text)
}

// provideCertificate keeps a certificate that is as wanted, and makes it anew otherwise.
func (p pki) provideCertificate(name, authority string, wanted *x509.Certificate) error {
	parent, signer, err := p.authority(authority)
	if err != nil {
		return err
	}
	if pair, err := tls.LoadX509KeyPair(p.certificate(name), p.key(name)); err == nil && isAsWanted(pair.Leaf, wanted, parent) {
		return nil
	}
	key, der, err := signed(wanted, parent, signer)
	if err != nil {
		return err
	}
	return p.write(name, key, der, parent.Raw)
}

// signed makes a key and a certificate for it, by the authority `parent`.
func signed(wanted, parent *x509.Certificate, signer crypto.Signer) (*ecdsa.PrivateKey, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(math.MaxInt64))
	if err != nil {
		return nil, nil, err
	}
	now := time.Now()
	template := *wanted
	template.SerialNumber = serial
	template.NotBefore = now.Add(-time.Hour)
	template.NotAfter = now.Add(certificateLifetime)
	template.KeyUsage = x509.KeyUsageKeyEncipherment | x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, &template, parent, key.Public(), signer)
	return key, der, err
}

// servingKubelet makes a key and a certificate with which a kubelet can serve as node `name` at these addresses. Returns
// both and the authority's certificate, in PEM.
func (p pki) servingKubelet(name string, addresses []net.IP) ([]byte, error) {
	parent, signer, err := p.authority(serverCA)
	if err != nil {
		return nil, err
	}
	key, der, err := signed(&x509.Certificate{
		Subject:     pkix.Name{CommonName: name},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    []string{name, "localhost"},
		IPAddresses: append([]net.IP{net.IPv4(127, 0, 0, 1)}, addresses...),
	}, parent, signer)
	if err != nil {
		return nil, err
	}
	keyText, err := keyutil.MarshalPrivateKeyToPEM(key)
	if err != nil {
		return nil, err
	}
	chain, err := chainText(der, parent.Raw)
	return append(keyText, chain...), err
}

func isAsWanted(found, wanted, authority *x509.Certificate) bool {
	sameAddresses := slices.EqualFunc(found.IPAddresses, wanted.IPAddresses, net.IP.Equal)
	return sameAddresses && slices.Equal(found.DNSNames, wanted.DNSNames) && slices.Equal(found.ExtKeyUsage, wanted.ExtKeyUsage) &&
		found.Subject.String() == wanted.Subject.String() && found.CheckSignatureFrom(authority) == nil &&
		time.Until(found.NotAfter) > renewBefore
}

// write stores a key, then its certificate with the chain above it: a certificate is never there without its key.
func (p pki) write(name string, key *ecdsa.PrivateKey, chain ...[]byte) error {
	keyText, err := keyutil.MarshalPrivateKeyToPEM(key)
	if err != nil {
		return err
	}
	text, err := chainText(chain...)
	if err != nil {
		return err
	}
	return errors.Join(writeFile(p.key(name), keyText), writeFile(p.certificate(name), text))
}

// chainText writes certificates in PEM.
func chainText(chain ...[]byte) ([]byte, error) {
	var text bytes.Buffer
	for _, der := range chain {
		if err := pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: der}); err != nil {
			return nil, err
		}
	}
	return text.Bytes(), nil
}

// temporaryPrefix marks the files that writeFile has not finished.
const temporaryPrefix = ".k3s-stand-in-"

// writeFile writes a file that only its owner can read, whole or not at all, and on the disk when it returns.
func writeFile(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), temporaryPrefix)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// removeUnfinished removes the temporary files that an interrupted writeFile left in a folder.
func removeUnfinished(directory string) error {
	paths, err := filepath.Glob(filepath.Join(directory, temporaryPrefix+"*"))
	if err != nil {
		return err
	}
	var problems []error
	for _, path := range paths {
		problems = append(problems, os.Remove(path))
	}
	return errors.Join(problems...)
}
