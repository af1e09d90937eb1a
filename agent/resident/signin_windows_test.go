package resident

import (
	"errors"
	"strings"
	"testing"
)

// TestLongestRunLine: Windows does not run a longer command at sign-in.
func TestLongestRunLine(t *testing.T) {
	const program = `C:\Users\anna\AppData\Local\Programs\Tonprobe\tonprobe-background.exe`
	for _, c := range []struct {
		folder string
		want   error
	}{
		{`D:\` + strings.Repeat("x", maxRunLine-len(program)-len(` service run --data D:\`)), nil},
		{`D:\` + strings.Repeat("x", maxRunLine-len(program)-len(` service run --data D:\`)+1), ErrLongCommand},
		{`D:\` + strings.Repeat("\U0001f399", 100), ErrLongCommand}, // 2 units each
	} {
		line, err := composeRunLine(program, []string{"service", "run", "--data", c.folder})
		if !errors.Is(err, c.want) || err == nil && len(line) != maxRunLine {
			t.Errorf("%s: got %q, %v, want %v", c.folder, line, err, c.want)
		}
	}
}
