package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/local"
	"github.com/tonprobe/tonprobe/agent/resident"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase/phrasetest"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/probe/report/origin"
)

func TestBothLanguagesSayTheSame(t *testing.T) {
	en := phrasetest.Books(t, loadTexts)[phrase.EN]
	for _, f := range config.Faults() {
		if key := "config.fault_" + string(f); !en.Has(key) {
			t.Errorf("no text for a fault of the configuration: %s", key)
		}
	}
	for _, f := range origin.Faults() {
		if key := "address." + string(f); !en.Has(key) {
			t.Errorf("no text for a fault of an address: %s", key)
		}
	}
	for _, key := range usedKeys(t) {
		if !en.Has(key) {
			t.Errorf("the program uses %s, but there is no such text", key)
		}
	}
}

// usedKeys returns the keys of the texts that the source uses.
func usedKeys(t *testing.T) []string {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	book, err := loadTexts(phrase.EN)
	if err != nil {
		t.Fatal(err)
	}
	areas := map[string]bool{}
	for _, k := range book.Keys() {
		areas[strings.SplitN(k, ".", 2)[0]] = true
	}
	var keys []string
	re := regexp.MustCompile(`"([a-z]+)\.([a-z_]+[a-z])"`)
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range re.FindAllStringSubmatch(string(src), -1) {
			if areas[m[1]] {
				keys = append(keys, m[1]+"."+m[2])
			}
		}
	}
	if len(keys) < 40 {
		t.Fatalf("found only %d keys", len(keys))
	}
	for _, c := range commands() {
		if c.name != "help" {
			keys = append(keys, "help."+c.name)
		}
	}
	for _, v := range []report.Verdict{report.Ready, report.Limited, report.NotReady, report.Unknown} {
		keys = append(keys, "report.verdict_"+string(v))
	}
	for _, s := range []string{"waiting", "sent", "local", "quarantine"} {
		keys = append(keys, "report.state_"+s)
	}
	for _, a := range []resident.Action{resident.Install, resident.Uninstall, resident.Start, resident.Stop, resident.Restart} {
		keys = append(keys, "service.done_"+string(a))
	}
	for _, why := range []local.Sparing{local.SparingMetered, local.SparingPower} {
		keys = append(keys, "service.sparing_"+string(why))
	}
	for _, part := range local.Parts() {
		for _, state := range local.States() {
			// Other combinations do not occur.
			rare := state == local.Partly && part != local.PartCrash || state == local.Unknown && part != local.PartCollector
			if !rare && (part != local.PartSocket || state == local.Works || state == local.Fails) {
				keys = append(keys, "service.check_"+string(part)+"_"+string(state))
			}
		}
	}
	for _, s := range []resident.State{resident.StateMissing, resident.StateRunning, resident.StateStopped, resident.StateWaiting, resident.StateFailed} {
		keys = append(keys, "service.state_"+string(s))
	}
	return keys
}
