package proxy

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/robertkrimen/otto"
)

// ChildArg is the hidden first argument that makes a program evaluate a script
// in place of its own work: its main calls ChildMain then. A script comes out of
// the network and may be anybody's; in a process of its own it can neither hang
// the check nor take its memory.
const ChildArg = "proxy-child"

// childMark stands in the environment of a child, so that a program whose main
// does not know ChildArg does not start itself over and over.
const childMark = "TONPROBE_PROXY_CHILD"

// Bounds of a script.
const (
	maxScriptBytes = 512 << 10
	maxHeapBytes   = 96 << 20 // of the child, the engine included
	maxStackBytes  = 64 << 20
	maxCalls       = 1000
	scriptTime     = 2 * time.Second
)

// Status of a child whose script went beyond a bound.
const (
	exitMemory = 3
	exitTime   = 4
)

// task is what the child is to do, as one line of JSON.
type task struct {
	Source string    `json:"source"`
	URL    string    `json:"url"`
	Host   string    `json:"host"`
	Own    string    `json:"own"` // this computer's address
	Now    time.Time `json:"now"`
}

// word is a line of the child: a question, or how it ended.
type word struct {
	LookUp string  `json:"look_up,omitempty"`
	Result *string `json:"result,omitempty"`
	Error  string  `json:"error,omitempty"`
}

// addresses is the answer to a question.
type addresses struct {
	Found []netip.Addr `json:"found"`
}

// ChildMain is a child's whole life. It returns the exit status.
func ChildMain(in io.Reader, out io.Writer) int {
	debug.SetMaxStack(maxStackBytes)
	go guard()
	lines, words := json.NewDecoder(bufio.NewReader(in)), json.NewEncoder(out)
	var t task
	if err := lines.Decode(&t); err != nil {
		return 1
	}
	text, err := evaluate(t, func(host string) (a addresses) {
		if words.Encode(word{LookUp: host}) != nil || lines.Decode(&a) != nil {
			return addresses{}
		}
		return a
	})
	last := word{Result: &text}
	if err != nil {
		last = word{Error: err.Error()}
	}
	if err := words.Encode(last); err != nil {
		return 1
	}
	return 0
}

// guard ends the process when the script takes too much. Nothing gentler helps:
// a loop inside one of the engine's built-in functions heeds no interruption.
func guard() {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	for end := time.Now().Add(scriptTime); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if metrics.Read(sample); sample[0].Value.Uint64() > maxHeapBytes {
			os.Exit(exitMemory)
		}
	}
	os.Exit(exitTime)
}

// evaluate runs FindProxyForURL(url, host), the function of a PAC file as
// Netscape described it in 1996 and all browsers still run it. The engine speaks
// ECMAScript 5, as that of Windows (JScript) does: a script that wants more is
// an error here, so that the proxy stays unknown. Engines of newer editions
// make this program half as large again.
func evaluate(t task, lookUp func(string) addresses) (text string, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("the engine failed: %v", fault)
		}
	}()
	vm := otto.New()
	vm.SetStackDepthLimit(maxCalls)
	for name, f := range functions(t, lookUp) {
		if err := vm.Set(name, f); err != nil {
			return "", fmt.Errorf("prepare %s: %w", name, err)
		}
	}
	if _, err := vm.Run(t.Source); err != nil {
		return "", err
	}
	choose, err := vm.Get("FindProxyForURL")
	if err != nil || !choose.IsFunction() {
		return "", errors.New("it has no FindProxyForURL")
	}
	result, err := choose.Call(otto.UndefinedValue(), t.URL, t.Host)
	if err != nil {
		return "", err
	}
	if !result.IsString() {
		return "", errors.New("FindProxyForURL returned no text")
	}
	return result.String(), nil
}

// notInChild keeps a child from having children.
func notInChild(context.Context) error {
	if os.Getenv(childMark) != "" {
		return errors.New("this program evaluates no scripts")
	}
	return nil
}
