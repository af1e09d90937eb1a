package alert

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/server/outbound"
)

// receiver answers requests with the given statuses, the last one from then on.
type receiver struct {
	*httptest.Server
	mu       sync.Mutex
	statuses []int
	requests []*http.Request
	bodies   []string
}

func receive(t *testing.T, statuses ...int) *receiver {
	t.Helper()
	r := &receiver{statuses: statuses}
	r.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		b, _ := io.ReadAll(q.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.requests, r.bodies = append(r.requests, q), append(r.bodies, string(b))
		status := r.statuses[0]
		if len(r.statuses) > 1 {
			r.statuses = r.statuses[1:]
		}
		if status == http.StatusFound {
			w.Header().Set("Location", "https://127.0.0.1:1/inside")
		}
		if status == http.StatusTooManyRequests {
			w.Header().Set("Retry-After", "90")
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) trusted() *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(r.Certificate())
	return &tls.Config{RootCAs: pool}
}

func sender(trusted *tls.Config, waits *[]time.Duration) Sender {
	return Sender{Now: func() time.Time { return evening }, Random: func() float64 { return 0 }, TLS: trusted,
		Sleep: func(ctx context.Context, d time.Duration) error { *waits = append(*waits, d); return ctx.Err() }}
}

var message = Message{Title: "Rat, 18:00 Uhr: 5 von 60 sind nicht bereit", Text: "Öffnen Sie die Liste.", At: evening, Rule: "many", When: ManyRed, Link: "https://tonprobe.example.org"}

func TestWebhookIsSignedAndRepeated(t *testing.T) {
	r := receive(t, http.StatusInternalServerError, http.StatusTooManyRequests, http.StatusNoContent)
	var waits []time.Duration
	c := Channel{Name: "office", Kind: KindWebhook, URL: r.URL + "/hook", AllowPrivate: true, secret: "0123456789abcdef"}
	if err := sender(r.trusted(), &waits).Send(t.Context(), c, message); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(waits) != "[2s 1m30s]" {
		t.Errorf("waited %v, want 2 s, and then as long as the server says", waits)
	}
	// The result of: printf 1796144400.BODY | openssl dgst -sha256 -hmac 0123456789abcdef
	const want = "t=1796144400,v1=f30df6db0aa463a12ccade9003037a4de0132fd6e5d45a9a8d827d5c50b60186"
	if got := r.requests[2].Header.Get(HeaderSignature); got != want {
		t.Errorf("got signature %q of %s, want %q", got, r.bodies[2], want)
	}
	var body webhookBody
	if err := json.Unmarshal([]byte(r.bodies[2]), &body); err != nil || body.Title != message.Title || body.When != ManyRed || body.Schema != "tonprobe.alert/v1" {
		t.Errorf("got %s, error %v; want the message with its rule and schema", r.bodies[2], err)
	}
}

// TestSignature compares with the result of: printf '1796144400.{}' | openssl dgst -sha256 -hmac key
func TestSignature(t *testing.T) {
	const want = "t=1796144400,v1=93cec5ea70597a774d894e9e7640cff3c26de1dc4db90139beb28ede03bbe437"
	if got := Sign("key", evening, []byte("{}")); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if Sign("key", evening, []byte("{}")) == Sign("key", evening.Add(time.Second), []byte("{}")) || Sign("key", evening, []byte("{}")) == Sign("other", evening, []byte("{}")) {
		t.Error("the signature does not depend on the time and the key")
	}
}

func TestSendingGivesUp(t *testing.T) {
	for status, attempts := range map[int]int{http.StatusBadGateway: 4, http.StatusNotFound: 1, http.StatusUnauthorized: 1, http.StatusFound: 1} {
		r := receive(t, status)
		var waits []time.Duration
		c := Channel{Name: "office", Kind: KindWebhook, URL: r.URL + "/hook?key=geheim", AllowPrivate: true, secret: "0123456789abcdef"}
		err := sender(r.trusted(), &waits).Send(t.Context(), c, message)
		if err == nil || len(r.requests) != attempts {
			t.Errorf("%d: got error %v after %d attempts, want %d", status, err, len(r.requests), attempts)
		}
		if err != nil && strings.Contains(err.Error(), "geheim") {
			t.Errorf("%d: the error contains the address: %v", status, err)
		}
	}
	var waits []time.Duration
	c := Channel{Name: "office", Kind: KindWebhook, URL: "https://127.0.0.1:1/hook?key=geheim", AllowPrivate: true, secret: "0123456789abcdef"}
	if err := sender(nil, &waits).Send(t.Context(), c, message); err == nil || len(waits) != 3 || strings.Contains(err.Error(), "geheim") {
		t.Errorf("nobody answers: got error %v after %d pauses; want an error without the address after 3", err, len(waits))
	}
}

func TestPrivateAddressesAreRefused(t *testing.T) {
	r := receive(t, http.StatusOK)
	for _, kind := range []string{KindWebhook, KindNtfy} {
		for _, address := range []string{r.URL, strings.Replace(r.URL, "127.0.0.1", "localhost", 1), strings.Replace(r.URL, "127.0.0.1", "ｌｏｃａｌｈｏｓｔ", 1), "https://169.254.169.254/latest", "https://[::1]:1/", "https://10.0.0.1/"} {
			var waits []time.Duration
			err := sender(r.trusted(), &waits).Send(t.Context(), Channel{Name: "x", Kind: kind, URL: address, secret: "0123456789abcdef"}, message)
			if !errors.Is(err, outbound.ErrPrivate) || len(waits) != 0 {
				t.Errorf("%s to %s: got error %v after %d pauses, want %v at once", kind, address, err, len(waits), outbound.ErrPrivate)
			}
		}
	}
	if len(r.requests) > 0 {
		t.Errorf("got %d requests, want none", len(r.requests))
	}
}

func TestNtfy(t *testing.T) {
	r := receive(t, http.StatusOK)
	var waits []time.Duration
	c := Channel{Name: "phone", Kind: KindNtfy, URL: r.URL + "/desk", AllowPrivate: true, secret: "tk_x"}
	if err := sender(r.trusted(), &waits).Send(t.Context(), c, message); err != nil {
		t.Fatal(err)
	}
	h := r.requests[0].Header
	title, err := new(mime.WordDecoder).DecodeHeader(h.Get("Title"))
	if err != nil || title != message.Title || r.bodies[0] != message.Text || h.Get("Authorization") != "Bearer tk_x" || h.Get("Priority") != "high" || h.Get("Click") != message.Link {
		t.Errorf("got title %q, body %q, headers %v; want message %+v with the token, the priority and the link", title, r.bodies[0], h, message)
	}
}

// mailServer is a mail server. Without a certificate it offers no STARTTLS.
type mailServer struct {
	address string
	got     chan string // the sessions: commands, then the message
}

// serveMail starts a mail server. answer returns its own answers to commands: "" for the usual one, and
// hangUp to close the connection; it may be nil.
func serveMail(t *testing.T, certificate *tls.Config, answer func(command string) string) mailServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	s := mailServer{l.Addr().String(), make(chan string, 10)}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.got <- talk(c, certificate, answer)
		}
	}()
	return s
}

