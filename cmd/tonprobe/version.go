package main

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"

	"github.com/tonprobe/tonprobe/cmd/internal/buildinfo"
)

// showVersion prints the version and build of this program.
func (p *program) showVersion(_ context.Context, args []string) error {
	f := newFlags("version")
	asJSON := f.Bool("json", false, "")
	if _, err := p.parse(f, args, 0); err != nil {
		return err
	}
	if *asJSON {
		return p.printJSON(buildinfo.Of(p.version))
	}
	fmt.Fprintf(p.out, "tonprobe %s (%s, %s/%s)\n", p.version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}

// printJSON writes v as JSON.
func (p *program) printJSON(v any) error {
	e := json.NewEncoder(p.out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
