// Command upstream-images takes published images from their registries into a folder in the layout of the Open Container
// Initiative (image-spec 1.0), each under the name that pods ask for.
//
//	upstream-images --into <folder> [--registry <host>] < list
//
// The list is JSON: for each image its reference, and text files that are laid over it. What became of each is a line of JSON
// on standard output. It ends with status 0 also if some cannot be had: who reads the lines decides.
//
// An image that an earlier run has taken is not asked for again.
package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// containerdName is the annotation by which containerd finds the name of an image that it imports.
const containerdName = "io.containerd.image.name"

// An order is one image of the list.
type order struct {
	Reference string `json:"reference"`
	// Files are laid over the image: their texts, by their paths.
	Files map[string]string `json:"files"`
}

// An outcome is one line of the answer: without a problem the image is there.
type outcome struct {
	Reference string `json:"reference"`
	Problem   string `json:"problem,omitempty"`
}

func main() {
	into := flag.String("into", "", "the folder that the images are written to")
	registry := flag.String("registry", "", "the registry that has them all, by the paths of their names; default: that of each name")
	flag.Parse()
	if *into == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	var orders []order
	err := json.NewDecoder(os.Stdin).Decode(&orders)
	if err == nil {
		err = take(orders, *registry, *into)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "upstream-images:", err)
		os.Exit(1)
	}
}

// take takes all images, and says of each what became of it.
func take(orders []order, registry, into string) error {
	folder, taken, err := openFolder(into)
	if err != nil {
		return err
	}
	answers := json.NewEncoder(os.Stdout)
	// Registries that could not be reached: each would be waited for once more with every image.
	unreachable := map[string]error{}
	for _, order := range orders {
		answer := outcome{Reference: order.Reference}
		if !taken[order.Reference] {
			image, err := published(order, registry, unreachable)
			if err == nil {
				err = folder.AppendImage(image, layout.WithAnnotations(map[string]string{containerdName: order.Reference}))
			}
			if err != nil {
				answer.Problem = err.Error()
			}
		}
		if err := answers.Encode(answer); err != nil {
			return err
		}
	}
	return nil
}

// openFolder opens the folder, and says which images are in it. Its index was cut off in the middle if it cannot be read: then it
// starts anew, over the same layers.
func openFolder(into string) (layout.Path, map[string]bool, error) {
	taken := map[string]bool{}
	if index, err := layout.ImageIndexFromPath(into); err == nil {
		if manifest, err := index.IndexManifest(); err == nil {
			for _, image := range manifest.Manifests {
				taken[image.Annotations[containerdName]] = true
			}
			folder, err := layout.FromPath(into)
			return folder, taken, err
		}
	}
	folder, err := layout.Write(into, empty.Index)
	return folder, taken, err
}

// published is an image as its registry has it for this machine's processor, with the order's files over it. Its layers are
// taken when it is written.
func published(order order, registry string, unreachable map[string]error) (v1.Image, error) {
	reference, err := source(order.Reference, registry)
	if err != nil {
		return nil, err
	}
	host := reference.Context().RegistryStr()
	if err := unreachable[host]; err != nil {
		return nil, err
	}
	image, err := remote.Image(reference,
		remote.WithAuthFromKeychain(authn.DefaultKeychain),
		remote.WithPlatform(v1.Platform{OS: "linux", Architecture: runtime.GOARCH}))
	if err != nil {
		if isUnreachable(err) {
			unreachable[host] = err
		}
		return nil, err
	}
	if len(order.Files) == 0 {
		return image, nil
	}
	layer, err := layerOf(order.Files)
	if err != nil {
		return nil, err
	}
	return mutate.AppendLayers(image, layer)
}

// layerOf is a layer with text files that everybody may read: most programs are not root in their images.
func layerOf(files map[string]string) (v1.Layer, error) {
	var content bytes.Buffer
	writer := tar.NewWriter(&content)
	for _, path := range slices.Sorted(maps.Keys(files)) {
		// As layers have it: relative to the image's root.
		header := tar.Header{Name: strings.TrimPrefix(path, "/"), Mode: 0o644, Size: int64(len(files[path]))}
		if err := writer.WriteHeader(&header); err != nil {
			return nil, err
		}
		if _, err := writer.Write([]byte(files[path])); err != nil {
			return nil, err
		}
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content.Bytes())), nil
	})
}

// source is where an image is taken from: its own registry, or the path of its name at another.
func source(reference, registry string) (name.Reference, error) {
	own, err := name.ParseReference(reference, name.StrictValidation)
	if err != nil || registry == "" {
		return own, err
	}
	separator := ":"
	if _, isDigest := own.(name.Digest); isDigest {
		separator = "@"
	}
	return name.ParseReference(registry + "/" + own.Context().RepositoryStr() + separator + own.Identifier())
}

// isUnreachable says whether no connection came about: then none will for the next image either.
func isUnreachable(err error) bool {
	var dial *net.OpError
	var lookup *net.DNSError
	return errors.As(err, &lookup) || (errors.As(err, &dial) && dial.Op == "dial")
}
