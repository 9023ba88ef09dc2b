// Command pulumi-resource-command is a stand-in for Pulumi's command provider, for tests only.
//
// The module that the proxy carries for the provider's version lacks the provider itself: at v1.2.1 it is a module of its
// own without a tag. This program serves the one resource that Kraft declares, command:remote:Command, with what Kraft
// uses of it: the same framework in the same version, real SSH with a required host key, the same fields, the same texts
// of errors. It differs where that keeps a mistake from being hidden: a connection without a host key, an environment,
// triggers and a delete command are refused, and no agent is asked.
//
// Where the machine has the plugin itself (pulumi plugin install resource command 1.2.1), that one is taken.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	provider "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"golang.org/x/crypto/ssh"
)

// version is set at link time, and must be the version of the npm package @pulumi/command.
var version string

type connection struct {
	Host           string   `pulumi:"host"`
	User           string   `pulumi:"user"`
	Port           *float64 `pulumi:"port,optional"`
	PrivateKey     string   `pulumi:"privateKey"     provider:"secret"`
	HostKey        string   `pulumi:"hostKey"`
	DialErrorLimit int      `pulumi:"dialErrorLimit"`
	PerDialTimeout int      `pulumi:"perDialTimeout"`
}

type inputs struct {
	Create                 string            `pulumi:"create"`
	Update                 *string           `pulumi:"update,optional"`
	Delete                 *string           `pulumi:"delete,optional"`
	Triggers               *[]any            `pulumi:"triggers,optional" provider:"replaceOnChanges"`
	Stdin                  *string           `pulumi:"stdin,optional"`
	Logging                *string           `pulumi:"logging,optional"`
	Connection             connection        `pulumi:"connection" provider:"secret"`
	Environment            map[string]string `pulumi:"environment,optional"`
	AddPreviousOutputInEnv *bool             `pulumi:"addPreviousOutputInEnv,optional"`
}

type outputs struct {
	inputs
	Stdout string `pulumi:"stdout"`
	Stderr string `pulumi:"stderr"`
}

type command struct{}

func (c *command) Annotate(a infer.Annotator) {
	a.SetToken("remote", "Command")
}

func (*command) Create(
	ctx context.Context, request infer.CreateRequest[inputs],
) (infer.CreateResponse[outputs], error) {
	state := outputs{inputs: request.Inputs}
	id, err := resource.NewUniqueHex(request.Name, 8, 0)
	if err != nil || request.DryRun {
		return infer.CreateResponse[outputs]{ID: id, Output: state}, err
	}
	err = state.run(ctx, request.Inputs.Create)
	return infer.CreateResponse[outputs]{ID: id, Output: state}, err
}

func (*command) Update(
	ctx context.Context, request infer.UpdateRequest[inputs, outputs],
) (infer.UpdateResponse[outputs], error) {
	state := outputs{inputs: request.Inputs, Stdout: request.State.Stdout, Stderr: request.State.Stderr}
	if request.DryRun {
		return infer.UpdateResponse[outputs]{Output: state}, nil
	}
	line := request.Inputs.Create
	if request.Inputs.Update != nil {
		line = *request.Inputs.Update
	}
	err := state.run(ctx, line)
	return infer.UpdateResponse[outputs]{Output: state}, err
}

func (o *outputs) run(ctx context.Context, line string) error {
	if o.Delete != nil || o.Triggers != nil || len(o.Environment) > 0 ||
		o.AddPreviousOutputInEnv == nil || *o.AddPreviousOutputInEnv {
		return errors.New("delete, triggers, environment and addPreviousOutputInEnv are not for the commands of nodes")
	}
	client, err := o.Connection.dial(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	session, err := client.NewSession()
	if err != nil {
		return err
	}
	defer session.Close()
	if o.Stdin != nil {
		session.Stdin = strings.NewReader(*o.Stdin)
	}
	var stdout, stderr, both bytes.Buffer
	status := &statusLines{ctx: ctx}
	show := io.MultiWriter(&both)
	if o.Logging == nil || *o.Logging == "stdoutAndStderr" {
		show = io.MultiWriter(&both, status)
	}
	shared := &oneAtATime{writer: show, turn: make(chan struct{}, 1)}
	session.Stdout = io.MultiWriter(&stdout, shared)
	session.Stderr = io.MultiWriter(&stderr, shared)
	if err := session.Run(line); err != nil {
		return fmt.Errorf("%w: running %q:\n%s", err, line, both.String())
	}
	o.Stdout = strings.TrimSuffix(stdout.String(), "\n")
	o.Stderr = strings.TrimSuffix(stderr.String(), "\n")
	return nil
}

// oneAtATime lets standard output and standard error share a writer.
type oneAtATime struct {
	writer io.Writer
	turn   chan struct{}
}

func (w *oneAtATime) Write(text []byte) (int, error) {
	w.turn <- struct{}{}
	defer func() { <-w.turn }()
	return w.writer.Write(text)
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

func (c *connection) dial(ctx context.Context) (*ssh.Client, error) {
	hostKey, _, _, _, err := ssh.ParseAuthorizedKey([]byte(c.HostKey))
	if err != nil {
		return nil, fmt.Errorf("failed to parse host key: %w", err)
	}
	signer, err := ssh.ParsePrivateKey([]byte(c.PrivateKey))
	if err != nil {
		return nil, err
	}
	config := &ssh.ClientConfig{
		User:              c.User,
		Auth:              []ssh.AuthMethod{ssh.PublicKeys(signer)},
		HostKeyCallback:   ssh.FixedHostKey(hostKey),
		HostKeyAlgorithms: []string{hostKey.Type()},
		Timeout:           time.Duration(c.PerDialTimeout) * time.Second,
	}
	port := 22
	if c.Port != nil {
		port = int(*c.Port)
	}
	endpoint := net.JoinHostPort(c.Host, strconv.Itoa(port))
	for attempt := 0; ; attempt++ {
		client, err := ssh.Dial("tcp", endpoint, config)
		if err == nil {
			return client, nil
		}
		if attempt >= c.DialErrorLimit {
			return nil, fmt.Errorf("after %d failed attempts: %w", attempt, err)
		}
		provider.GetLogger(ctx).InfoStatusf("Dial %d/%d failed: retrying", attempt+1, c.DialErrorLimit)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

func main() {
	served, err := infer.NewProviderBuilder().WithResources(infer.Resource(&command{})).Build()
	if err == nil {
		err = served.Run(context.Background(), "command", version)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "Error: %s\n", err)
		os.Exit(1)
	}
}