// hangUp is an answer of serveMail.
const hangUp = "hang up"

// talk is one session of a mail server. It returns what the client has sent.
func talk(c net.Conn, certificate *tls.Config, answer func(command string) string) string {
	defer func() { _ = c.Close() }()
	var all strings.Builder
	in, secure := bufio.NewReader(c), false
	say := func(lines ...string) { _, _ = io.WriteString(c, strings.Join(lines, "\r\n")+"\r\n") }
	say("220 mail.example.org")
	for data := false; ; {
		line, err := in.ReadString('\n')
		if err != nil {
			return all.String()
		}
		all.WriteString(line)
		word, own := strings.ToUpper(strings.TrimSpace(line)), ""
		if answer != nil && !data {
			own = answer(word)
		}
		switch {
		case own == hangUp:
			return all.String()
		case own != "":
			say(own)
		case data && word == ".":
			data = false
			say("250 ok")
		case data:
		case strings.HasPrefix(word, "EHLO") && certificate != nil && !secure:
			say("250-mail.example.org", "250 STARTTLS")
		case strings.HasPrefix(word, "EHLO"):
			say("250-mail.example.org", "250 AUTH PLAIN")
		case word == "STARTTLS":
			say("220 go")
			t := tls.Server(c, certificate)
			if t.Handshake() != nil {
				return all.String()
			}
			c, in, secure = t, bufio.NewReader(t), true
			all.WriteString("(encrypted)\n")
		case strings.HasPrefix(word, "AUTH"):
			say("235 ok")
		case word == "DATA":
			data = true
			say("354 go")
		case word == "QUIT":
			say("221 bye")
		default:
			say("250 ok")
		}
	}
}

