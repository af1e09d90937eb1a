package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// TestImage packs a program of one line, and reads the archive as an engine does.
func TestImage(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	write(t, in("go.mod"), "module example.org/tiny\n")
	write(t, in("main.go"), "package main\n\nfunc main() {}\n")
	write(t, in("licences.gz"), "licences")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", in("program"), ".")
	build.Dir, build.Env = dir, append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	const licences = "/usr/share/doc/tonprobe-collector/licences.gz"
	for _, out := range []string{"a.tar", "b.tar"} {
		if err := run([]string{"1.3.0-rc.1", in("program"), in(out), in("licences.gz") + "=" + licences}); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(read(t, in("a.tar")), read(t, in("b.tar"))) {
		t.Error("two images of one program differ")
	}

	files, _ := untar(t, bytes.NewReader(read(t, in("a.tar"))))
	if got, want := string(files["oci-layout"]), `{"imageLayoutVersion":"1.0.0"}`; got != want {
		t.Errorf("oci-layout is %s, want %s", got, want)
	}
	blob := func(d descriptor) []byte {
		content, ok := files[blobPath(d.Digest)]
		if !ok || digest(content) != d.Digest || len(content) != d.Size {
			t.Fatalf("no blob for %+v", d)
		}
		return content
	}
	var i index
	decode(t, files["index.json"], &i)
	if len(i.Manifests) != 1 || i.Manifests[0].Annotations["io.containerd.image.name"] != "localhost/tonprobe-collector:1.3.0-rc.1" {
		t.Fatalf("got the index %+v, want one image with its name", i)
	}
	var m manifest
	decode(t, blob(i.Manifests[0]), &m)
	if len(m.Layers) != 1 {
		t.Fatalf("got the manifest %+v, want one layer", m)
	}
	var c imageConfig
	decode(t, blob(m.Config), &c)
	if c.Architecture != runtime.GOARCH || c.OS != "linux" || *i.Manifests[0].Platform != c.platform {
		t.Errorf("got %+v and the platform %+v, want linux, %s", c, i.Manifests[0].Platform, runtime.GOARCH)
	}
	if c.Config.User != "65532:65532" || !slices.Equal(c.Config.Entrypoint, []string{"/usr/bin/tonprobe-collector"}) || !slices.Equal(c.Config.Cmd, []string{"serve"}) {
		t.Errorf("got %+v, want the collector as a user without rights", c.Config)
	}
	if _, ok := c.Config.Volumes["/var/lib/tonprobe-collector"]; !ok || !slices.Contains(c.Config.Env, "TONPROBE_DATA=/var/lib/tonprobe-collector") {
		t.Errorf("got %+v, want the data in a volume", c.Config)
	}
	if got := c.Config.Labels["org.opencontainers.image.version"]; got != "1.3.0-rc.1" {
		t.Errorf("got the version %q, want 1.3.0-rc.1", got)
	}
	var saved []savedImage
	decode(t, files["manifest.json"], &saved)
	if len(saved) != 1 || saved[0].Config != blobPath(m.Config.Digest) || !slices.Equal(saved[0].Layers, []string{blobPath(m.Layers[0].Digest)}) {
		t.Errorf("got manifest.json %+v, want what the index refers to", saved)
	}

	z, err := gzip.NewReader(bytes.NewReader(blob(m.Layers[0])))
	if err != nil {
		t.Fatal(err)
	}
	layer, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(c.RootFS.DiffIDs, []string{digest(layer)}) {
		t.Errorf("got the layers %q, want %s", c.RootFS.DiffIDs, digest(layer))
	}
	content, listed := untar(t, bytes.NewReader(layer))
	want := []string{
		"drwxr-xr-x 0 usr/", "drwxr-xr-x 0 usr/bin/", "-rwxr-xr-x 0 usr/bin/tonprobe-collector",
		"drwxr-xr-x 0 etc/", "-rw-r--r-- 0 etc/passwd", "-rw-r--r-- 0 etc/group",
		"drwxr-xr-x 0 etc/ssl/", "drwxr-xr-x 0 etc/ssl/certs/", "-rw-r--r-- 0 etc/ssl/certs/ca-certificates.crt",
		"drwxr-xr-x 0 var/", "drwxr-xr-x 0 var/lib/", "drwx------ 65532 var/lib/tonprobe-collector/", "dtrwxrwxrwx 0 tmp/",
		"drwxr-xr-x 0 usr/share/", "drwxr-xr-x 0 usr/share/doc/", "drwxr-xr-x 0 usr/share/doc/tonprobe-collector/", "-rw-r--r-- 0 " + licences[1:],
	}
	if !slices.Equal(listed, want) {
		t.Errorf("got the files\n%s\nwant\n%s", strings.Join(listed, "\n"), strings.Join(want, "\n"))
	}
	if !bytes.Equal(content["usr/bin/tonprobe-collector"], read(t, in("program"))) || string(content[licences[1:]]) != "licences" {
		t.Error("the files of the image differ from those that were given")
	}
	if !x509.NewCertPool().AppendCertsFromPEM(content["etc/ssl/certs/ca-certificates.crt"]) {
		t.Error("no certificate of an authority in the image")
	}
}

func TestRefuses(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "image.tar")
	text := filepath.Join(dir, "text")
	write(t, text, "#!/bin/sh\n")
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"a program with libraries": {[]string{"1.3.0", "/bin/sh", out}, "needs libraries"},
		"a script":                 {[]string{"1.3.0", text, out}, "not a program for Linux"},
		"no program":               {[]string{"1.3.0", filepath.Join(dir, "missing"), out}, "no such file"},
		"a version with a space":   {[]string{"1.3.0 final", text, out}, "cannot be the tag"},
		"too little":               {[]string{"1.3.0", text}, "usage"},
	} {
		if err := run(c.args); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
		if _, err := os.Stat(out); err == nil {
			t.Fatalf("%s: there is an image", name)
		}
	}
}

// untar returns the files of an archive, and the access rights, owner and name of each.
func untar(t *testing.T, r io.Reader) (content map[string][]byte, listed []string) {
	t.Helper()
	content = map[string][]byte{}
	archive := tar.NewReader(r)
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return content, listed
		}
		if err != nil {
			t.Fatal(err)
		}
		if content[h.Name], err = io.ReadAll(archive); err != nil {
			t.Fatal(err)
		}
		if h.Uid != h.Gid {
			t.Errorf("%s belongs to user %d and group %d, want equal numbers", h.Name, h.Uid, h.Gid)
		}
		listed = append(listed, fmt.Sprintf("%v %d %s", h.FileInfo().Mode(), h.Uid, h.Name))
	}
}

func decode(t *testing.T, content []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(content, v); err != nil {
		t.Fatalf("%v: %s", err, content)
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
