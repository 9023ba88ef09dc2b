package main

import (
	"context"
	"os"
	"os/exec"
	"strings"

	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

type localInputs struct {
	Create                 *string           `pulumi:"create,optional"`
	Update                 *string           `pulumi:"update,optional"`
	Delete                 *string           `pulumi:"delete,optional"`
	Triggers               *[]any            `pulumi:"triggers,optional" provider:"replaceOnChanges"`
	Stdin                  *string           `pulumi:"stdin,optional"`
	Logging                *string           `pulumi:"logging,optional"`
	Interpreter            []string          `pulumi:"interpreter,optional"`
	Dir                    *string           `pulumi:"dir,optional"`
	Environment            map[string]string `pulumi:"environment,optional"`
	AddPreviousOutputInEnv *bool             `pulumi:"addPreviousOutputInEnv,optional"`
}

func (i *localInputs) Annotate(a infer.Annotator) {
	a.SetDefault(&i.AddPreviousOutputInEnv, true)
}

type localOutputs struct {
	localInputs
	Stdout string `pulumi:"stdout"`
	Stderr string `pulumi:"stderr"`
}

// localCommand runs commands on this machine, with the environment of the engine.
type localCommand struct{}

func (c *localCommand) Annotate(a infer.Annotator) {
	a.SetToken("local", "Command")
}

func (*localCommand) Create(
	ctx context.Context, request infer.CreateRequest[localInputs],
) (infer.CreateResponse[localOutputs], error) {
	state := localOutputs{localInputs: request.Inputs}
	id, err := resource.NewUniqueHex(request.Name, 8, 0)
	if err == nil && !request.DryRun {
		err = state.run(ctx, request.Inputs.Create)
	}
	return infer.CreateResponse[localOutputs]{ID: id, Output: state}, err
}

func (*localCommand) Update(
	ctx context.Context, request infer.UpdateRequest[localInputs, localOutputs],
) (infer.UpdateResponse[localOutputs], error) {
	state := localOutputs{localInputs: request.Inputs, Stdout: request.State.Stdout, Stderr: request.State.Stderr}
	line := request.Inputs.Create
	if request.Inputs.Update != nil {
		line = request.Inputs.Update
	}
	var err error
	if !request.DryRun {
		err = state.run(ctx, line)
	}
	return infer.UpdateResponse[localOutputs]{Output: state}, err
}

func (*localCommand) Delete(
	ctx context.Context, request infer.DeleteRequest[localOutputs],
) (infer.DeleteResponse, error) {
	return infer.DeleteResponse{}, request.State.run(ctx, request.State.Delete)
}

// run runs a command line, if there is one. The receiver holds what the resource printed before, and afterwards what it
// printed now.
func (o *localOutputs) run(ctx context.Context, line *string) error {
	if line == nil {
		return nil
	}
	words := []string{"/bin/sh", "-c"}
	if len(o.Interpreter) > 0 {
		words = o.Interpreter
	}
	words = append(append([]string{}, words...), *line)
	process := exec.CommandContext(ctx, words[0], words[1:]...)
	if o.Dir != nil {
		process.Dir = *o.Dir
	}
	process.Env = os.Environ()
	for name, value := range o.Environment {
		process.Env = append(process.Env, name+"="+value)
	}
	if o.AddPreviousOutputInEnv == nil || *o.AddPreviousOutputInEnv {
		for name, value := range map[string]string{
			"PULUMI_COMMAND_STDOUT": o.Stdout,
			"PULUMI_COMMAND_STDERR": o.Stderr,
		} {
			if value != "" {
				process.Env = append(process.Env, name+"="+value)
			}
		}
	}
	if o.Stdin != nil && *o.Stdin != "" {
		process.Stdin = strings.NewReader(*o.Stdin)
	}
	output := captureOutput(ctx, o.Logging)
	process.Stdout, process.Stderr = output.stdout, output.stderr
	if err := process.Run(); err != nil {
		return output.failure(err, *line)
	}
	o.Stdout, o.Stderr = output.outputs()
	return nil
}
