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
// terminal cannot be cancelled. A line is read only on request, so that input for the program
// that runs afterwards is not consumed. A line that arrives after its question has timed out
// answers the next question, unless discard drops it.
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

// request starts reading a line, unless a read is in progress or a line has not been taken yet.
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

// taken records that the line was received, so that request may read the next one.
func (a *answers) taken() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reading = false
}

// discard drops a line that was typed before the current question was asked.
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

// nextOr waits for the next line or the next request; requests may be nil.
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
