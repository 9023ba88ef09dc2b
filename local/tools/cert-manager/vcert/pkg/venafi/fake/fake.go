// Package fake is part of a stand-in: see the package vcert. Only `go mod tidy` asks for it, since a test of cert-manager
// imports it.
package fake
