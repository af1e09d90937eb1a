// Package bbbrig simulates a BigBlueButton server 2.6, 2.7, 3.0 or 4.0 with real WebRTC
// media: bbb-web with its API, the Meteor server of the client up to 2.7,
// bbb-graphql-middleware from 3.0 on, bbb-webrtc-sfu with mediasoup, and the echo of
// FreeSWITCH; a real LiveKit runs behind its /livekit/. Its messages follow the sources
// and documents of these programs that docs/conference.md names. It implements only what
// a client of a test meeting needs.
package bbbrig

import (
	"crypto/x509"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// Step is a part of the server that can have a fault.
type Step string

// Parts, in the order in which a client uses them.
const (
	API        Step = "api"
	RoundTrip  Step = "round_trip"
	Create     Step = "create"
	Join       Step = "join"
	Meeting    Step = "meeting"
	Enter      Step = "enter" // the user of a session, up to 2.7
	State      Step = "state"
	Token      Step = "token"   // for LiveKit
	LiveKit    Step = "livekit" // the proxy to it
	Servers    Step = "servers"
	Signalling Step = "signalling"
	Call       Step = "call"
	Path       Step = "path"
	Keys       Step = "keys"
	Sound      Step = "sound"
)

// Fault is the fault of a part.
type Fault string

// Faults. Not every fault applies to every part.
const (
	Refuses     Fault = "refuses"     // responds with its own error
	Down        Fault = "down"        // 502 from nginx
	Hangs       Fault = "hangs"       // accepts the request and never responds
	HTML        Fault = "html"        // a web page instead of a response
	Huge        Fault = "huge"        // 1 GiB
	Garbage     Fault = "garbage"     // JSON with another structure
	Closes      Fault = "closes"      // closes the connection during the response
	Expired     Fault = "expired"     // the session is unknown
	Ended       Fault = "ended"       // the meeting has ended
	Full        Fault = "full"        // limit of participants or connections
	Guest       Fault = "guest"       // waits for a moderator
	Elsewhere   Fault = "elsewhere"   // redirects to another host
	Dead        Fault = "dead"        // a media address without a server
	WrongKey    Fault = "wrong_key"   // another certificate than announced
	Silent      Fault = "silent"      // the sound arrives and is not returned
	NotReceived Fault = "deaf"        // the sound does not arrive
	OtherSound  Fault = "other_sound" // something else is returned
	HangsUp     Fault = "hangs_up"    // ends the call early
	Muted       Fault = "muted"       // mutes the participant; LiveKit only
	Loops       Fault = "loops"       // redirects to itself
	Endless     Fault = "endless"     // responds slowly and never ends
	Stops       Fault = "stops"       // breaks off in the middle of the response
)

// Config configures the server.
type Config struct {
	// Version is 2.6, 2.7, 3.0 or 4.0; "" means 3.0.
	Version string
	// HideVersion makes the server report only the version of its API, as bbb-web does by
	// default.
	HideVersion bool
	// Bridge is the audio bridge; "" means the default of the version.
	Bridge string
	// Secret is the secret for checksums; "" means "secret".
	Secret string
	// Hash is the only algorithm that the server accepts: sha1, sha256, sha384 or
	// sha512; "" accepts all, as bbb-web does by default.
	Hash string
	// Room is the number of the voice conferences; "" means 73939.
	Room string
	// Stuns is the response of /stuns; "" means no servers.
	Stuns string
	// Faults are the faults of the parts.
	Faults map[Step]Fault
	// CloseCode is the code with which a WebSocket is closed at once by the fault Closes;
	// 0 means 1001, after the first message.
	CloseCode int
	// MuteOnStart and LockMicrophones are settings of the meetings.
	MuteOnStart, LockMicrophones bool
	// LiveKitURL is the address of LiveKit in the settings of the client; "" leaves it
	// out, so that the client uses the server itself.
	LiveKitURL string
	// ForceRelay and ForceRelayOnFirefox are settings of the client for the SFU, the other
	// two those for LiveKit.
	ForceRelay, ForceRelayOnFirefox               bool
	LiveKitForceRelay, LiveKitForceRelayOnFirefox bool
	// Answer changes the answer of a call to the echo; nil leaves it as it is.
	Answer func(sdp string) string
	// Place is where the server listens; nil means loopback.
	Place *Place
	// LossUp reports, by the sequence number of a packet, whether it is dropped before
	// the server receives it.
	LossUp func(number int) bool
	// LossDown does the same for returned packets, by their count.
	LossDown func(number int) bool
}

// Count counts the actions of clients. After all clients have left, Present, Calls,
// Sockets and Inside are 0.
type Count struct {
	Meetings int // current meetings
	Joins    int // joins through the API
	Present  int // current participants
	Calls    int // current calls
	Echoes   int // calls to the echo
	Rooms    int // calls into a conference room
	Digits   int // DTMF
	Sockets  int // open WebSockets
	Inside   int // current participants of LiveKit's rooms
	Tracks   int // sounds published to LiveKit
}

// Rig is one server.
type Rig struct {
	Config
	// URL is the address of the server, and Roots verify its Certificate.
	URL         string
	Roots       *x509.CertPool
	Certificate *x509.Certificate

	mu       sync.Mutex
	count    Count
	heard    int // bytes of sound
	sounded  int
	meetings map[string]*meeting // by the id chosen by the creator
	users    map[string]*user    // by session token
	sfus     map[*sfu]bool       // current connections to the SFU
	inside   map[string]bool     // current participants of LiveKit's rooms
	liveKit  *liveKitServer      // nil with another bridge
	server   *httptest.Server
	sockets  map[*websocket.Conn]bool // open ones, except those to LiveKit
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
	changed                  func() // notifies the client of a change; nil without a connection
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
	r := &Rig{Config: c, meetings: map[string]*meeting{}, users: map[string]*user{}, sfus: map[*sfu]bool{}, inside: map[string]bool{}, sockets: map[*websocket.Conn]bool{}}
	if c.Bridge == "livekit" {
		r.liveKit = startLiveKit(t, r)
	}
	s := httptest.NewUnstartedServer(r.handler())
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.EnableHTTP2 = true // as nginx
	c.Place.prepare(s)
	s.StartTLS()
	t.Cleanup(s.Close)
	t.Cleanup(s.CloseClientConnections)
	r.server = s
	r.URL, r.Roots, r.Certificate = c.Place.url(s), x509.NewCertPool(), s.Certificate()
	r.Roots.AddCert(s.Certificate())
	return r
}

// Count returns the actions of clients so far.
func (r *Rig) Count() Count {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.count
	c.Meetings, c.Inside = 0, len(r.inside)
	for _, m := range r.meetings {
		if !m.ended {
			c.Meetings++
		}
	}
	return c
}

// Sound returns the bytes of sound that were received and sent, with the headers of RTP.
func (r *Rig) Sound() (received, sent int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.heard, r.sounded
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
			switch {
			case r.fails(w, req, step):
			case r.Faults[step] == Closes && r.CloseCode != 0 && req.Header.Get("Upgrade") != "":
				closeSocket(w, req, r.CloseCode)
			default:
				h(w, req)
			}
		})
	}
	handle("/bigbluebutton/api", API, r.about)
	handle("/bigbluebutton/api/{$}", API, r.about)
	handle("/bigbluebutton/rtt-check", RoundTrip, roundTrip)
	handle("/bigbluebutton/api/create", Create, r.create)
	handle("/bigbluebutton/api/isMeetingRunning", API, r.running)
	handle("/bigbluebutton/api/join", Join, r.join)
	handle("/bigbluebutton/api/end", API, r.end)
	handle("/bigbluebutton/api/stuns", Servers, r.stuns)
	handle("/bbb-webrtc-sfu", Signalling, r.signalling)
	if r.isNew() {
		handle("/api/rest/meetingStaticData", Meeting, r.staticData)
		handle("/graphql", State, r.graphql)
	} else {
		handle("/bigbluebutton/api/enter", Enter, r.enter)
		handle("/html5client/sockjs/{server}/{session}/websocket", State, r.sockJS)
	}
	if r.liveKit != nil {
		handle("/livekit/", LiveKit, r.liveKit.pass)
	}
	return mux
}

