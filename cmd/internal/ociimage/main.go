// Command ociimage packs the collector as a container image, without a container engine.
//
//	ociimage VERSION PROGRAM IMAGE.tar [FILE=/PATH/IN/THE/IMAGE...]
//
// The archive is an OCI image layout, and has the manifest of "docker save" beside it for engines
// that do not read layouts. The same program, files and version give the same archive.
package main

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path"
	"regexp"
	"strings"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "ociimage:", err)
		os.Exit(1)
	}
}

// reTag is the grammar of tags in the OCI distribution specification.
var reTag = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)

func run(args []string) error {
	if len(args) < 3 {
		return errors.New("usage: ociimage VERSION PROGRAM IMAGE.tar [FILE=/PATH/IN/THE/IMAGE...]")
	}
	version, out := args[0], args[2]
	if !reTag.MatchString(version) {
		return fmt.Errorf("the version %q cannot be the tag of an image", version)
	}
	p, err := readProgram(args[1])
	if err != nil {
		return err
	}
	entries := []entry{
		{name: programPath, mode: 0o755, content: p.content},
		{name: "etc/passwd", mode: 0o644, content: []byte("root:x:0:0:root:/:/sbin/nologin\n" +
			account + ":Tonprobe collector:/" + dataPath + ":/sbin/nologin\n")},
		{name: "etc/group", mode: 0o644, content: []byte("root:x:0:\ntonprobe-collector:x:65532:\n")},
		{name: "etc/ssl/certs/ca-certificates.crt", mode: 0o644, content: authorities()},
		// A new volume gets the owner and the access rights of the folder below it.
		{name: dataPath + "/", mode: 0o700, owner: accountID},
		{name: "tmp/", mode: 0o1777},
	}
	for _, arg := range args[3:] {
		source, target, ok := strings.Cut(arg, "=")
		if !ok || !path.IsAbs(target) || path.Clean(target) != target {
			return fmt.Errorf("%q is not of the form FILE=/PATH/IN/THE/IMAGE", arg)
		}
		content, err := os.ReadFile(source)
		if err != nil {
			return err
		}
		entries = append(entries, entry{name: target[1:], mode: 0o644, content: content})
	}
	archive, err := pack(p, version, entries)
	if err != nil {
		return fmt.Errorf("pack %s: %w", out, err)
	}
	return os.WriteFile(out, archive, 0o644)
}

// authorities returns the certificates of the authorities that Mozilla trusts. Those that it
// trusts only for older certificates are left out: a file of certificates cannot say so.
func authorities() []byte {
	var b bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			b.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}))
		}
	}
	return b.Bytes()
}
