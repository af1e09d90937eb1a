package peer

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pion/transport/v4/stdnet"

	"github.com/tonprobe/tonprobe/probe"
)

// TestBounded: the number of addresses taken from a description is limited.
func TestBounded(t *testing.T) {
	line := "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n"
	got, err := new(Connection).bounded("v=0\r\n" + strings.Repeat(line, 1000) + "a=end-of-candidates\r\n")
	if err != nil || strings.Count(got, line) != maxCandidates || !strings.HasPrefix(got, "v=0\r\n") || !strings.HasSuffix(got, "a=end-of-candidates\r\n") {
		t.Errorf("got %d addresses, error %v", strings.Count(got, line), err)
	}
	for name, sdp := range map[string]string{"a huge description": strings.Repeat("a=x\r\n", 20000), "a leading CR": "v=0\r\n\r" + line, "a CR as a line end": "t=0 0\r" + line} {
		if _, err := new(Connection).bounded(sdp); !errors.Is(err, ErrAnswer) {
			t.Errorf("%s: got error %v, want %v", name, err, ErrAnswer)
		}
	}
}

// stopped is a clock whose sleeps end only with their context.
type stopped struct{ probe.SystemClock }

func (stopped) Sleep(ctx context.Context, _ time.Duration) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestCandidatesAreBounded: the limit applies to a connection, however the server names its
// addresses. Those for TCP are counted here while they are held back.
func TestCandidatesAreBounded(t *testing.T) {
	n, err := stdnet.NewNet()
	if err != nil {
		t.Fatal(err)
	}
	env := probe.Env{Clock: stopped{}, Net: n, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler), Progress: func(probe.Event) {}}
	c, err := Open(env, Config{Server: &url.URL{Scheme: "https", Host: "localhost"}, Listen: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const tcp = "candidate:1 1 tcp 1 127.0.0.1 9 typ host tcptype passive"
	offer := strings.ReplaceAll(answer, "setup:passive", "setup:actpass") + strings.Repeat("a="+tcp+"\r\n", 12)
	for range 2 {
		if _, err := c.Accept(t.Context(), offer); err != nil {
			t.Fatal(err)
		}
	}
	for range 100 {
		c.Candidate(tcp)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	// Each offer also contains one for UDP.
	if want := maxCandidates - 2; len(c.held) != want {
		t.Errorf("got %d addresses, want %d", len(c.held), want)
	}
}

const answer = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\na=ice-lite\r\n" +
	"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendrecv\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n" +
	"a=ice-ufrag:abcdefgh\r\na=ice-pwd:abcdefghabcdefghabcdefgh\r\na=setup:passive\r\n" +
	"a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n" +
	"a=ssrc:1 cname:x\r\na=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\n"

// FuzzDescriptions: any answer or offer of a server is either applied or refused.
func FuzzDescriptions(f *testing.F) {
	f.Add(answer)
	f.Add(strings.ReplaceAll(answer, "audio", "video"))
	f.Add(strings.ReplaceAll(answer, "setup:passive", "setup:actpass"))
	f.Add(strings.Repeat("m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n", 20))
	f.Add("v=0\r\n")
	f.Add("")
	n, err := stdnet.NewNet()
	if err != nil {
		f.Fatal(err)
	}
	env := probe.Env{Clock: probe.SystemClock{}, Net: n, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler), Progress: func(probe.Event) {}}
	at := &url.URL{Scheme: "https", Host: "localhost"}
	f.Fuzz(func(t *testing.T, sdp string) {
		speaks, err := Open(env, Config{Server: at})
		if err != nil {
			t.Fatal(err)
		}
		defer speaks.Close()
		if _, err := speaks.Offer(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := speaks.Answer(sdp); err != nil && !errors.Is(err, ErrAnswer) {
			t.Errorf("answer: got error %v", err)
		}
		listens, err := Open(env, Config{Server: at, Listen: true})
		if err != nil {
			t.Fatal(err)
		}
		defer listens.Close()
		if _, err := listens.Accept(t.Context(), sdp); err != nil && !errors.Is(err, ErrAnswer) && !strings.Contains(err.Error(), "local description") {
			t.Errorf("offer: got error %v", err)
		}
	})
}
