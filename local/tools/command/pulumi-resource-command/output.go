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

// commandOutput is what a command prints: each stream by itself, and both together in the order of writing.
type commandOutput struct {
	stdout, stderr       io.Writer
	out, err             bytes.Buffer
	combined             lockedBuffer
	statusOut, statusErr statusLines
}

// captureOutput collects what a command prints. The streams that logging names are also shown beside the resource; by
// default both.
func captureOutput(ctx context.Context, logging *string) *commandOutput {
	s := &commandOutput{statusOut: statusLines{ctx: ctx}, statusErr: statusLines{ctx: ctx}}
	shown := "stdoutAndStderr"
	if logging != nil {
		shown = *logging
	}
	stdout := []io.Writer{&s.out, &s.combined}
	if shown == "stdout" || shown == "stdoutAndStderr" {
		stdout = append(stdout, &s.statusOut)
	}
	stderr := []io.Writer{&s.err, &s.combined}
	if shown == "stderr" || shown == "stdoutAndStderr" {
		stderr = append(stderr, &s.statusErr)
	}
	s.stdout, s.stderr = io.MultiWriter(stdout...), io.MultiWriter(stderr...)
	return s
}

func (s *commandOutput) failure(err error, line string) error {
	s.finish()
	return fmt.Errorf("%w: running %q:\n%s", err, line, s.combined.text.String())
}

// outputs returns the resource's stdout and stderr.
func (s *commandOutput) outputs() (string, string) {
	s.finish()
	return strings.TrimSuffix(s.out.String(), "\n"), strings.TrimSuffix(s.err.String(), "\n")
}

func (s *commandOutput) finish() {
	s.statusOut.finish()
	s.statusErr.finish()
}

// lockedBuffer lets standard output and standard error write to one text.
type lockedBuffer struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (w *lockedBuffer) Write(text []byte) (int, error) {
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

// finish shows a last line without a line break.
func (s *statusLines) finish() {
	if len(s.rest) > 0 {
		provider.GetLogger(s.ctx).InfoStatus(string(s.rest))
		s.rest = nil
	}
}
