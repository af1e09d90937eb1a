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

// answers reads lines of input, starting with the first question. Reading runs in a
// separate goroutine, because a read from a terminal cannot be cancelled.
type answers struct {
	in    io.Reader
	begin sync.Once
	lines chan string
}

func newAnswers(in io.Reader) *answers { return &answers{in: in, lines: make(chan string)} }

func (a *answers) read() {
	defer close(a.lines)
	if a.in == nil {
		return
	}
	s := bufio.NewScanner(a.in)
	s.Buffer(make([]byte, 0, 256), maxAnswer)
	for s.Scan() {
		a.lines <- s.Text()
	}
}

// next waits for the next line.
func (a *answers) next(ctx context.Context) (string, error) {
	line, _, err := a.nextOr(ctx, nil)
	return line, err
}

// nextOr waits for the next line or request. A nil channel has no requests.
func (a *answers) nextOr(ctx context.Context, requests <-chan Request) (string, *Request, error) {
	a.begin.Do(func() { go a.read() })
	select {
	case r := <-requests:
		return "", &r, nil
	case line, ok := <-a.lines:
		if !ok {
			return "", nil, errNoAnswer
		}
		return strings.TrimSpace(line), nil, nil
	case <-ctx.Done():
		return "", nil, context.Cause(ctx)
	}
}
