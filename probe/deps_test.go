package probe_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/tonprobe/tonprobe/"

// goPackage is the output of `go list` for one package.
type goPackage struct {
	ImportPath string
	CgoFiles   []string
	Imports    []string
	Standard   bool
}

// A boundary forbids a tree of packages to import others, directly or indirectly. Names
// are relative to the module; "probe" means probe and all packages below it.
type boundary struct {
	of     string
	never  []string
	except []string // exceptions to never
}

var boundaries = []boundary{
	{of: "probe", never: []string{"agent", "tui", "server", "cmd"}},
	{of: "agent", never: []string{"tui", "server", "cmd"}},
	{of: "tui", never: []string{"server", "cmd"}},
	{of: "server", never: []string{"agent", "tui", "cmd", "probe"}, except: []string{
		"probe/report", "probe/diagnose", "probe/media/wire", "probe/media/emodel",
		"probe/probetest/need", // by packages for tests
	}},
	{of: "cmd/tonprobe", never: []string{"server"}},
	// "target test" checks a conference system as an agent does. The packages for that
	// need no cgo (TestServerNeedsNoCgo); the probes of the participant's machine are
	// still forbidden.
	{of: "cmd/tonprobe-collector", never: []string{"agent", "tui", "probe/audio", "probe/host", "probe/nat", "probe/network"}, except: []string{
		"probe/nat", "probe/network/lookup", "probe/network/proxy",
	}},
}

func TestImportBoundaries(t *testing.T) {
	for _, b := range boundaries {
		t.Run(b.of, func(t *testing.T) {
			for _, p := range list(t, true, b.of) {
				if violated(b, p.ImportPath) {
					t.Errorf("%s imports %s: %s", b.of, p.ImportPath, chain(t, b.of, p.ImportPath))
				}
			}
		})
	}
}

// TestNetworkProbesShareByTheirParts: link, web, path and load do not import each
// other. What two of them need is in a package below that imports none of them.
func TestNetworkProbesShareByTheirParts(t *testing.T) {
	const network = "probe/network"
	probes := []string{module + network + "/link", module + network + "/web", module + network + "/path", module + network + "/load"}
	seen := 0
	for _, p := range list(t, true, network) {
		if !strings.HasPrefix(p.ImportPath, module+network+"/") {
			continue
		}
		if slices.Contains(probes, p.ImportPath) {
			seen++
		}
		for _, imported := range p.Imports {
			if slices.Contains(probes, imported) {
				t.Errorf("%s imports %s", p.ImportPath, imported)
			}
		}
	}
	if seen != len(probes) {
		t.Errorf("found only %d of the %d probes", seen, len(probes))
	}
}

// TestOnlyTestsImportTheTestBench: the test bench starts sound servers and, as root,
// network namespaces, and must not be part of a program. Go's rule for internal
// packages restricts importers outside of probe, this test those inside.
func TestOnlyTestsImportTheTestBench(t *testing.T) {
	const bench = "probe/internal/testbench"
	inside := func(importPath string) bool {
		return strings.HasPrefix(importPath, module+bench+"/") || slices.Contains([]string{
			"probe/network/internal/testnet", "probe/audio/signal/signaltest", "probe/probetest", "probe/probetest/need", "probe/conference/conferencetest", "probe/diagnose/phrase/phrasetest",
		}, strings.TrimPrefix(importPath, module))
	}
	seen := false
	for _, p := range list(t, true, "probe") {
		if inside(p.ImportPath) {
			seen = true
			continue
		}
		if i := slices.IndexFunc(p.Imports, inside); i >= 0 {
			t.Errorf("%s imports %s outside of a test", p.ImportPath, p.Imports[i])
		}
	}
	if !seen {
		t.Errorf("no package found in %s", bench)
	}
}

// TestServerNeedsNoCgo: the collector is one static binary for every system. With cgo
// enabled, a dependency that uses it has CgoFiles; the standard library has a pure Go
// alternative for each of its own.
func TestServerNeedsNoCgo(t *testing.T) {
	for _, tree := range []string{"server", "cmd/tonprobe-collector", "probe/report", "probe/diagnose", "probe/media"} {
		for _, p := range list(t, true, tree) {
			if len(p.CgoFiles) > 0 && !p.Standard {
				t.Errorf("%s imports %s, which needs cgo", tree, p.ImportPath)
			}
		}
		if n := len(list(t, false, tree)); n == 0 && exists(tree) {
			t.Errorf("%s has no packages without cgo", tree)
		}
	}
}

func TestBoundariesSeeAViolation(t *testing.T) {
	server := boundaries[3]
	for path, want := range map[string]bool{
		"probe": true, "probe/audio": true, "probe/media": true, "agent/spool": true,
		"probe/report": false, "probe/diagnose/phrase": false, "probe/media/wire": false, "server/store": false, "probereport": false,
	} {
		if got := violated(server, module+path); got != want {
			t.Errorf("server -> %s: violated=%t, want %t", path, got, want)
		}
	}
}

func violated(b boundary, importPath string) bool {
	path, ours := strings.CutPrefix(importPath, module)
	in := func(tree string) bool { return path == tree || strings.HasPrefix(path, tree+"/") }
	return ours && slices.ContainsFunc(b.never, in) && !slices.ContainsFunc(b.except, in)
}

// list returns every package of the tree and its dependencies; none if the tree does
// not exist.
func list(t *testing.T, cgo bool, tree string) (packages []goPackage) {
	t.Helper()
	if !exists(tree) {
		return nil
	}
	cmd := exec.Command("go", "list", "-e", "-deps", "-json=ImportPath,CgoFiles,Imports,Standard", "./"+tree+"/...")
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if cgo {
		cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %s: %v: %s", tree, err, stderr.String())
	}
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatalf("go list %s: %v", tree, err)
		}
		packages = append(packages, p)
	}
}

func exists(tree string) bool {
	_, err := os.Stat("../" + tree)
	return err == nil
}

// chain returns the packages of the tree that import path directly.
func chain(t *testing.T, tree, path string) string {
	var by []string
	for _, p := range list(t, true, tree) {
		if slices.Contains(p.Imports, path) {
			by = append(by, strings.TrimPrefix(p.ImportPath, module))
		}
	}
	return "by " + strings.Join(by, ", ")
}
