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

// Desk provides the targets to agents.
type Desk struct {
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
func (d Desk) Targets(ctx context.Context, join string) (wire.Targets, error) {
	all, err := d.File.List()
	if err != nil {
		return wire.Targets{}, err
	}
	out := wire.Targets{Targets: make([]wire.Target, 0, len(all))}
	for _, t := range all {
		w, err := d.Ticket(t)
		if err != nil {
			return wire.Targets{}, err
		}
		if d.Meetings != nil && t.System == "bbb" && t.Secret != "" && strings.EqualFold(t.Name, join) {
			if w.JoinLink, err = d.Meetings.Link(ctx, t); err != nil {
				d.Log.Warn("no test meeting", "target", t.Name, "err", err)
			}
		}
		out.Targets = append(out.Targets, w)
	}
	out.Profiles, out.Release = d.profiles(out.Targets), d.release()
	return out, nil
}

// release returns the announcement of a new version; "" if there is none. A file that no
// agent would read does not keep the targets back.
func (d Desk) release() string {
	if d.Release == "" {
		return ""
	}
	f, err := os.Open(d.Release)
	if errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	if err != nil {
		d.Log.Warn("the announcement of a version is not passed on", "err", err)
		return ""
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, wire.MaxReleaseBytes+1))
	if err != nil || len(b) > wire.MaxReleaseBytes || !utf8.Valid(b) {
		d.Log.Warn("the announcement of a version is not passed on: it is not a text of at most 4 kB", "bytes", len(b), "err", err)
		return ""
	}
	return string(b)
}

// profiles returns those of the town's own profiles that the targets use.
func (d Desk) profiles(targets []wire.Target) (all []wire.Profile) {
	known, err := d.Profiles.Current()
	if err != nil {
		d.Log.Error("the changed profiles are not used", "err", err)
	}
	for _, t := range targets {
		text, own := known.Own(t.Profile)
		if own && !slices.ContainsFunc(all, func(p wire.Profile) bool { return p.Name == t.Profile }) {
			all = append(all, wire.Profile{Name: t.Profile, TOML: text})
		}
	}
	return all
}

// Ticket returns what an agent receives to check a target, without a test meeting.
func (d Desk) Ticket(t Target) (w wire.Target, err error) {
	w = wire.Target{Name: t.Name, System: t.System, URL: t.URL, Profile: t.Profile}
	switch {
	case t.APISecret != "":
		w.Room, err = d.room(t)
	case t.System == "whip" && t.Secret != "":
		w.Token, err = whip.Token([]byte(t.Secret), d.Now())
	}
	return w, err
}

// room opens a test room with a random name.
func (d Desk) room(t Target) (*wire.Room, error) {
	random := make([]byte, 12)
	if _, err := io.ReadFull(d.Random, random); err != nil {
		return nil, fmt.Errorf("draw the name of a test room: %w", err)
	}
	r := &wire.Room{Name: "tonprobe-echo-" + hex.EncodeToString(random)}
	var err error
	if r.Publish, err = t.accessToken("tonprobe-speaks", grant{Room: r.Name, RoomJoin: true, CanPublish: true}, d.Now()); err != nil {
		return nil, err
	}
	r.Subscribe, err = t.accessToken("tonprobe-listens", grant{Room: r.Name, RoomJoin: true, CanSubscribe: true}, d.Now())
	return r, err
}
