package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/tonprobe/tonprobe/agent/bundle"
	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/durable"
	"github.com/tonprobe/tonprobe/agent/identity"
	"github.com/tonprobe/tonprobe/agent/local"
	"github.com/tonprobe/tonprobe/agent/spool"
	"github.com/tonprobe/tonprobe/agent/station"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/host/crash"
)

// exportFlags are the flags of "tonprobe report export".
type exportFlags struct {
	output string
	since  time.Duration
	yes    bool
}

// reportExport writes the support file: it shows what the file will contain, and writes it
// only after the person agreed.
func (p *program) reportExport(ctx context.Context, c config.Config, sp station.Reports, f *exportFlags) error {
	if f.since <= 0 || f.since > longestSince {
		return badSince(f.since)
	}
	now := time.Now()
	to := f.output
	if to == "" {
		to = "tonprobe-" + now.Format("2006-01-02-150405") + ".zip"
	}
	if f.output == "-" && !f.yes {
		return &usageError{key: "bundle.needs_yes"}
	}
	if f.output != "-" {
		if err := writable(to); err != nil {
			return err
		}
	}
	content, err := p.bundleContent(ctx, c, sp, now, f.since)
	if err != nil {
		return err
	}
	files, sum, err := bundle.Files(content)
	if err != nil {
		return err
	}
	readme, err := readmes(files, sum, now)
	if err != nil {
		return err
	}
	files = append(readme, files...)
	zip, err := bundle.Zip(files, now)
	if err != nil {
		return err
	}
	if to == "-" {
		_, err := p.out.Write(zip)
		return err
	}
	fmt.Fprintln(p.out, inventory(p.texts, files, sum))
	return p.writeBundle(to, zip, f.yes)
}

func badSince(value time.Duration) error {
	return &usageError{key: "usage.bad_since", args: []any{"value", value.String(), "most", longestSince.String()}}
}

// bundleContent collects the content of the support file. It omits what cannot be read, because
// a support file is most useful on a computer on which something is broken; only an unreadable
// list of reports is an error.
func (p *program) bundleContent(ctx context.Context, c config.Config, sp station.Reports, now time.Time, since time.Duration) (bundle.Content, error) {
	from := now.Add(-since)
	content := bundle.Content{
		Config: c, Version: p.version, OS: runtime.GOOS, Arch: runtime.GOARCH, Made: now,
	}
	entries, err := sp.All()
	if err != nil {
		return content, err
	}
	if _, content.Drops, err = sp.Drops(); err != nil {
		content.Drops = spool.DropCounts{}
	}
	for _, e := range entries {
		if e.Time.Before(from) {
			continue
		}
		doc, err := sp.Read(e)
		if err != nil {
			content.Damaged++
			continue
		}
		content.Reports = append(content.Reports, bundle.Stored{State: e.State, Doc: doc})
	}
	content.Events = crash.Read(ctx, station.OpenRecords(c).Events, from, now)
	content.EventsText = []byte(strings.Join(p.eventLines(content.Events), "\n") + "\n")
	content.Private = privateNames(c)
	p.describeService(ctx, c, &content)
	content.Log, _ = station.ReadLog(ctx, c) // without it, the file does not list a log
	return content, nil
}

// describeService adds what is known of the service, or without one of the enrolment.
func (p *program) describeService(ctx context.Context, c config.Config, content *bundle.Content) {
	if c.Socket != "" {
		if status, err := local.NewClient(c.Socket).Status(ctx); err == nil {
			content.Service, content.ServiceVersion = true, status.Version
			if e := status.Enrolment; e != nil {
				content.Enrolled = true
				content.Private = append(content.Private, e.Participant, e.Server)
			}
			return
		}
	}
	if id, err := identity.Load(c.Data); err == nil && id.Enrolment != nil {
		content.Enrolled = true
		content.Private = append(content.Private, id.Enrolment.Participant, id.Enrolment.Server)
	}
}

// privateNames returns the names of the computer and its user.
func privateNames(c config.Config) []string {
	names := []string{c.Server, c.Target, c.Device}
	if host, err := os.Hostname(); err == nil {
		names = append(names, host)
	}
	if u, err := user.Current(); err == nil {
		names = append(names, u.Username, u.Name)
	}
	return names
}

