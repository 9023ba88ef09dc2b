package main

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"
)

// bootstrapFile is one file of a server, as `/v1-k3s/server-bootstrap` hands it out; JSON makes base64 of the content.
type bootstrapFile struct {
	Timestamp time.Time
	Content   []byte
}

// supervisor answers what K3s' supervisor answers, as far as K3k asks, and leaves everything else to `next`.
type supervisor struct {
	serverToken, agentToken string
	keys                    pki
	next                    http.Handler
}

func (v supervisor) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	switch request.URL.Path {
	case "/v1-k3s/server-bootstrap":
		// It holds the keys of all authorities.
		if v.admits(writer, request, "server") {
			v.bootstrap(writer)
		}
	case "/v1-k3s/config":
		if v.admits(writer, request, "server", "node") {
			answer(writer, http.StatusOK, map[string]any{"ClusterInit": true})
		}
	case "/v1-k3s/serving-kubelet.crt":
		if v.admits(writer, request, "server", "node") {
			v.servingKubelet(writer, request)
		}
	default:
		v.next.ServeHTTP(writer, request)
	}
}

// admits tells whether a request may go on, and answers it otherwise: 401 without the right password, 403 with the right
// one of another user.
func (v supervisor) admits(writer http.ResponseWriter, request *http.Request, users ...string) bool {
	name, password, _ := request.BasicAuth()
	expected, known := map[string]string{"server": v.serverToken, "node": v.agentToken}[name]
	if !known || !sameSecret(password, expected) {
		answer(writer, http.StatusUnauthorized, failure(http.StatusUnauthorized, meta.StatusReasonUnauthorized, "Unauthorized"))
		return false
	}
	for _, user := range users {
		if name == user {
			if request.Method != http.MethodGet {
				answer(writer, http.StatusMethodNotAllowed, failure(http.StatusMethodNotAllowed, meta.StatusReasonMethodNotAllowed, "only GET is allowed"))
				return false
			}
			return true
		}
	}
	answer(writer, http.StatusForbidden, failure(http.StatusForbidden, meta.StatusReasonForbidden, "not authorized"))
	return false
}

// sameSecret compares in a time that tells nothing of either.
func sameSecret(left, right string) bool {
	l, r := sha256.Sum256([]byte(left)), sha256.Sum256([]byte(right))
	return subtle.ConstantTimeCompare(l[:], r[:]) == 1
}

func (v supervisor) bootstrap(writer http.ResponseWriter) {
	files := map[string]bootstrapFile{}
	for key, path := range map[string]string{
		"serverCA":        v.keys.certificate(serverCA),
		"serverCAKey":     v.keys.key(serverCA),
		"clientCA":        v.keys.certificate(clientCA),
		"clientCAKey":     v.keys.key(clientCA),
		"etcdServerCA":    v.keys.certificate(etcdServerCA),
		"etcdServerCAKey": v.keys.key(etcdServerCA),
	} {
		text, err := os.ReadFile(path)
		if err == nil {
			var info os.FileInfo
			if info, err = os.Stat(path); err == nil {
				files[key] = bootstrapFile{Timestamp: info.ModTime(), Content: text}
			}
		}
		if err != nil {
			answer(writer, http.StatusInternalServerError, failure(http.StatusInternalServerError, meta.StatusReasonInternalError, err.Error()))
			return
		}
	}
	answer(writer, http.StatusOK, files)
}

// servingKubelet answers with a key and a certificate for the node that the headers name. K3k's kubelets ask for it from
// 1.2.0 on. K3s moreover holds a node to the password that it sent first; this only wants one to be there.
func (v supervisor) servingKubelet(writer http.ResponseWriter, request *http.Request) {
	refuse := func(code int32, reason meta.StatusReason, message string) {
		answer(writer, int(code), failure(code, reason, message))
	}
	for _, header := range []string{"k3s-Node-Name", "k3s-Node-Password"} {
		if request.Header.Get(header) == "" {
			refuse(http.StatusBadRequest, meta.StatusReasonBadRequest, header+" is missing")
			return
		}
	}
	var addresses []net.IP
	for _, text := range strings.FieldsFunc(request.Header.Get("k3s-Node-IP"), func(r rune) bool { return r == ',' }) {
		address := net.ParseIP(strings.TrimSpace(text))
		if address == nil {
			refuse(http.StatusBadRequest, meta.StatusReasonBadRequest, "k3s-Node-IP: "+text+" is no address")
			return
		}
		addresses = append(addresses, address)
	}
	text, err := v.keys.servingKubelet(request.Header.Get("k3s-Node-Name"), addresses)
	if err != nil {
		refuse(http.StatusInternalServerError, meta.StatusReasonInternalError, err.Error())
		return
	}
	if _, err := writer.Write(text); err != nil {
		klog.Warningf("an answer of the supervisor could not be sent: %v", err)
	}
}

func failure(code int32, reason meta.StatusReason, message string) meta.Status {
	return meta.Status{
		TypeMeta: meta.TypeMeta{APIVersion: "v1", Kind: "Status"},
		Status:   meta.StatusFailure,
		Code:     code,
		Reason:   reason,
		Message:  message,
	}
}

func answer(writer http.ResponseWriter, code int, body any) {
	writer.Header().Set("Content-Type", "application/json")
	writer.WriteHeader(code)
	if err := json.NewEncoder(writer).Encode(body); err != nil {
		klog.Warningf("an answer of the supervisor could not be sent: %v", err)
	}
}

// password returns the secret part of a token: K3s also writes one as K10<hash of the authority>::<user>:<password>.
func password(token string) string {
	rest, isFull := strings.CutPrefix(token, "K10")
	if !isFull {
		return token
	}
	_, credentials, hasCredentials := strings.Cut(rest, "::")
	if !hasCredentials {
		return token
	}
	if _, secret, hasUser := strings.Cut(credentials, ":"); hasUser {
		return secret
	}
	return credentials
}

// writeTokens writes the tokens in K3s' full form, which pins the server's authority.
func writeTokens(s settings, keys pki) error {
	authority, err := os.ReadFile(keys.certificate(serverCA))
	if err != nil {
		return err
	}
	hash := sha256.Sum256(authority)
	full := func(user, token string) []byte {
		return []byte("K10" + hex.EncodeToString(hash[:]) + "::" + user + ":" + token + "\n")
	}
	for name, text := range map[string][]byte{
		"token":       full("server", s.token),
		"node-token":  full("server", s.token),
		"agent-token": full("node", s.agentToken),
	} {
		if err := writeFile(filepath.Join(s.serverDirectory(), name), text); err != nil {
			return err
		}
	}
	return nil
}

// provideToken fills in the tokens: what is configured, else what this server had before, else a random one.
func provideToken(s *settings) error {
	s.token = password(s.token)
	if s.token == "" {
		text, err := os.ReadFile(filepath.Join(s.serverDirectory(), "token"))
		if err != nil && !os.IsNotExist(err) {
			return err
		}
		s.token = password(strings.TrimSpace(string(text)))
	}
	if s.token == "" {
		random, err := randomToken()
		if err != nil {
			return err
		}
		s.token = random
	}
	s.agentToken = password(s.agentToken)
	if s.agentToken == "" {
		s.agentToken = s.token
	}
	return nil
}
