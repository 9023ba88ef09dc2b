package main

import (
	"io"
	"net"
)

// forward passes every connection on until the listener is closed.
func forward(listener net.Listener, network, address string) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer connection.Close()
			target, err := net.Dial(network, address)
			if err != nil {
				return
			}
			defer target.Close()
			done := make(chan struct{}, 2)
			go transfer(target, connection, done)
			go transfer(connection, target, done)
			<-done
			<-done
		}()
	}
}

// transfer copies one direction to its end, and tells the receiver that nothing follows.
func transfer(to, from net.Conn, done chan<- struct{}) {
	_, _ = io.Copy(to, from)
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	done <- struct{}{}
}