// readmes returns the description of the files in both languages.
func readmes(files []bundle.File, sum bundle.Summary, now time.Time) ([]bundle.File, error) {
	var made []bundle.File
	for _, l := range []struct {
		lang phrase.Lang
		name string
	}{{phrase.DE, "LIESMICH.txt"}, {phrase.EN, "README.txt"}} {
		texts, err := loadTexts(l.lang)
		if err != nil {
			return nil, err
		}
		text := texts.T("bundle.about", "time", now.Format("2006-01-02 15:04 MST")) + "\n\n" + inventory(texts, files, sum) + "\n"
		made = append(made, bundle.File{Name: l.name, Kind: bundle.KindReadme, Body: []byte(text)})
	}
	return made, nil
}

// inventory lists the files with their sizes, and what each kind contains and what not.
func inventory(texts *phrase.Book, files []bundle.File, sum bundle.Summary) string {
	const most = 8 // lines for each kind
	var b strings.Builder
	for _, kind := range bundle.Kinds() {
		var lines []string
		more, moreBytes := 0, 0
		for _, f := range files {
			switch {
			case f.Kind != kind:
			case len(lines) == most:
				more, moreBytes = more+1, moreBytes+len(f.Body)
			default:
				lines = append(lines, fmt.Sprintf("  %7s  %s", kilobytes(len(f.Body)), f.Name))
			}
		}
		if len(lines) == 0 {
			continue
		}
		if more > 0 {
			lines = append(lines, fmt.Sprintf("  %7s  %s", kilobytes(moreBytes), texts.T("bundle.more", "count", more)))
		}
		fmt.Fprintf(&b, "%s\n%s\n", texts.T("bundle.kind_"+string(kind)), strings.Join(lines, "\n"))
	}
	for _, c := range []struct {
		key   string
		count int
	}{{"bundle.left_out", sum.LeftOut}, {"bundle.over_limit", sum.OverLimit}} {
		if c.count > 0 {
			fmt.Fprintln(&b, texts.T(c.key, "count", c.count))
		}
	}
	if sum.LogLines == 0 {
		fmt.Fprintln(&b, texts.T("bundle.no_log"))
	}
	b.WriteString(texts.T("bundle.never"))
	return b.String()
}

// kilobytes formats a size, rounded up.
func kilobytes(n int) string { return fmt.Sprintf("%d kB", (n+999)/1000) }

// writeBundle writes the file after the person agreed. It replaces an existing one only if
// the person agreed to that as well.
func (p *program) writeBundle(to string, zip []byte, yes bool) error {
	full, err := filepath.Abs(to)
	if err != nil {
		return fmt.Errorf("write the support file: %w", err)
	}
	asks := term.IsTerminal(int(p.in.Fd()))
	if !yes {
		if !asks {
			return &usageError{key: "bundle.needs_yes"}
		}
		if !p.agrees("bundle.ask", "file", full, "size", kilobytes(len(zip))) {
			p.say("bundle.not_written")
			return nil
		}
	}
	if isDevice(to) {
		return writeFile(to, zip)
	}
	err = durable.CreateFile(full, zip)
	if errors.Is(err, fs.ErrExist) {
		if yes || !asks {
			return &usageError{key: "report.exists", args: []any{"file", to}}
		}
		if !p.agrees("bundle.ask_replace", "file", full) {
			p.say("bundle.not_written")
			return nil
		}
		err = durable.WriteFile(full, zip)
	}
	if err != nil {
		return err
	}
	p.say("bundle.written", "file", full, "size", kilobytes(len(zip)))
	return nil
}

// agrees asks a question. Everything but a yes, in either language, is a no.
func (p *program) agrees(key string, args ...any) bool {
	fmt.Fprint(p.out, p.t(key, args...)+" ")
	const maxAnswer = 100
	line, err := bufio.NewReader(io.LimitReader(p.in, maxAnswer)).ReadBytes('\n')
	if err != nil {
		fmt.Fprintln(p.out)
		return false
	}
	switch string(bytes.ToLower(bytes.TrimSpace(line))) {
	case "j", "ja", "y", "yes":
		return true
	}
	return false
}
