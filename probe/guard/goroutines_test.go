package guard_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// unguarded contains the functions with goroutines that process nothing of what other
// machines send: they wait, send, connect, close, or pass bytes on. What the standard library
// does for them, such as resolving a name, is trusted.
var unguarded = map[string]string{
	"conference/bbb/meeting.go call":                    "waits",
	"conference/janus/socket.go dial":                   "is guarded in the function",
	"conference/janus/echo.go Run":                      "waits",
	"conference/livekit/call.go Run":                    "waits",
	"conference/peer/peer.go Close":                     "closes",
	"conference/peer/udpfirst.go release":               "waits",
	"media/link.go close":                               "closes",
	"media/hedge.go hedged":                             "is guarded in the function",
	"media/paths.go dialMediaPort":                      "connects",
	"media/stream.go untilDown":                         "waits",
	"nat/exchange.go within":                            "waits",
	"nat/exchange.go withinExcept":                      "waits",
	"nat/server.go resolve":                             "resolves",
	"nat/tcp.go dialSeveral":                            "connects",
	"nat/udp.go openUDP":                                "passes bytes on",
	"network/internal/echo/echo_windows.go abandonable": "calls the system",
	"network/link/link.go compareFamilies":              "connects",
	"network/load/down.go receive":                      "counts",
	"network/lookup/addresses.go lookUpTwice":           "resolves",
	"network/lookup/dialer.go race":                     "connects",
	"network/lookup/lookup.go LookupNetIP":              "resolves",
	"network/lookup/lookup.go repeat":                   "resolves",
	"network/lookup/question.go Ask":                    "sends",
	"network/path/ports.go tryTCP":                      "connects",
	"network/proxy/child.go ChildMain":                  "is a process of its own",
	"network/proxy/tunnel.go DialContext":               "connects",
	"network/web/journey.go dialAll":                    "connects",
}

// TestGoroutinesAreGuarded: a goroutine that processes what other machines send keeps a panic
// to itself, or passes it on to the goroutine of the probe.
func TestGoroutinesAreGuarded(t *testing.T) {
	used := map[string]bool{}
	for _, part := range []string{"conference", "media", "nat", "network"} {
		err := filepath.WalkDir(filepath.Join("..", part), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") ||
				strings.Contains(path, "conferencetest") || strings.Contains(path, "testnet") {
				return err
			}
			files := token.NewFileSet()
			f, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			name, _ := filepath.Rel("..", path)
			for _, decl := range f.Decls {
				ast.Inspect(decl, func(n ast.Node) bool {
					where := filepath.ToSlash(name)
					if fn, ok := decl.(*ast.FuncDecl); ok {
						where += " " + fn.Name.Name
					}
					started, isGo := n.(*ast.GoStmt)
					switch {
					case isGo && mentions(started, "guard", ""), !isGo && !mentionsItself(n, "sync", "WaitGroup"):
						return true
					case unguarded[where] == "":
						t.Errorf("%s: %s starts a goroutine without package guard", files.Position(n.Pos()), where)
					}
					used[where] = true
					return true
				})
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for where := range unguarded {
		if !used[where] {
			t.Errorf("%s starts no goroutine without package guard any more: remove it from the list", where)
		}
	}
}

// mentions reports whether a node contains pkg.name; "" means any name.
func mentions(n ast.Node, pkg, name string) (found bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		found = found || mentionsItself(n, pkg, name)
		return !found
	})
	return found
}

func mentionsItself(n ast.Node, pkg, name string) bool {
	s, ok := n.(*ast.SelectorExpr)
	if !ok || name != "" && s.Sel.Name != name {
		return false
	}
	of, ok := s.X.(*ast.Ident)
	return ok && of.Name == pkg
}
