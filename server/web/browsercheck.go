package web

import (
	"errors"
	"net/http"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/web/browser"
)

// checkProgram is the name of the program of the browser check among the assets.
const checkProgram = "tonprobe-browser.wasm"

// checkPage is the content of the browser check. The measurement and its result are the work of
// scripts: the sound never leaves the participant's device.
type checkPage struct {
	Version          string
	Program, Runtime string // addresses
	Worklet, Worker  string
}

// errNoBrowserCheck means that this collector was built without the browser check.
var errNoBrowserCheck = errors.New("built without the browser check")

// offersCheck reports whether this collector was built with the browser check.
func (s *site) offersCheck() bool { _, ok := s.assets[checkProgram]; return ok }

// browserCheck is the check in a browser. Like setup, it needs no account: the code of an invitation
// is in the fragment of its address, and a script enrols the browser with it as a program would.
func (s *site) browserCheck(w http.ResponseWriter, r *http.Request) error {
	if !s.offersCheck() {
		return errNoBrowserCheck
	}
	w.Header().Set("Content-Security-Policy", checkPolicy)
	w.Header().Set("Permissions-Policy", permissions+", microphone=(self)")
	s.show(w, r, page{Name: "browsercheck", Body: checkPage{
		Version: s.Version, Program: s.assets.Address(checkProgram), Runtime: s.assets.Address(browser.RuntimeFile),
		Worklet: s.assets.Address("check-worklet.js"), Worker: s.assets.Address("check-worker.js"),
	}})
	return nil
}

// inBrowser reports whether an agent is a browser.
func inBrowser(arch string) bool { return arch == wire.BrowserArch }
