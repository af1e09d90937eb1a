package web

import (
	"errors"
	"net/http/httptest"
	"testing"
)

// TestWithoutBrowserCheck: a plain "go build" of the collector does not contain the program.
func TestWithoutBrowserCheck(t *testing.T) {
	s := &site{}
	if err := s.browserCheck(httptest.NewRecorder(), httptest.NewRequest("GET", "/check", nil)); !errors.Is(err, errNoBrowserCheck) {
		t.Errorf("got error %v, want %v", err, errNoBrowserCheck)
	}
}
