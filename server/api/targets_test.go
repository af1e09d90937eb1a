package api

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/target"
)

// Changes take effect with the next request; no response contains a secret.
func TestTargets(t *testing.T) {
	file := target.In(t.TempDir())
	g := newRig(t, func(c *Config) { c.Targets = target.Desk{File: file, Now: c.Now, Random: rand.Reader} })
	e := g.enrolled("A")
	ask := ask{method: http.MethodGet, path: "/" + wire.PathTargets, token: e.Token}
	list := func() *wire.Targets {
		t.Helper()
		w := g.do(ask)
		got, err := wire.ParseTargets(w.Body.Bytes())
		if err != nil || w.Code != http.StatusOK || w.Header().Get("Cache-Control") != "no-store" || strings.Contains(w.Body.String(), "geheim") {
			t.Fatalf("%d %s, %v", w.Code, w.Body, err)
		}
		return got
	}
	if got := list(); len(got.Targets) != 0 {
		t.Errorf("%+v", got)
	}
	for _, added := range []target.Target{
		{Name: "Rat", System: "bbb", URL: "https://bbb.example.org", Secret: "geheim"},
		{Name: "lk", System: "livekit", URL: "https://lk.example.org", APIKey: "key", APISecret: "geheim"},
	} {
		added, err := added.Normalize()
		if err != nil {
			t.Fatal(err)
		}
		if err := file.Add(t.Context(), added); err != nil {
			t.Fatal(err)
		}
	}
	if got := list(); len(got.Targets) != 2 || got.Targets[0].Room == nil || got.Targets[1].Name != "Rat" || got.Targets[1].Profile != "bbb" {
		t.Errorf("%+v", got)
	}
	if err := file.Remove(t.Context(), "lk"); err != nil {
		t.Fatal(err)
	}
	if got := list(); len(got.Targets) != 1 {
		t.Errorf("%+v", got)
	}
}

type brokenTargets struct{}

func (brokenTargets) Targets(context.Context, string) (wire.Targets, error) {
	return wire.Targets{}, errors.New("secret path")
}

func TestTargetsCannotBeRead(t *testing.T) {
	g := newRig(t, func(c *Config) { c.Targets = brokenTargets{} })
	w := g.do(ask{method: http.MethodGet, path: "/" + wire.PathTargets, token: g.enrolled("A").Token})
	wantFault(t, w, http.StatusInternalServerError, "internal")
	if strings.Contains(w.Body.String(), "path") {
		t.Errorf("%s", w.Body)
	}
}
