package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// validity of every certificate here: longer than anybody keeps an embedded home.
const validity = 10 * 365 * 24 * time.Hour

// A certificatePlan says what to write to <path>.crt and <path>.key.
type certificatePlan struct {
	Path string `json:"path"`
	// Authority is the path of the certificate authority that signs it; without one it is an authority itself.
	Authority     string   `json:"authority"`
	CommonName    string   `json:"commonName"`
	Organizations []string `json:"organizations"`
	Names         []string `json:"names"`
	Addresses     []string `json:"addresses"`
}

type pair struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

// certificates makes what is not there yet. A certificate whose names have changed is made anew; an authority never is.
func certificates(path string) error {
	var wanted []certificatePlan
	if err := readJSON(path, &wanted); err != nil {
		return err
	}
	for _, certificate := range wanted {
		if err := provide(certificate); err != nil {
			return fmt.Errorf("certificate %s: %w", certificate.Path, err)
		}
	}
	return nil
}

func provide(wanted certificatePlan) error {
	template, err := templateOf(wanted)
	if err != nil {
		return err
	}
	present, err := load(wanted.Path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	var authority *pair
	if wanted.Authority != "" {
		if authority, err = load(wanted.Authority); err != nil {
			return err
		}
	}
	if present != nil && (authority == nil || (sameNames(present.certificate, template) && present.certificate.CheckSignatureFrom(authority.certificate) == nil)) {
		return nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	signer, parent := crypto.Signer(key), template
	if authority != nil {
		signer, parent = authority.key, authority.certificate
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return err
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(wanted.Path), 0o700); err != nil {
		return err
	}
	if err := write(wanted.Path+".key", "PRIVATE KEY", encoded, 0o600); err != nil {
		return err
	}
	return write(wanted.Path+".crt", "CERTIFICATE", signed, 0o644)
}

func templateOf(wanted certificatePlan) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: wanted.CommonName, Organization: wanted.Organizations},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(validity),
		DNSNames:              wanted.Names,
		BasicConstraintsValid: true,
	}
	for _, text := range wanted.Addresses {
		address := net.ParseIP(text)
		if address == nil {
			return nil, fmt.Errorf("%q is no address", text)
		}
		template.IPAddresses = append(template.IPAddresses, address)
	}
	if wanted.Authority == "" {
		template.IsCA = true
		template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature
	} else {
		template.KeyUsage = x509.KeyUsageDigitalSignature
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	}
	return template, nil
}

func sameNames(one, other *x509.Certificate) bool {
	return one.Subject.String() == other.Subject.String() && fmt.Sprint(one.DNSNames) == fmt.Sprint(other.DNSNames) &&
		fmt.Sprint(one.IPAddresses) == fmt.Sprint(other.IPAddresses)
}

func load(path string) (*pair, error) {
	certificate, err := decode(path + ".crt")
	if err != nil {
		return nil, err
	}
	key, err := decode(path + ".key")
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParseCertificate(certificate)
	if err != nil {
		return nil, err
	}
	private, err := x509.ParsePKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return &pair{parsed, private.(crypto.Signer)}, nil
}

func decode(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s holds no PEM", path)
	}
	return block.Bytes, nil
}

func write(path, kind string, content []byte, mode os.FileMode) error {
	draft := path + ".new"
	if err := os.WriteFile(draft, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), mode); err != nil {
		return err
	}
	return os.Rename(draft, path)
}
