package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tonprobe/tonprobe/agent/spool"
	"github.com/tonprobe/tonprobe/agent/station"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui/words"
)

// reportShow prints a report in words and as a document, so that everything that is
// sent is printed. With --json it prints the document as sent. Without a name it is
// the latest report.
func (p *program) reportShow(sp station.Reports, which string, asJSON bool) error {
	entries, err := sp.All()
	if err != nil {
		return err
	}
	for i := len(entries) - 1; i >= 0; i-- {
		doc, err := sp.Read(entries[i])
		if err != nil || which != "" && !names(which, entries[i], doc) {
			continue
		}
		if asJSON {
			_, err = fmt.Fprintf(p.out, "%s\n", doc)
			return err
		}
		return p.printReport(entries[i], doc)
	}
	if which == "" {
		p.say("report.none")
		return nil
	}
	return &usageError{key: "report.unknown", args: []any{"which", which}}
}

// names reports whether which is the id or the case code of the report.
func names(which string, e spool.Entry, doc []byte) bool {
	if strings.EqualFold(which, e.ID) {
		return true
	}
	code, ok := report.NormalizeCase(which)
	if !ok {
		return false
	}
	r, err := report.Decode(doc)
	return err == nil && r.Case == code
}

// printReport prints a report for a person. The words omit what only an expert
// reads, so the complete document follows. A report that this version cannot parse
// is printed unmodified.
func (p *program) printReport(e spool.Entry, doc []byte) error {
	if r, err := report.Decode(doc); err == nil {
		w, err := words.In(p.lang)
		if err != nil {
			return err
		}
		for _, line := range reportInWords(w, r) {
			fmt.Fprintln(p.out, line)
		}
	}
	fmt.Fprintln(p.out)
	p.say("report.document_" + stateName(e))
	var indented bytes.Buffer
	if json.Indent(&indented, doc, "", "  ") != nil {
		indented.Reset()
		indented.Write(doc)
	}
	_, err := fmt.Fprintf(p.out, "%s\n", indented.Bytes())
	return err
}

func reportInWords(w words.Words, r *report.Report) []string {
	a := w.Answer(r)
	lines := append(w.About(r), "", w.T("plain.result", "headline", a.Headline))
	if len(r.Causes) == 0 {
		lines = append(lines, a.Cause)
	}
	for _, s := range append(w.Found(r), w.Measured(r)...) {
		title := s.Title
		if s.State != "" {
			title += ": " + w.State(s.State)
		}
		lines = append(lines, "", title)
		for _, line := range s.Lines {
			lines = append(lines, "  "+line)
		}
	}
	return lines
}
