package need

import (
	"errors"
	"flag"
	"fmt"
	"runtime"
	"testing"
)

// outcome is a testing.TB that records how a test ends.
type outcome struct {
	testing.TB
	how string
}

func (o *outcome) Helper() {}

func (o *outcome) Skipf(format string, args ...any) { o.end("skipped: "+format, args) }

func (o *outcome) Fatalf(format string, args ...any) { o.end("failed: "+format, args) }

func (o *outcome) end(format string, args []any) {
	o.how = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func ending(f func(testing.TB)) string {
	o := &outcome{how: "runs"}
	done := make(chan struct{})
	go func() { defer close(done); f(o) }()
	<-done
	return o.how
}

func TestNothingIsHidden(t *testing.T) {
	missing := errors.New("it is missing")
	for name, f := range map[string]func(testing.TB){
		"full":    func(t testing.TB) { Full(t, "a long simulation") },
		"program": func(t testing.TB) { Program(t, "go") },
		"lack":    func(t testing.TB) { Lack(t, "a disk", missing) },
		"minutes": func(t testing.TB) { Minutes(t) },
	} {
		for _, c := range []struct {
			short, all string
			want       map[string]string
		}{
			{"false", "", map[string]string{"lack": "skipped: needs a disk: it is missing", "minutes": `skipped: takes minutes: set one of ["TONPROBE_TEST_ALL"]`}},
			{"true", "", map[string]string{"full": "skipped: left out by -short: a long simulation", "program": "skipped: left out by -short: go",
				"lack": "skipped: needs a disk: it is missing", "minutes": `skipped: takes minutes: set one of ["TONPROBE_TEST_ALL"]`}},
			{"false", "1", map[string]string{"lack": "failed: needs a disk: it is missing"}},
			{"true", "1", map[string]string{"lack": "failed: needs a disk: it is missing"}},
		} {
			t.Run(fmt.Sprintf("%s, short %s, all %q", name, c.short, c.all), func(t *testing.T) {
				before := flag.Lookup("test.short").Value.String()
				if err := flag.Set("test.short", c.short); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = flag.Set("test.short", before) })
				t.Setenv(Variable, c.all)
				want := c.want[name]
				if want == "" {
					want = "runs"
				}
				if got := ending(f); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			})
		}
	}
}
