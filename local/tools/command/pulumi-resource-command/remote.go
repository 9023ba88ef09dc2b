package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	provider "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"golang.org/x/crypto/ssh"
)

type connection struct {
	Host           string   `pulumi:"host"`
	User           string   `pulumi:"user"`
	Port           *float64 `pulumi:"port,optional"`
	PrivateKey     string   `pulumi:"privateKey"     provider:"secret"`
	HostKey        string   `pulumi:"hostKey"`
	DialErrorLimit int      `pulumi:"dialErrorLimit"`
	PerDialTimeout int      `pulumi:"perDialTimeout"`
}

type remoteInputs struct {
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

type remoteOutputs struct {
	remoteInputs
	Stdout string `pulumi:"stdout"`
	Stderr string `pulumi:"stderr"`
}

type remoteCommand struct{}

func (c *remoteCommand) Annotate(a infer.Annotator) {
	a.SetToken("remote", "Command")
}

func (*remoteCommand) Create(
	ctx context.Context, request infer.CreateRequest[remoteInputs],
) (infer.CreateResponse[remoteOutputs], error) {
	state := remoteOutputs{remoteInputs: request.Inputs}
	id, err := resource.NewUniqueHex(request.Name, 8, 0)
	if err != nil || request.DryRun {
		return infer.CreateResponse[remoteOutputs]{ID: id, Output: state}, err
	}
	err = state.run(ctx, request.Inputs.Create)
	return infer.CreateResponse[remoteOutputs]{ID: id, Output: state}, err
}

func (*remoteCommand) Update(
	ctx context.Context, request infer.UpdateRequest[remoteInputs, remoteOutputs],
) (infer.UpdateResponse[remoteOutputs], error) {
	state := remoteOutputs{remoteInputs: request.Inputs, Stdout: request.State.Stdout, Stderr: request.State.Stderr}
	if request.DryRun {
		return infer.UpdateResponse[remoteOutputs]{Output: state}, nil
	}
	line := request.Inputs.Create
	if request.Inputs.Update != nil {
		line = *request.Inputs.Update
	}
	err := state.run(ctx, line)
	return infer.UpdateResponse[remoteOutputs]{Output: state}, err
}

func (o *remoteOutputs) run(ctx context.Context, line string) error {
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
	output := captureOutput(ctx, o.Logging)
	session.Stdout, session.Stderr = output.stdout, output.stderr
	if err := session.Run(line); err != nil {
		return output.failure(err, line)
	}
	o.Stdout, o.Stderr = output.outputs()
	return nil
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