func TestEmail(t *testing.T) {
	r := receive(t, http.StatusOK)
	s := serveMail(t, &tls.Config{Certificates: r.TLS.Certificates}, nil)
	var waits []time.Duration
	c := Channel{Name: "desk", Kind: KindEmail, Host: s.address, From: "Tonprobe <tonprobe@example.org>", To: []string{"it@example.org", "desk@example.org"}, User: "tonprobe", secret: "geheim"}
	if err := sender(r.trusted(), &waits).Send(t.Context(), c, message); err != nil {
		t.Fatal(err)
	}
	got := <-s.got
	plain, after, _ := strings.Cut(got, "(encrypted)")
	if strings.Contains(plain, "AUTH") || !strings.Contains(after, base64.StdEncoding.EncodeToString([]byte("\x00tonprobe\x00geheim"))) || strings.Count(after, "RCPT TO:") != 2 {
		t.Errorf("got session %q, want the password after STARTTLS only and two recipients", got)
	}
	_, document, _ := strings.Cut(after, "DATA\r\n")
	document, _, _ = strings.Cut(document, "\r\n.\r\n")
	m, err := mail.ReadMessage(strings.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || subject != "Tonprobe: "+message.Title || m.Header.Get("Date") == "" || m.Header.Get("Message-Id") == "" {
		t.Errorf("got subject %q, headers %v, error %v; want %q, Date and Message-Id", subject, m.Header, err, "Tonprobe: "+message.Title)
	}
}

// TestOneRecipientIsRefused: the others get the mail, and get it once.
func TestOneRecipientIsRefused(t *testing.T) {
	s := serveMail(t, nil, func(command string) string {
		if strings.HasPrefix(command, "RCPT TO:<LEFT@") {
			return "450 4.2.1 try again"
		}
		return ""
	})
	var waits []time.Duration
	c := Channel{Name: "desk", Kind: KindEmail, Host: s.address, From: "tonprobe@example.org", To: []string{"it@example.org", "left@example.org", "desk@example.org"}}
	err := sender(nil, &waits).Send(t.Context(), c, message)
	if err == nil || !strings.Contains(err.Error(), "left@example.org") || len(waits) != 4 {
		t.Errorf("got error %v after %d pauses; want one that names the recipient, after 4", err, len(waits))
	}
	if first := <-s.got; strings.Contains(first, "DATA\r\n") || strings.Count(first, "RCPT TO:") != 3 {
		t.Errorf("got session %q, want all recipients in one mail first", first)
	}
	all := ""
	for range len(waits) + 1 {
		all += <-s.got
	}
	// The attempt that reached the two others does not count.
	if strings.Count(all, "RCPT TO:<it@") != 1 || strings.Count(all, "RCPT TO:<desk@") != 1 || strings.Count(all, "RCPT TO:<left@") != 5 || strings.Count(all, "DATA\r\n") != 2 {
		t.Errorf("got sessions %q", all)
	}
}

// TestManyRecipientsGetOneMail: a server that needs seconds for a mail is in time.
func TestManyRecipientsGetOneMail(t *testing.T) {
	s := serveMail(t, nil, nil)
	var waits []time.Duration
	c := Channel{Name: "desk", Kind: KindEmail, Host: s.address, From: "tonprobe@example.org"}
	for n := range 50 {
		c.To = append(c.To, fmt.Sprintf("p%d@example.org", n))
	}
	if err := sender(nil, &waits).Send(t.Context(), c, message); err != nil {
		t.Fatal(err)
	}
	if got := <-s.got; strings.Count(got, "RCPT TO:") != 50 || strings.Count(got, "DATA\r\n") != 1 {
		t.Errorf("got session %q, want one mail to 50 recipients", got)
	}
}

// TestServerHangsUp: a mail that the server has accepted is not sent again.
func TestServerHangsUp(t *testing.T) {
	for _, command := range []string{"RSET", "QUIT"} {
		s := serveMail(t, nil, func(got string) string {
			if got == command {
				return hangUp
			}
			return ""
		})
		var waits []time.Duration
		c := Channel{Name: "desk", Kind: KindEmail, Host: s.address, From: "tonprobe@example.org", To: []string{"it@example.org"}}
		if err := sender(nil, &waits).Send(t.Context(), c, message); err != nil || len(waits) > 0 {
			t.Errorf("at %s: got error %v, and %d further attempts", command, err, len(waits))
		}
	}
}

// TestWithoutPasswordIsRepeated: no account can be locked, so a server that refuses the connection
// is asked again.
func TestWithoutPasswordIsRepeated(t *testing.T) {
	s := serveMail(t, nil, func(command string) string {
		if strings.HasPrefix(command, "EHLO") || strings.HasPrefix(command, "HELO") {
			return "554 5.3.2 maintenance"
		}
		return ""
	})
	var waits []time.Duration
	c := Channel{Name: "desk", Kind: KindEmail, Host: s.address, From: "tonprobe@example.org", To: []string{"it@example.org"}}
	err := sender(nil, &waits).Send(t.Context(), c, message)
	if err == nil || errors.Is(err, ErrLoginRefused) || len(waits) != 3 {
		t.Errorf("got error %v after %d attempts, want 4", err, len(waits)+1)
	}
}

// TestAWrongPasswordIsSentOnce: mail servers lock an account after a few wrong passwords.
func TestAWrongPasswordIsSentOnce(t *testing.T) {
	r := receive(t, http.StatusOK)
	for code, want := range map[string]struct {
		attempts     int
		loginRefused bool
	}{
		"535 5.7.8 no":    {1, true},
		"534 5.7.9 no":    {1, true},
		"550 5.7.1 no":    {1, true},
		"454 4.7.0 later": {4, false},
	} {
		s := serveMail(t, &tls.Config{Certificates: r.TLS.Certificates}, func(command string) string {
			if strings.HasPrefix(command, "AUTH") {
				return code
			}
			return ""
		})
		var waits []time.Duration
		c := Channel{Name: "desk", Kind: KindEmail, Host: s.address, From: "tonprobe@example.org", To: []string{"it@example.org", "desk@example.org"}, User: "tonprobe", secret: "falsch"}
		err := sender(r.trusted(), &waits).Send(t.Context(), c, message)
		if err == nil || errors.Is(err, ErrLoginRefused) != want.loginRefused || len(waits) != want.attempts-1 {
			t.Errorf("%s: got error %v after %d attempts, want %d", code, err, len(waits)+1, want.attempts)
		}
		if err != nil && (!strings.Contains(err.Error(), code[:3]) || strings.Contains(err.Error(), "falsch")) {
			t.Errorf("%s: got error %v, want one with the answer and without the password", code, err)
		}
		for range want.attempts {
			if got := <-s.got; strings.Count(got, "AUTH") != 1 {
				t.Errorf("%s: got session %q, want the password once", code, got)
			}
		}
	}
}

// TestNoPasswordWithoutEncryption: a server that offers no encryption gets neither password nor
// message.
func TestNoPasswordWithoutEncryption(t *testing.T) {
	s := serveMail(t, nil, nil)
	var waits []time.Duration
	c := Channel{Name: "desk", Kind: KindEmail, Host: s.address, From: "tonprobe@example.org", To: []string{"it@example.org"}, User: "tonprobe", secret: "geheim"}
	if err := sender(nil, &waits).Once(t.Context(), c, message); err == nil {
		t.Error("got no error")
	}
	if got := <-s.got; strings.Contains(got, "AUTH") || strings.Contains(got, "DATA") {
		t.Errorf("got session %q, want neither password nor message", got)
	}
	// The mail server of the same machine needs no encryption if there is no password.
	s = serveMail(t, nil, nil)
	c.Host, c.User, c.secret = s.address, "", ""
	if err := sender(nil, &waits).Once(t.Context(), c, message); err != nil {
		t.Error(err)
	}
	// A certificate of somebody else is refused.
	r := receive(t, http.StatusOK)
	s = serveMail(t, &tls.Config{Certificates: r.TLS.Certificates}, nil)
	c.Host, c.User, c.secret = s.address, "tonprobe", "geheim"
	if err := sender(nil, &waits).Once(t.Context(), c, message); err == nil || strings.Contains(<-s.got, "AUTH") {
		t.Errorf("got error %v, want one, and no password sent", err)
	}
}
