//go:build !js

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "tonprobe-browser runs in a web browser: build it with GOOS=js GOARCH=wasm")
	os.Exit(64)
}
