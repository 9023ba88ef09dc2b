// Package util is part of a stand-in: see the package vcert.
package util

// IssuerHintAllIssuers names no issuer.
const IssuerHintAllIssuers = ""
