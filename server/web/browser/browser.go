// Package browser contains the program of the browser check: cmd/tonprobe-browser, compiled to
// WebAssembly. "go generate" builds it. A collector that was built without it offers no browser
// check.
package browser

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
)

//go:generate go run ./build

//go:embed all:built
var built embed.FS

// Names of the files in the folder "built".
const (
	// ProgramFile is the program, compressed with gzip.
	ProgramFile = "tonprobe-browser.wasm.gz"
	// RuntimeFile is the script of the Go distribution that connects the program to the browser. It
	// belongs to the compiler that built the program.
	RuntimeFile = "wasm_exec.js"
)

// Program is the program of the check with its runtime.
type Program struct {
	WASM    []byte // compressed with gzip
	Runtime []byte
}

// Load returns the program, and whether this collector was built with it.
func Load() (p Program, ok bool, err error) {
	for name, content := range map[string]*[]byte{ProgramFile: &p.WASM, RuntimeFile: &p.Runtime} {
		*content, err = built.ReadFile("built/" + name)
		if errors.Is(err, fs.ErrNotExist) {
			return Program{}, false, nil
		}
		if err != nil {
			return Program{}, false, fmt.Errorf("read the program of the browser check: %w", err)
		}
	}
	return p, true, nil
}
