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
	"sync/atomic"
	"time"

	"github.com/dop251/goja"
)

// ChildArg is the hidden first argument with which a program evaluates a script
// instead of its normal work: its main then calls ChildMain. A script comes from
// the network and is untrusted. In a separate process it cannot hang the check or
// use up its memory.
const ChildArg = "proxy-child"

// childMark is an environment variable of the child. It prevents a program whose
// main does not handle ChildArg from starting itself recursively.
const childMark = "TONPROBE_PROXY_CHILD"

// Limits of a script.
const (
	maxScriptBytes = 512 << 10
	maxHeapBytes   = 96 << 20 // of the child, including the engine
	maxStackBytes  = 64 << 20
	maxCalls       = 1000
	scriptTime     = 2 * time.Second
)

// Exit status of a child whose script exceeded a limit.
const (
	exitMemory = 3
	exitTime   = 4
)

// task is the input of the child, one line of JSON.
type task struct {
	Source string    `json:"source"`
	URL    string    `json:"url"`
	Host   string    `json:"host"`
	Own    string    `json:"own"` // address of this computer
	Now    time.Time `json:"now"`
}

// word is a line of output of the child: a question or the result.
type word struct {
	LookUp string  `json:"look_up,omitempty"`
	Result *string `json:"result,omitempty"`
	Error  string  `json:"error,omitempty"`
}

// addresses is the answer to a question.
type addresses struct {
	Found []netip.Addr `json:"found"`
}

// ChildMain runs the child and returns its exit status.
func ChildMain(in io.Reader, out io.Writer) int {
	debug.SetMaxStack(maxStackBytes)
	var waiting atomic.Bool
	go limit(&waiting)
	lines, words := json.NewDecoder(bufio.NewReader(in)), json.NewEncoder(out)
	var t task
	if err := lines.Decode(&t); err != nil {
		return 1
	}
	text, err := evaluate(t, func(host string) (a addresses) {
		waiting.Store(true)
		defer waiting.Store(false)
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

// limit ends the process if the script uses too much memory, or more than
// scriptTime without the time for lookups, which have their own limits. The
// engine's interrupt is not sufficient: it has no effect on a loop inside a
// built-in function.
func limit(waiting *atomic.Bool) {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	const tick = time.Millisecond
	last, used := time.Now(), time.Duration(0)
	for used < scriptTime {
		time.Sleep(tick)
		now := time.Now()
		if !waiting.Load() {
			used += now.Sub(last)
		}
		last = now
		if metrics.Read(sample); sample[0].Value.Uint64() > maxHeapBytes {
			os.Exit(exitMemory)
		}
	}
	os.Exit(exitTime)
}

// evaluate calls FindProxyForURL(url, host), the function of a PAC file as Netscape
// defined it in 1996. Browsers run it in their own engine, so current scripts use
// let, arrow functions and templates.
//
// The function must be a property of the global object, as Chromium
// (proxy_resolver_v8.cc) and Firefox (ProxyAutoConfig.cpp) require: they do not
// find one that is declared with const or let.
func evaluate(t task, lookUp func(string) addresses) (string, error) {
	text, err := run(t, lookUp, compile)
	if err == nil || !lacksName(err) {
		return text, err
	}
	if text, legacyErr := run(t, lookUp, compileHoisted); legacyErr == nil {
		return text, nil
	}
	return "", err
}

var errNoFunction = errors.New("it has no FindProxyForURL")

func run(t task, lookUp func(string) addresses, compile func(source string) (*goja.Program, error)) (text string, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("the engine failed: %v", fault)
		}
	}()
	vm := goja.New()
	vm.SetMaxCallStackSize(maxCalls)
	for name, f := range functions(vm, t, lookUp) {
		if err := vm.Set(name, f); err != nil {
			return "", fmt.Errorf("prepare %s: %w", name, err)
		}
	}
	compiled, err := compile(t.Source)
	if err != nil {
		return "", err
	}
	if _, err := vm.RunProgram(compiled); err != nil {
		return "", err
	}
	choose, ok := goja.AssertFunction(vm.GlobalObject().Get("FindProxyForURL"))
	if !ok {
		return "", errNoFunction
	}
	result, err := choose(goja.Undefined(), vm.ToValue(t.URL), vm.ToValue(t.Host))
	if err != nil {
		return "", err
	}
	text, ok = result.Export().(string)
	if !ok {
		return "", errors.New("FindProxyForURL returned no text")
	}
	return text, nil
}

// notInChild returns an error in a child, which must not start children.
func notInChild(context.Context) error {
	if os.Getenv(childMark) != "" {
		return errors.New("this program does not evaluate scripts")
	}
	return nil
}
