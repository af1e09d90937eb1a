package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"
)

// What the image contains and how it runs.
const (
	imageName   = "localhost/tonprobe-collector" // as engines call it after loading
	programPath = "usr/bin/tonprobe-collector"
	dataPath    = "var/lib/tonprobe-collector"
	// account is the beginning of a line of /etc/passwd. 65532 is what other images without a
	// shell use; the accounts of a system are below 1000, those of people below 60000.
	account   = "tonprobe-collector:x:65532:65532"
	accountID = 65532
)

// Media types of the OCI image specification 1.0.
const (
	typeIndex    = "application/vnd.oci.image.index.v1+json"
	typeManifest = "application/vnd.oci.image.manifest.v1+json"
	typeConfig   = "application/vnd.oci.image.config.v1+json"
	typeLayer    = "application/vnd.oci.image.layer.v1.tar+gzip"
)

type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int               `json:"size"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Platform    *platform         `json:"platform,omitempty"`
}

type platform struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
}

type index struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Manifests     []descriptor `json:"manifests"`
}

type manifest struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType"`
	Config        descriptor        `json:"config"`
	Layers        []descriptor      `json:"layers"`
	Annotations   map[string]string `json:"annotations"`
}

// imageConfig is the configuration of the image.
type imageConfig struct {
	platform
	Created string        `json:"created"`
	Config  runtimeConfig `json:"config"`
	RootFS  struct {
		Type    string   `json:"type"`
		DiffIDs []string `json:"diff_ids"` // of the layers, not compressed
	} `json:"rootfs"`
	History []history `json:"history"`
}

type runtimeConfig struct {
	User         string
	Env          []string
	Entrypoint   []string
	Cmd          []string
	ExposedPorts map[string]struct{}
	Volumes      map[string]struct{}
	WorkingDir   string
	StopSignal   string
	Labels       map[string]string
}

type history struct {
	Created   string `json:"created"`
	CreatedBy string `json:"created_by"`
}

// savedImage is an element of manifest.json, which "docker save" writes.
type savedImage struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// pack returns the archive of an image with one layer.
func pack(p program, version string, entries []entry) ([]byte, error) {
	layer, err := archive(entries, p.committed)
	if err != nil {
		return nil, err
	}
	packed, err := compress(layer)
	if err != nil {
		return nil, err
	}
	created := p.committed.UTC().Format(time.RFC3339)
	labels := map[string]string{
		"org.opencontainers.image.title":       "tonprobe-collector",
		"org.opencontainers.image.description": "Collects the checks of participants and shows them to support.",
		"org.opencontainers.image.version":     version,
		"org.opencontainers.image.created":     created,
		"org.opencontainers.image.source":      "https://github.com/tonprobe/tonprobe",
		"org.opencontainers.image.licenses":    "Apache-2.0",
	}
	if p.revision != "" {
		labels["org.opencontainers.image.revision"] = p.revision
	}
	c := imageConfig{platform: platform{Architecture: p.arch, OS: "linux"}, Created: created, Config: runtimeConfig{
		User:       "65532:65532",
		Env:        []string{"PATH=/usr/bin", "TONPROBE_DATA=/" + dataPath},
		Entrypoint: []string{"/" + programPath},
		Cmd:        []string{"serve"},
		// The ports of the table in docs/administrator.md that need no option.
		ExposedPorts: map[string]struct{}{"8443/tcp": {}, "3478/tcp": {}, "3478/udp": {}, "3480/tcp": {}, "3480/udp": {}},
		Volumes:      map[string]struct{}{"/" + dataPath: {}},
		WorkingDir:   "/",
		StopSignal:   "SIGTERM",
		Labels:       labels,
	}}
	c.RootFS.Type, c.RootFS.DiffIDs = "layers", []string{digest(layer)}
	c.History = []history{{Created: created, CreatedBy: "ociimage"}}

	var l layout
	m := manifest{SchemaVersion: 2, MediaType: typeManifest, Layers: []descriptor{l.add(typeLayer, packed)}, Annotations: labels}
	if m.Config, err = l.addJSON(typeConfig, c); err != nil {
		return nil, err
	}
	d, err := l.addJSON(typeManifest, m)
	if err != nil {
		return nil, err
	}
	d.Platform = &c.platform
	d.Annotations = map[string]string{
		"org.opencontainers.image.ref.name": version,
		"io.containerd.image.name":          imageName + ":" + version, // read by podman and containerd
	}
	for _, f := range []struct {
		name    string
		content any
	}{
		{"index.json", index{SchemaVersion: 2, MediaType: typeIndex, Manifests: []descriptor{d}}},
		{"manifest.json", []savedImage{{Config: blobPath(m.Config.Digest), RepoTags: []string{imageName + ":" + version}, Layers: []string{blobPath(m.Layers[0].Digest)}}}},
		{"oci-layout", map[string]string{"imageLayoutVersion": "1.0.0"}},
	} {
		b, err := json.Marshal(f.content)
		if err != nil {
			return nil, err
		}
		l.entries = append(l.entries, entry{name: f.name, mode: 0o644, content: b})
	}
	return archive(l.entries, p.committed)
}

// layout is the content of an image layout.
type layout struct{ entries []entry }

func (l *layout) add(mediaType string, content []byte) descriptor {
	d := descriptor{MediaType: mediaType, Digest: digest(content), Size: len(content)}
	l.entries = append(l.entries, entry{name: blobPath(d.Digest), mode: 0o644, content: content})
	return d
}

func (l *layout) addJSON(mediaType string, v any) (descriptor, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return descriptor{}, err
	}
	return l.add(mediaType, b), nil
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func blobPath(digest string) string { return "blobs/" + strings.Replace(digest, ":", "/", 1) }
