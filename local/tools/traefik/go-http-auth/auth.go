// Package auth stands in for the library that Traefik's middlewares basicAuth and digestAuth check passwords with: the
// version that Traefik is built with is nowhere to be had as a Go module. Kraft uses neither. Here no password is ever
// right, so both refuse every request and say why.
package auth

import "net/http"

// SecretProvider returns what is stored of a user's password.
type SecretProvider func(user, realm string) string

// BasicAuth is what the middleware basicAuth needs.
type BasicAuth struct {
	Realm   string
	Secrets SecretProvider
}

// RequireAuth refuses a request.
func (*BasicAuth) RequireAuth(response http.ResponseWriter, _ *http.Request) {
	refuse(response)
}

// CheckSecret reports whether a password is the stored one: never.
func CheckSecret(_, _ string) bool {
	return false
}

// DigestAuth is what the middleware digestAuth needs.
type DigestAuth struct{}

// NewDigestAuthenticator returns one that refuses every request.
func NewDigestAuthenticator(_ string, _ SecretProvider) *DigestAuth {
	return &DigestAuth{}
}

// CheckAuth returns the name of the user who sent a request: none.
func (*DigestAuth) CheckAuth(_ *http.Request) (string, *string) {
	return "", nil
}

// RequireAuth refuses a request.
func (*DigestAuth) RequireAuth(response http.ResponseWriter, _ *http.Request) {
	refuse(response)
}

// RequireAuthStale refuses a request.
func (*DigestAuth) RequireAuthStale(response http.ResponseWriter, _ *http.Request) {
	refuse(response)
}

// DigestAuthParams returns the fields of a header: none.
func DigestAuthParams(_ string) map[string]string {
	return map[string]string{}
}

func refuse(response http.ResponseWriter) {
	http.Error(response, "this build of Traefik, made by Kraft, has neither basicAuth nor digestAuth", http.StatusNotImplemented)
}
