package check

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/conference"
	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// targetsTime limits the request for a target's address. The check continues
// without a response, so that a dead line is diagnosed too.
const targetsTime = 3 * time.Second

// UnknownTargetError is a name without a target at the collector.
type UnknownTargetError struct {
	Name  string
	Known []string
}

func (e *UnknownTargetError) Error() string {
	return fmt.Sprintf("the collector knows no conference system %q; it knows %s", e.Name, strings.Join(e.Known, ", "))
}

// NotEnrolledError is the name of a target if there is no collector to request it
// from.
type NotEnrolledError struct{ Name string }

func (e *NotEnrolledError) Error() string {
	return fmt.Sprintf("%q is not an address, and names of conference systems are known only to an enrolled computer", e.Name)
}

// Target reduces a text that identifies a conference system to what a check uses:
// the name of a target of the collector, or an address without anything that may be
// a secret of a meeting. Target("") is "". The error is an [*origin.Error].
func Target(raw string) (string, error) {
	if name := strings.TrimSpace(raw); wire.IsTargetName(name) {
		return name, nil
	}
	return conference.Reduce(raw)
}

// resolveTarget requests the target from the collector if it is a name. Without a
// response, the last known target is used, without credentials; if there is none
// either, the check continues without a conference system. The errors are
// [*UnknownTargetError], [*NotEnrolledError] and [*origin.Error].
func (o Options) resolveTarget(ctx context.Context, env probe.Env) (Options, error) {
	if !wire.IsTargetName(o.Target) {
		return o, nil
	}
	name := o.Target
	if !o.Collector.Enrolled() {
		return o, &NotEnrolledError{Name: name}
	}
	known, err := o.targets(ctx, o.joins(name))
	if ctx.Err() != nil {
		return o, fmt.Errorf("%w: %w", ErrCancelled, context.Cause(ctx))
	}
	t, found := known.Find(name)
	switch {
	case err != nil && !found:
		env.Log.Warn("the conference system is unknown", "target", name, "err", report.ErrorText(err))
		o.Target = ""
		return o, nil
	case err != nil:
		env.Log.Warn("the last known conference system is used", "target", name, "err", report.ErrorText(err))
	case !found:
		return o, &UnknownTargetError{Name: name, Known: known.Names()}
	}
	if o.Target, err = conference.ReduceFor(t.System, t.URL); err != nil {
		return o, err
	}
	o.targetSystem, o.room, o.token = t.System, t.Room, t.Token
	if t.JoinLink != "" {
		if o.joinLink, err = url.Parse(t.JoinLink); err != nil {
			return o, errors.New("the collector's join link is invalid") // the error would quote it
		}
	}
	o.limits = o.targetLimits(known, t.Profile, env)
	if o.limits != nil {
		o.Profile = o.limits.Name
	}
	return o, nil
}

// targetLimits returns the limits of the profile that the collector names for a target:
// those of the town's own profile, otherwise those of a shipped one. It returns nil if a
// person chose a profile, or if this version supports neither.
func (o Options) targetLimits(known wire.Targets, name string, env probe.Env) *diagnose.Profile {
	if o.Profile != diagnose.DefaultProfile {
		return nil
	}
	if text, own := known.Profile(name); own {
		p, err := diagnose.AdoptProfile(name, []byte(text))
		if err == nil {
			return &p
		}
		env.Log.Warn("the limits of the collector cannot be used", "profile", name, "err", report.ErrorText(err))
	}
	p, err := diagnose.LoadProfile(name)
	if err != nil {
		return nil
	}
	return &p
}

// targets returns the collector's targets or, together with the error, the last
// known ones.
func (o Options) targets(ctx context.Context, join string) (wire.Targets, error) {
	ctx, cancel := context.WithTimeout(ctx, targetsTime)
	defer cancel()
	got, err := o.Collector.Targets(ctx, join)
	if e, ok := errors.AsType[*collector.APIError](err); ok && e.Status == http.StatusNotFound {
		return wire.Targets{}, nil // a collector of a version without targets
	}
	if err != nil {
		return o.KnownTargets, err
	}
	if o.LearnTargets != nil {
		o.LearnTargets(WithoutCredentials(*got))
	}
	return *got, nil
}

// joins returns the name of the target whose test meeting this check joins; "" if
// it makes no call.
func (o Options) joins(name string) string {
	asked := len(o.Only) == 0 || slices.ContainsFunc(o.Only, func(word string) bool { return strings.HasPrefix(word, report.ConferenceGroup) })
	if !o.callsSystem() || !asked {
		return ""
	}
	return name
}

// WithoutCredentials returns t without rooms, links and tokens.
func WithoutCredentials(t wire.Targets) wire.Targets {
	kept := wire.Targets{Targets: make([]wire.Target, len(t.Targets)), Profiles: t.Profiles, Release: t.Release, Sessions: t.Sessions}
	for i, target := range t.Targets {
		target.Room, target.JoinLink, target.Token = nil, "", ""
		kept.Targets[i] = target
	}
	return kept
}
