package tui

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
)

// maxAnswer is the longest answer that is read, in bytes.
const maxAnswer = 4 << 10

// errNoAnswer says that the input has ended.
var errNoAnswer = errors.New("no more input")

// answers reads lines from somebody, beginning with the first question. The
// reading goes on in a goroutine of its own, since reading a terminal cannot
// be broken off.
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
	a.begin.Do(func() { go a.read() })
	select {
	case line, ok := <-a.lines:
		if !ok {
			return "", errNoAnswer
		}
		return strings.TrimSpace(line), nil
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}
