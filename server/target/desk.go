package target

import (
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// Desk hands the targets out to agents.
type Desk struct {
	File   File
	Now    func() time.Time
	Random io.Reader
}

// Targets returns what an agent may know of the targets: never a secret.
func (d Desk) Targets() (wire.Targets, error) {
	all, err := d.File.List()
	if err != nil {
		return wire.Targets{}, err
	}
	out := wire.Targets{Targets: make([]wire.Target, 0, len(all))}
	for _, t := range all {
		w := wire.Target{Name: t.Name, System: t.System, URL: t.URL, Profile: t.Profile}
		if t.APISecret != "" {
			if w.Room, err = d.room(t); err != nil {
				return wire.Targets{}, err
			}
		}
		out.Targets = append(out.Targets, w)
	}
	return out, nil
}

// room opens a test room of a name that nobody else knows.
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
