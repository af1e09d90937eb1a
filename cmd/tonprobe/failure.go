package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"time"

	"github.com/tonprobe/tonprobe/agent/check"
	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/enroll"
	"github.com/tonprobe/tonprobe/agent/identity"
	"github.com/tonprobe/tonprobe/agent/local"
	"github.com/tonprobe/tonprobe/agent/resident"
	"github.com/tonprobe/tonprobe/agent/spool"
	"github.com/tonprobe/tonprobe/agent/station"
	"github.com/tonprobe/tonprobe/agent/uplink"
	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/probe/report/origin"
	"github.com/tonprobe/tonprobe/tui"
	"github.com/tonprobe/tonprobe/tui/words"
)

// maxAddressRunes limits how much of a mistyped address is printed.
const maxAddressRunes = 120

// usageError is an invalid command line.
type usageError struct {
	key  string
	args []any
}

func (e *usageError) Error() string { return e.key }

// printedError is an error that has already been printed.
type printedError struct{ status status }

func (e *printedError) Error() string { return fmt.Sprintf("exit status %d", e.status) }

// unusableError is an error of the service that remains until a person mends something. It has the text of Err.
type unusableError struct{ Err error }

func (e *unusableError) Error() string { return e.Err.Error() }
func (e *unusableError) Unwrap() error { return e.Err }

// unusable marks err as an *unusableError, unless a later start may succeed.
func unusable(err error) error {
	broken, ok := errors.AsType[*identity.BrokenError](err)
	if ok {
		// A file that could not be read may be readable later: a disk or a network drive fails for a while.
		_, unread := errors.AsType[*fs.PathError](broken)
		ok = !unread
	}
	if _, elsewhere := errors.AsType[*station.EnrolledElsewhereError](err); ok || elsewhere {
		return &unusableError{err}
	}
	return err
}

// finish prints the error, if any, and returns the exit status.
func (p *program) finish(err error) status {
	if err == nil {
		return exitOK
	}
	if printed, ok := errors.AsType[*printedError](err); ok {
		return printed.status
	}
	text, s := p.explainFailure(err)
	if _, ok := errors.AsType[*unusableError](err); ok {
		s = exitUnusable
	}
	fmt.Fprintln(p.err, "tonprobe:", text)
	p.closed = false // remains to be read
	if s == exitUsage && !p.inOwnWindow() {
		p.warn("usage.hint")
	}
	return s
}

// sentences are the errors that have a text of their own, which includes what to do.
func sentences() []struct {
	is  error
	key string
} {
	return []struct {
		is  error
		key string
	}{
		{enroll.ErrCodeInvalid, "enroll.code_invalid"},
		{enroll.ErrTooMany, "enroll.too_many"},
		{enroll.ErrProxy, "collector.proxy"},
		{collector.ErrExpired, "collector.expired"},
		{collector.ErrIntercepted, "collector.intercepted"},
		{enroll.ErrUntrusted, "collector.untrusted"},
		{enroll.ErrUnreachable, "collector.unreachable"},
		{enroll.ErrCollector, "collector.nonsense"},
		{uplink.ErrEnrolAgain, "upload.enrol_again"},
		{uplink.ErrBlocked, "upload.blocked"},
		{uplink.ErrErased, "upload.erased"},
		{uplink.ErrUntrusted, "collector.untrusted"},
		{uplink.ErrNotReached, "upload.not_reached"},
		{errNoOwnPage, "report.mine_old"},
		{spool.ErrDiskFull, "spool.disk_full"},
		{collector.ErrNoCertificate, "collector.ca_empty"},
		{local.ErrOtherCollector, "service.other_collector"},
		{local.ErrBusy, "service.busy"},
		{local.ErrFixed, "permission.fixed"},
		{resident.ErrNotAdmin, "service.not_admin"},
		{station.ErrOtherService, "service.other_service"},
		{resident.ErrNotInstalled, "service.not_installed"},
		{resident.ErrNoUserService, "service.no_user_service"},
		{resident.ErrLongCommand, "service.long_command"},
		{resident.ErrNoServiceSystem, "service.no_system"},
		{check.ErrCancelled, "check.cancelled"},
		{tui.ErrQuit, "check.cancelled"},
		{context.Canceled, "check.cancelled"},
	}
}

