// Package ext is the place where Traefik's commercial editions add fields to its configuration: empty in the free one,
// whose own copy is a module inside of Traefik's that cannot be had.
package ext

// HTTP has no fields.
type HTTP struct{}

// Router has no fields.
type Router struct{}
