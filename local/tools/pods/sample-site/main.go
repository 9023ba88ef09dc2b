// Command sample-site is the website that a tenant of the embedded cluster has: it shows the files of a folder, and of
// each request what it was told of it. It needs no rights at all: it listens on port 8080 and writes nothing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	listen := flag.String("listen", ":8080", "address and port")
	folder := flag.String("folder", "/site", "the folder that is shown at /")
	flag.Parse()

	hostname, err := os.Hostname()
	if err != nil {
		log.Fatal(err)
	}
	handler := http.NewServeMux()
	handler.Handle("/", http.FileServer(http.Dir(*folder)))
	handler.HandleFunc("/healthz", func(response http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(response, "ok")
	})
	handler.HandleFunc("/request", func(response http.ResponseWriter, request *http.Request) {
		fmt.Fprintf(response, "pod: %s\nhost: %s\nremote: %s\n", hostname, request.Host, request.RemoteAddr)
		for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip"} {
			fmt.Fprintf(response, "%s: %s\n", name, request.Header.Get(name))
		}
	})
	server := &http.Server{Addr: *listen, Handler: handler, ReadHeaderTimeout: 10 * time.Second}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		graceful, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		stopped <- server.Shutdown(graceful)
	}()
	log.Printf("%s shows %s on %s", hostname, *folder, *listen)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
	if err := <-stopped; err != nil {
		log.Fatal(err)
	}
}
