// Package bbbrig is a stand-in for a BigBlueButton server 2.7, 3.0 or 4.0 with real
// WebRTC media: bbb-web with its interface, bbb-graphql-middleware, bbb-webrtc-sfu with
// mediasoup, and the echo of FreeSWITCH. Its messages are those of the sources and
// documents of these programs as docs/conference.md names them. It speaks no more than a
// client needs that calls the echo.
package bbbrig

import (
	"crypto/x509"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Step is a part of the server that may be at fault.
type Step string

// The parts, in the order in which a client meets them.
const (
	API        Step = "api"
	RoundTrip  Step = "round_trip"
	Create     Step = "create"
	Join       Step = "join"
	Meeting    Step = "meeting"
	State      Step = "state"
	Servers    Step = "servers"
	Signalling Step = "signalling"
	Call       Step = "call"
	Path       Step = "path"
	Keys       Step = "keys"
	Sound      Step = "sound"
)

// Fault is what a part does wrong.
type Fault string

// The faults. Not each makes sense for each part.
const (
	Refuses    Fault = "refuses"     // with its own error
	Down       Fault = "down"        // 502 of nginx
	Hangs      Fault = "hangs"       // takes the request and never answers
	HTML       Fault = "html"        // a page in place of an answer
	Huge       Fault = "huge"        // 1 GiB
	Garbage    Fault = "garbage"     // JSON of another shape
	Closes     Fault = "closes"      // ends the connection in the middle
	Expired    Fault = "expired"     // the session is unknown
	Ended      Fault = "ended"       // the meeting has ended
	Full       Fault = "full"        // limit of participants or connections
	Guest      Fault = "guest"       // waits for a moderator
	Elsewhere  Fault = "elsewhere"   // redirects to another host
	Dead       Fault = "dead"        // a media address that nobody serves
	WrongKey   Fault = "wrong_key"   // another certificate than announced
	Silent     Fault = "silent"      // the sound arrives and is not returned
	Deaf       Fault = "deaf"        // it does not even arrive
	OtherSound Fault = "other_sound" // something else is returned
	HangsUp    Fault = "hangs_up"    // ends the call in the middle
)

// Config is what kind of server it is.
type Config struct {
	// Version is 2.7, 3.0 or 4.0; "" means 3.0.
	Version string
	// Bridge carries the sound; "" means the default of the version.
	Bridge string
	// Secret signs the calls of the interface; "" means "secret".
	Secret string
	// Hash is the only one that the server takes: sha1, sha256, sha384 or sha512; ""
	// takes each, as the default of bbb-web.
	Hash string
	// Room is the number of the voice conferences; "" means 73939.
	Room string
	// Stuns is the answer of /stuns; "" lists no server.
	Stuns string
	// Faults are what goes wrong.
	Faults map[Step]Fault
	// LossUp drops each packet of the sound whose number it reports, before the server
	// receives it.
	LossUp func(number int) bool
	// LossDown drops returned packets.
	LossDown func(number int) bool
}

// Count is what clients did. The rig is left clean when Present and Calls are 0.
type Count struct {
	Meetings int // that exist
	Joins    int // of the interface
	Present  int // participants at the moment
	Calls    int // at the moment
	Echoes   int // calls to the echo
	Rooms    int // calls into a conference room
	Digits   int // DTMF
	Sockets  int // open WebSockets
}

// Rig is one server.
type Rig struct {
	Config
	// URL is its address, and Roots what its Certificate is checked against.
	URL         string
	Roots       *x509.CertPool
	Certificate *x509.Certificate

	mu       sync.Mutex
	count    Count
	meetings map[string]*meeting // by the id of whoever created it
	users    map[string]*user    // by session token
}

// meeting is a meeting of bbb-web.
type meeting struct {
	id, internal, viewerPW, moderatorPW string
	created                             int64
	ended                               bool
}

// user is a participant.
type user struct {
	meeting                  *meeting
	id, auth, session, token string
	name                     string
	connections              int
	joined, left             bool
}

// Start runs a server until the test ends.
func Start(t testing.TB, c Config) *Rig {
	t.Helper()
	if c.Version == "" {
		c.Version = "3.0"
	}
	if c.Secret == "" {
		c.Secret = "secret"
	}
	if c.Room == "" {
		c.Room = "73939"
	}
	if c.Bridge == "" {
		c.Bridge = "bbb-webrtc-sfu"
		if c.Version == "4.0" {
			c.Bridge = "livekit"
		}
	}
	r := &Rig{Config: c, meetings: map[string]*meeting{}, users: map[string]*user{}}
	s := httptest.NewUnstartedServer(r.handler())
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.EnableHTTP2 = true // as nginx
	s.StartTLS()
	t.Cleanup(s.Close)
	t.Cleanup(s.CloseClientConnections)
	r.URL, r.Roots, r.Certificate = s.URL, x509.NewCertPool(), s.Certificate()
	r.Roots.AddCert(s.Certificate())
	return r
}

// Count returns what clients did until now.
func (r *Rig) Count() Count {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.count
	c.Meetings = 0
	for _, m := range r.meetings {
		if !m.ended {
			c.Meetings++
		}
	}
	return c
}

func (r *Rig) add(change func(*Count)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.count)
}

// isNew reports whether the version has GraphQL.
func (r *Rig) isNew() bool { return !strings.HasPrefix(r.Version, "2.") }

func (r *Rig) handler() http.Handler {
	mux := http.NewServeMux()
	handle := func(path string, step Step, h http.HandlerFunc) {
		mux.HandleFunc(path, func(w http.ResponseWriter, req *http.Request) {
			if !r.fails(w, req, step) {
				h(w, req)
			}
		})
	}
	handle("/bigbluebutton/api", API, r.about)
	handle("/bigbluebutton/api/{$}", API, r.about)
	handle("/bigbluebutton/rtt-check", RoundTrip, roundTrip)
	handle("/bigbluebutton/api/create", Create, r.create)
	handle("/bigbluebutton/api/join", Join, r.join)
	handle("/bigbluebutton/api/end", API, r.end)
	handle("/bigbluebutton/api/stuns", Servers, r.stuns)
	handle("/bbb-webrtc-sfu", Signalling, r.signalling)
	if r.isNew() {
		handle("/api/rest/meetingStaticData", Meeting, r.staticData)
		handle("/graphql", State, r.graphql)
	}
	return mux
}

// fails answers a request as the fault of a step wants it, if the whole request is at
// fault.
func (r *Rig) fails(w http.ResponseWriter, req *http.Request, step Step) bool {
	switch r.Faults[step] {
	case Down:
		w.WriteHeader(http.StatusBadGateway)
		_, _ = w.Write([]byte("<html><head><title>502 Bad Gateway</title></head></html>"))
	case Hangs:
		<-req.Context().Done()
	case HTML:
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!doctype html><html><body>Wartungsarbeiten</body></html>"))
	case Garbage:
		_, _ = w.Write([]byte(`[{"response":7}]`))
	case Elsewhere:
		http.Redirect(w, req, "https://login.example.org/", http.StatusFound)
	case Huge:
		chunk := slices.Repeat([]byte(" "), 1<<20)
		for range 1 << 10 {
			if _, err := w.Write(chunk); err != nil {
				return true
			}
		}
	default:
		return false
	}
	return true
}