// Break breaks all connections with clients and ends all calls, like a server that stops;
// later connections are refused.
func (r *Rig) Break() {
	_ = r.server.Listener.Close()
	r.server.CloseClientConnections()
	r.mu.Lock()
	open := slices.Collect(maps.Keys(r.sockets))
	r.mu.Unlock()
	for _, c := range open {
		_ = c.CloseNow()
	}
	if r.liveKit != nil {
		r.liveKit.kill()
		r.mu.Lock()
		clear(r.inside)
		r.mu.Unlock()
	}
}

// End ends all meetings, like a moderator.
func (r *Rig) End() {
	r.mu.Lock()
	var users []func()
	var rooms []string
	for _, m := range r.meetings {
		m.ended = true
		rooms = append(rooms, m.internal)
	}
	for _, u := range r.users {
		if u.changed != nil {
			users = append(users, u.changed)
		}
	}
	var sfus []*sfu
	for s := range r.sfus {
		sfus = append(sfus, s)
	}
	r.mu.Unlock()
	for _, tell := range users {
		tell()
	}
	// The SFU ends its sessions without a message.
	for _, s := range sfus {
		s.stop()
	}
	if r.liveKit != nil {
		for _, room := range rooms {
			r.liveKit.call("DeleteRoom", room, map[string]any{"room": room})
		}
	}
}

// fails responds according to the fault of a step, if the fault concerns the whole
// request.
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
	case Loops:
		http.Redirect(w, req, req.URL.RequestURI(), http.StatusFound)
	case Endless:
		for req.Context().Err() == nil {
			_, _ = w.Write([]byte(" "))
			_ = http.NewResponseController(w).Flush()
			select {
			case <-req.Context().Done():
			case <-time.After(20 * time.Millisecond):
			}
		}
	case Stops:
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte(`<response><returncode>SUCC`))
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
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
