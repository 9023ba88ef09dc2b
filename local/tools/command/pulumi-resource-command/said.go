package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	provider "github.com/pulumi/pulumi-go-provider"
)

// said is what a command prints: each stream for itself, and both in the order in which they came.
type said struct {
	stdout, stderr       io.Writer
	out, err             bytes.Buffer
	both                 oneAtATime
	statusOut, statusErr statusLines
}

// listen collects what a command prints. What logging names is shown beside the resource too; unless told otherwise, all.
func listen(ctx context.Context, logging *string) *said {
	s := &said{statusOut: statusLines{ctx: ctx}, statusErr: statusLines{ctx: ctx}}
	shown := "stdoutAndStderr"
	if logging != nil {
		shown = *logging
	}
	stdout := []io.Writer{&s.out, &s.both}
	if shown == "stdout" || shown == "stdoutAndStderr" {
		stdout = append(stdout, &s.statusOut)
	}
	stderr := []io.Writer{&s.err, &s.both}
	if shown == "stderr" || shown == "stdoutAndStderr" {
		stderr = append(stderr, &s.statusErr)
	}
	s.stdout, s.stderr = io.MultiWriter(stdout...), io.MultiWriter(stderr...)
	return s
}

func (s *said) failure(err error, line string) error {
	s.finish()
	return fmt.Errorf("%w: running %q:\n%s", err, line, s.both.text.String())
}

// outputs returns what becomes the resource's stdout and stderr.
func (s *said) outputs() (string, string) {
	s.finish()
	return strings.TrimSuffix(s.out.String(), "\n"), strings.TrimSuffix(s.err.String(), "\n")
}

func (s *said) finish() {
	s.statusOut.finish()
	s.statusErr.finish()
}

// oneAtATime lets standard output and standard error share a text.
type oneAtATime struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (w *oneAtATime) Write(text []byte) (int, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.text.Write(text)
}

// statusLines shows whole lines beside the resource while the command runs.
type statusLines struct {
	ctx  context.Context
	rest []byte
}

func (s *statusLines) Write(text []byte) (int, error) {
	s.rest = append(s.rest, text...)
	for {
		end := bytes.IndexByte(s.rest, '\n')
		if end < 0 {
			return len(text), nil
		}
		provider.GetLogger(s.ctx).InfoStatus(string(s.rest[:end]))
		s.rest = s.rest[end+1:]
	}
}

// finish shows a last line that nothing ended.
func (s *statusLines) finish() {
	if len(s.rest) > 0 {
		provider.GetLogger(s.ctx).InfoStatus(string(s.rest))
		s.rest = nil
	}
}
