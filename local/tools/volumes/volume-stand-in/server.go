package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
)

// disksHandler answers:
//
//	GET    /volumes                            every volume
//	GET    /volumes/V
//	PUT    /volumes/V {"size": bytes}          makes or enlarges it
//	DELETE /volumes/V                          refused while it is in use
//	PUT    /volumes/V/mount                    for nodes to mount; DELETE: no longer
//	PUT    /volumes/V/resize                   file system as large as the volume
//	PUT    /volumes/V/snapshots/S              DELETE: away with it
//	POST   /volumes/V/incoming                 {"path"}: a file to restore into
//	PUT    /volumes/V/incoming {"path", "backup"}  which becomes the volume
//
// Every PUT and DELETE may come again. 404: no such volume; 409: not in the state that it is in.
func disksHandler(d *disks) http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, action func(request *http.Request, volume string) (any, error)) {
		mux.HandleFunc(pattern, func(writer http.ResponseWriter, request *http.Request) {
			volume, snapshot := request.PathValue("volume"), request.PathValue("snapshot")
			var answer any
			var err error
			for _, name := range []string{volume, snapshot} {
				if name != "" {
					err = errors.Join(err, checkName(name))
				}
			}
			if err == nil {
				answer, err = action(request, volume)
			}
			reply(writer, request, answer, err)
		})
	}
	handle("GET /volumes", func(*http.Request, string) (any, error) { return d.list() })
	handle("GET /volumes/{volume}", func(_ *http.Request, volume string) (any, error) { return d.state(volume) })
	handle("PUT /volumes/{volume}", func(request *http.Request, volume string) (any, error) {
		var body struct {
			Size int64 `json:"size"`
		}
		if err := read(request, &body); err != nil {
			return nil, err
		}
		return d.ensure(volume, body.Size)
	})
	handle("DELETE /volumes/{volume}", func(_ *http.Request, volume string) (any, error) { return nil, d.remove(volume) })
	handle("PUT /volumes/{volume}/mount", func(_ *http.Request, volume string) (any, error) { return d.attach(volume) })
	handle("DELETE /volumes/{volume}/mount", func(_ *http.Request, volume string) (any, error) { return d.detach(volume) })
	handle("PUT /volumes/{volume}/resize", func(_ *http.Request, volume string) (any, error) { return d.resize(volume) })
	handle("PUT /volumes/{volume}/snapshots/{snapshot}", func(request *http.Request, volume string) (any, error) {
		return d.snapshot(volume, request.PathValue("snapshot"))
	})
	handle("DELETE /volumes/{volume}/snapshots/{snapshot}", func(request *http.Request, volume string) (any, error) {
		return nil, d.removeSnapshot(volume, request.PathValue("snapshot"))
	})
	handle("POST /volumes/{volume}/incoming", func(_ *http.Request, volume string) (any, error) {
		path, err := d.incoming(volume)
		return map[string]string{"path": path}, err
	})
	handle("PUT /volumes/{volume}/incoming", func(request *http.Request, volume string) (any, error) {
		var body struct{ Path, Backup string }
		if err := read(request, &body); err != nil {
			return nil, err
		}
		return d.commit(volume, body.Path, body.Backup)
	})
	return mux
}

func read(request *http.Request, into any) error {
	if err := json.NewDecoder(io.LimitReader(request.Body, 1<<16)).Decode(into); err != nil {
		return conflict{fmt.Errorf("the body: %w", err)}
	}
	return nil
}

func reply(writer http.ResponseWriter, request *http.Request, answer any, err error) {
	status := http.StatusOK
	switch {
	case errors.As(err, new(absent)):
		status = http.StatusNotFound
	case errors.As(err, new(conflict)):
		status = http.StatusConflict
	case err != nil:
		status = http.StatusInternalServerError
	}
	if err != nil {
		if status == http.StatusInternalServerError {
			log.Printf("%s %s: %v", request.Method, request.URL.Path, err)
		}
		answer = map[string]string{"error": err.Error()}
	}
	writer.Header().Set("Content-Type", "application/json")
	writer.WriteHeader(status)
	if err := json.NewEncoder(writer).Encode(answer); err != nil {
		log.Printf("%s %s: the answer: %v", request.Method, request.URL.Path, err)
	}
}

// serveDisks answers until it is told to end. Mounts stay: nodes use them.
func serveDisks(ctx context.Context, d *disks, socket string) error {
	listener, err := listen(socket)
	if err != nil {
		return err
	}
	if err := os.Chown(socket, d.uid, d.gid); err != nil {
		return err
	}
	server := &http.Server{Handler: disksHandler(d)}
	go func() {
		<-ctx.Done()
		// What was begun is finished: a frozen file system must be thawed.
		if err := server.Shutdown(context.Background()); err != nil {
			log.Print(err)
		}
	}()
	log.Printf("stand-in for Longhorn's volumes: %s, mounted below %s, on %s", d.directory, d.mounts, socket)
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	// Serve returns as soon as Shutdown begins; this waits for its end.
	return server.Shutdown(context.Background())
}

// listen takes the place of a socket that a killed process has left. Only its owner may use it.
func listen(socket string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(socket), 0o750); err != nil {
		return nil, err
	}
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return nil, err
	}
	return listener, os.Chmod(socket, 0o600)
}

// client calls disks from a node.
type client struct{ http http.Client }

func disksClient(socket string) *client {
	return &client{http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var dialer net.Dialer
			return dialer.DialContext(ctx, "unix", socket)
		},
	}}}
}

// resize makes a volume's file system as large as the volume, if that can be done now.
func (c *client) resize(ctx context.Context, volume string) (volumeState, error) {
	var state volumeState
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, "http://disks/volumes/"+volume+"/resize", nil)
	if err != nil {
		return state, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return state, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return state, err
	}
	if response.StatusCode != http.StatusOK {
		return state, fmt.Errorf("%s: %s", response.Status, bytes.TrimSpace(text))
	}
	return state, json.Unmarshal(text, &state)
}
