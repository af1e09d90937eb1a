package target

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/whip"
)

// Provider provides the targets to agents.
type Provider struct {
	File   File
	Now    func() time.Time
	Random io.Reader
	Log    *slog.Logger
	// Meetings creates test meetings; nil creates none.
	Meetings *Meetings
	// Profiles are the profiles with the town's own limits; nil for none.
	Profiles *Profiles
	// Release is the path of the signed announcement of a new version of the agent; "" for
	// none. The file need not exist.
	Release string
}

// Targets returns the targets as agents may see them, without secrets. It creates a test
// meeting for the target named join; "" for none. If that fails, the list has no link.
func (p Provider) Targets(ctx context.Context, join string) (wire.Targets, error) {
	all, err := p.File.List()
	if err != nil {
		return wire.Targets{}, err
	}
	out := wire.Targets{Targets: make([]wire.Target, 0, len(all))}
	for _, t := range all {
		w, err := p.Ticket(t)
		if err != nil {
			return wire.Targets{}, err
		}
		if p.Meetings != nil && t.System == "bbb" && t.Secret != "" && strings.EqualFold(t.Name, join) {
			if w.JoinLink, err = p.Meetings.Link(ctx, t); err != nil {
				p.Log.Warn("no test meeting", "target", t.Name, "err", err)
			}
		}
		out.Targets = append(out.Targets, w)
	}
	out.Profiles, out.Release = p.profiles(out.Targets), p.release()
	return out, nil
}

// release returns the announcement of a new version; "" if there is none. An invalid file
// does not prevent the targets from being sent.
func (p Provider) release() string {
	if p.Release == "" {
		return ""
	}
	f, err := os.Open(p.Release)
	if errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	if err != nil {
		p.Log.Warn("the announcement of a version is not passed on", "err", err)
		return ""
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, wire.MaxReleaseBytes+1))
	if err != nil || len(b) > wire.MaxReleaseBytes || !utf8.Valid(b) {
		p.Log.Warn("the announcement of a version is not passed on: it is not a text file of at most 4 kB", "bytes", len(b), "err", err)
		return ""
	}
	return string(b)
}

// profiles returns the town's own profiles that are used by targets.
func (p Provider) profiles(targets []wire.Target) (all []wire.Profile) {
	known, err := p.Profiles.Current()
	if err != nil {
		p.Log.Error("the changed profiles are not used", "err", err)
	}
	for _, t := range targets {
		text, own := known.Own(t.Profile)
		if own && !slices.ContainsFunc(all, func(w wire.Profile) bool { return w.Name == t.Profile }) {
			all = append(all, wire.Profile{Name: t.Profile, TOML: text})
		}
	}
	return all
}

// Ticket returns what an agent receives to check a target, without a test meeting.
func (p Provider) Ticket(t Target) (w wire.Target, err error) {
	w = wire.Target{Name: t.Name, System: t.System, URL: t.URL, Profile: t.Profile}
	switch {
	case t.APISecret != "":
		w.Room, err = p.room(t)
	case t.System == "whip" && t.Secret != "":
		w.Token, err = whip.Token([]byte(t.Secret), p.Now())
	}
	return w, err
}

// room opens a test room with a random name.
func (p Provider) room(t Target) (*wire.Room, error) {
	random := make([]byte, 12)
	if _, err := io.ReadFull(p.Random, random); err != nil {
		return nil, fmt.Errorf("generate the name of a test room: %w", err)
	}
	r := &wire.Room{Name: "tonprobe-echo-" + hex.EncodeToString(random)}
	var err error
	if r.Publish, err = t.accessToken("tonprobe-speaks", grant{Room: r.Name, RoomJoin: true, CanPublish: true}, p.Now()); err != nil {
		return nil, err
	}
	r.Subscribe, err = t.accessToken("tonprobe-listens", grant{Room: r.Name, RoomJoin: true, CanSubscribe: true}, p.Now())
	return r, err
}
