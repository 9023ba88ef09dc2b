package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/klog/v2"
)

// As K3s: files are looked at every 15 s.
const manifestInterval = 15 * time.Second

const manifestManager = "deploy@k3s-stand-in"

//go:embed coredns.yaml
var corednsManifest string

func manifestDirectory(s settings) string { return filepath.Join(s.serverDirectory(), "manifests") }

// writeManifests writes the addons of the stand-in itself into `manifests/`, unless they are disabled.
func writeManifests(s settings) error {
	path := filepath.Join(manifestDirectory(s), "coredns.yaml")
	if slices.Contains(s.disabled, "coredns") {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return nil
	}
	text := strings.NewReplacer("DOMAIN", s.clusterDomain, "ADDRESS", s.clusterDNS).Replace(corednsManifest)
	return writeFile(path, []byte(text))
}

// manifests applies the files of `manifests/`.
type manifests struct {
	directory string
	objects   dynamic.Interface
	mapper    *restmapper.DeferredDiscoveryRESTMapper
	// what was applied since the start, by the file's path
	applied map[string][sha256.Size]byte
}

// applyManifests applies every file at once, and again whenever it changes, until ctx ends. Objects that someone deleted
// or changed meanwhile are made anew at the next start.
func applyManifests(ctx context.Context, s settings, config *rest.Config) error {
	objects, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	m := manifests{
		directory: manifestDirectory(s),
		objects:   objects,
		mapper:    restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(client.Discovery())),
		applied:   map[string][sha256.Size]byte{},
	}
	for {
		if err := m.round(ctx); err != nil && ctx.Err() == nil {
			klog.Errorf("manifests: %v", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(manifestInterval):
		}
	}
}

func (m *manifests) round(ctx context.Context) error {
	paths, err := manifestFiles(m.directory)
	if err != nil {
		return err
	}
	var problems []error
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		hash := sha256.Sum256(text)
		if m.applied[path] == hash {
			continue
		}
		if err := m.apply(ctx, text); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", path, err))
			continue
		}
		m.applied[path] = hash
		klog.Infof("applied manifest %s", path)
	}
	return errors.Join(problems...)
}

// manifestFiles returns the manifests below a folder in order of their paths. Hidden ones are left out: a mounted Secret
// has its true files in hidden folders, and links to them.
func manifestFiles(directory string) ([]string, error) {
	entries, err := os.ReadDir(directory)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, entry := range entries {
		names[entry.Name()] = true
	}
	var files []string
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, ".") {
			continue
		}
		path := filepath.Join(directory, name)
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if info.IsDir() {
			below, err := manifestFiles(path)
			if err != nil {
				return nil, err
			}
			files = append(files, below...)
		} else if slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(name)) && !names[name+".skip"] {
			files = append(files, path)
		}
	}
	return files, nil
}

// apply applies every object of a file, also those after one that fails.
func (m *manifests) apply(ctx context.Context, text []byte) error {
	var problems []error
	reader := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return errors.Join(problems...)
		}
		if err != nil {
			return errors.Join(append(problems, err)...)
		}
		object := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(document, &object.Object); err != nil {
			return errors.Join(append(problems, err)...)
		}
		if len(object.Object) == 0 {
			continue
		}
		if !object.IsList() {
			problems = append(problems, m.applyObject(ctx, object))
			continue
		}
		problems = append(problems, object.EachListItem(func(item runtime.Object) error {
			return m.applyObject(ctx, item.(*unstructured.Unstructured))
		}))
	}
}

func (m *manifests) applyObject(ctx context.Context, object *unstructured.Unstructured) error {
	kind := object.GroupVersionKind()
	mapping, err := m.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if apimeta.IsNoMatchError(err) {
		// Perhaps a kind that was defined only now.
		m.mapper.Reset()
		mapping, err = m.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", kind.Kind, object.GetName(), err)
	}
	resource := dynamic.ResourceInterface(m.objects.Resource(mapping.Resource))
	if mapping.Scope.Name() == apimeta.RESTScopeNameNamespace {
		if object.GetNamespace() == "" {
			object.SetNamespace(meta.NamespaceDefault)
		}
		resource = m.objects.Resource(mapping.Resource).Namespace(object.GetNamespace())
	}
	_, err = resource.Apply(ctx, object.GetName(), object, meta.ApplyOptions{FieldManager: manifestManager, Force: true})
	if err != nil {
		return fmt.Errorf("%s %s: %w", kind.Kind, object.GetName(), err)
	}
	return nil
}