// explainFailure returns an error in the person's language.
func (p *program) explainFailure(err error) (text string, s status) {
	if text, ok := p.explainInput(err); ok {
		return text, exitUsage
	}
	if e, ok := errors.AsType[*config.Error](err); ok {
		return p.explainSetting(e), exitUsage
	}
	if e, ok := errors.AsType[*identity.BrokenError](err); ok {
		return p.t("identity.broken", "file", e.Path, "problem", p.problem(e.Err)), exitSoftware
	}
	if e, ok := errors.AsType[*collector.ClockError](err); ok {
		layout := p.t("collector.clock_layout")
		return p.t("collector.clock", "ours", e.Ours.Local().Format(layout), "theirs", e.Theirs.Local().Format(layout)), exitSoftware
	}
	for _, c := range sentences() {
		if errors.Is(err, c.is) {
			return p.t(c.key, "detail", report.CleanText(err.Error())), exitSoftware
		}
	}
	if e, ok := errors.AsType[*resident.ManagerError](err); ok {
		return p.t("service.refused", "platform", e.Platform, "problem", strings.TrimSuffix(e.Err.Error(), ".")), exitSoftware
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return p.t("error.file", "file", e.Path, "problem", p.problem(err)), exitSoftware
	}
	return p.t("error.other", "detail", err), exitSoftware
}

// explainSetting describes an invalid setting.
func (p *program) explainSetting(e *config.Error) string {
	text := p.t("config.fault_"+string(e.Fault), "key", e.Key, "value", e.Value, "want", e.Want)
	if e.Where != "" {
		return e.Where + ": " + text
	}
	return text
}

// fileProblem is the text for a system error of a file.
type fileProblem struct {
	is  error
	key string
}

// problem returns a system error of a file in the person's language.
func (p *program) problem(err error) string {
	for _, c := range append([]fileProblem{
		{fs.ErrNotExist, "problem.not_there"},
		{fs.ErrPermission, "problem.not_allowed"},
		{fs.ErrExist, "problem.there_already"},
		{syscall.EISDIR, "problem.is_folder"},
		{syscall.ENOTDIR, "problem.no_folder"},
		{syscall.EROFS, "problem.read_only"},
		{syscall.ENOSPC, "problem.no_room"},
		{syscall.EPIPE, "problem.no_reader"},
		{syscall.EBADF, "problem.closed"},
		{fs.ErrClosed, "problem.closed"},
		{syscall.EIO, "problem.device"},
	}, systemProblems...) {
		if errors.Is(err, c.is) {
			return p.t(c.key)
		}
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	return p.t("problem.other", "detail", err)
}

// explainInput describes invalid input.
func (p *program) explainInput(err error) (string, bool) {
	if e, ok := errors.AsType[*usageError](err); ok {
		return p.t(e.key, e.args...), true
	}
	for _, c := range []struct {
		is  error
		key string
	}{{enroll.ErrCodeForm, "enroll.code_form"}, {enroll.ErrLinkForm, "enroll.link_form"}, {enroll.ErrNoServer, "enroll.no_server"}} {
		if errors.Is(err, c.is) {
			return p.t(c.key), true
		}
	}
	if e, ok := errors.AsType[*station.EnrolledElsewhereError](err); ok {
		return p.t("collector.other", "asked", e.Asked, "enrolled", e.Enrolled), true
	}
	if e, ok := errors.AsType[*station.ConfiguredElsewhereError](err); ok {
		return p.t("enroll.other", "asked", e.Asked, "set", e.Configured), true
	}
	if e, ok := errors.AsType[*resident.ForeignOwnerError](err); ok {
		return p.t("service.foreign_owner", "path", e.Path), true
	}
	if e, ok := errors.AsType[*check.UnknownProbeError](err); ok {
		return p.t("check.unknown_probe", "names", join(e.Names), "known", join(e.Known)), true
	}
	if e, ok := errors.AsType[*check.UnknownTargetError](err); ok {
		if len(e.Known) == 0 {
			return p.t("check.no_targets", "name", e.Name), true
		}
		return p.t("check.unknown_target", "name", e.Name, "known", join(e.Known)), true
	}
	if e, ok := errors.AsType[*check.NotEnrolledError](err); ok {
		return p.t("check.target_not_enrolled", "name", e.Name), true
	}
	if e, ok := errors.AsType[*check.LifetimeError](err); ok {
		return p.t("check.bad_lifetime", "value", asTyped(e.Asked), "least", asTyped(check.MinBindingLifetime), "most", asTyped(check.MaxBindingLifetime)), true
	}
	if e, ok := errors.AsType[*diagnose.UnknownProfileError](err); ok {
		return p.t("check.unknown_profile", "name", e.Name, "known", join(e.Known)), true
	}
	if e, ok := errors.AsType[*origin.Error](err); ok {
		return p.t("address."+string(e.Fault), "address", words.Clean(origin.Display(e.Address), maxAddressRunes)), true
	}
	return "", false
}

// asTyped formats a duration as a person types it: 10m, not 10m0s.
func asTyped(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
