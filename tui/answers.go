package tui

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
)

// maxAnswer is the maximum length of an answer in bytes.
const maxAnswer = 4 << 10

// errNoAnswer means that the input has ended.
var errNoAnswer = errors.New("no more input")

// answers reads lines of input. Reading runs in a separate goroutine, because a read from a
// terminal cannot be cancelled. It reads a line only when one is requested: the next line
// belongs to whatever runs after the check. A line that came too late is the next answer, unless it is
// discarded.
type answers struct {
	scanner *bufio.Scanner
	lines   chan string

	mu      sync.Mutex
	reading bool
}

func newAnswers(in io.Reader) *answers {
	if in == nil {
		in = strings.NewReader("")
	}
	s := bufio.NewScanner(in)
	s.Buffer(make([]byte, 0, 256), maxAnswer)
	return &answers{scanner: s, lines: make(chan string, 1)}
}

// request begins to read a line, unless one is being read or waits.
func (a *answers) request() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.reading {
		return
	}
	a.reading = true
	go func() {
		if a.scanner.Scan() {
			a.lines <- a.scanner.Text()
		} else {
			close(a.lines)
		}
	}()
}

// taken allows the next line to be read.
func (a *answers) taken() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reading = false
}

// discard drops a line that was typed before a question that needs an answer of its own.
func (a *answers) discard() {
	select {
	case _, ok := <-a.lines:
		if ok {
			a.taken()
		}
	default:
	}
}

// next waits for the next line.
func (a *answers) next(ctx context.Context) (string, error) {
	line, _, err := a.nextOr(ctx, nil)
	return line, err
}

// nextOr waits for the next line or request. A nil channel has no requests.
func (a *answers) nextOr(ctx context.Context, requests <-chan Request) (string, *Request, error) {
	a.request()
	select {
	case r := <-requests:
		return "", &r, nil
	case line, ok := <-a.lines:
		if !ok {
			return "", nil, errNoAnswer
		}
		a.taken()
		return strings.TrimSpace(line), nil, nil
	case <-ctx.Done():
		return "", nil, context.Cause(ctx)
	}
}
