// Command build compiles the program of the browser check and copies its runtime. The result
// depends only on the sources and the compiler. It runs in the folder of package browser.
package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/tonprobe/tonprobe/server/web/browser"
)

func main() {
	if err := build("built"); err != nil {
		fmt.Fprintln(os.Stderr, "build the browser check:", err)
		os.Exit(1)
	}
}

func build(dir string) error {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("find the Go distribution: %w", err)
	}
	runtime, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", browser.RuntimeFile))
	if err != nil {
		return fmt.Errorf("read the runtime: %w", err)
	}
	temp, err := os.MkdirTemp("", "tonprobe-browser-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	plain := filepath.Join(temp, "program.wasm")
	compile := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", plain, "github.com/tonprobe/tonprobe/cmd/tonprobe-browser")
	compile.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0")
	compile.Stdout, compile.Stderr = os.Stdout, os.Stderr
	if err := compile.Run(); err != nil {
		return fmt.Errorf("compile: %w", err)
	}
	program, err := os.ReadFile(plain)
	if err != nil {
		return err
	}
	packed, err := pack(program)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, browser.RuntimeFile), runtime, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, browser.ProgramFile), packed, 0o644)
}

func pack(b []byte) ([]byte, error) {
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(b); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}
