package web_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestWrongMethods: an existing address lists its methods; an unknown one
// is not found with any method.
func TestWrongMethods(t *testing.T) {
	g := newRig(t).login()
	for address, c := range map[string]struct {
		method string
		status int
		allow  string
	}{
		"/":                            {http.MethodPost, http.StatusMethodNotAllowed, "GET, HEAD"},
		"/login":                       {http.MethodDelete, http.StatusMethodNotAllowed, "GET, HEAD, POST"},
		"/logout":                      {http.MethodGet, http.StatusMethodNotAllowed, "POST"},
		"/participants":                {http.MethodGet, http.StatusMethodNotAllowed, "POST"},
		"/participants/x/block":        {http.MethodPut, http.StatusMethodNotAllowed, "POST"},
		"/participants/x/code/further": {http.MethodPost, http.StatusNotFound, ""},
		"/nothing":                     {http.MethodPost, http.StatusNotFound, ""},
	} {
		w := g.do(httptest.NewRequest(c.method, address, nil))
		if w.Code != c.status || w.Header().Get("Allow") != c.allow {
			t.Errorf("%s %s: got status %d, Allow %q; want %d, %q", c.method, address, w.Code, w.Header().Get("Allow"), c.status, c.allow)
		}
	}
}
