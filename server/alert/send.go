package alert

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/tonprobe/tonprobe/server/outbound"
)

// HeaderSignature is the header with the signature of a webhook. Its value is t=SECONDS,v1=HEX: the
// time, and HMAC-SHA-256 of "SECONDS.BODY" with the secret. With it a receiver can refuse messages
// that are forged or old.
const HeaderSignature = "Tonprobe-Signature"

// sendTimeout limits one attempt. One with a mail for each recipient has mailTimeout more for each
// further recipient: some servers need seconds for a mail.
const (
	sendTimeout = 15 * time.Second
	mailTimeout = 3 * time.Second
)

// pauses are the times between the attempts.
func pauses() []time.Duration { return []time.Duration{2 * time.Second, 15 * time.Second, time.Minute} }

// longestRetryAfter limits what a server may demand.
const longestRetryAfter = 2 * time.Minute

// Sender sends messages.
type Sender struct {
	Now   func() time.Time
	Sleep func(ctx context.Context, d time.Duration) error
	// Random returns numbers from 0 to 1, which spread the retries of several collectors.
	Random func() float64
	// TLS is the configuration of connections; nil means the system's trusted certificates.
	TLS *tls.Config
}

// refusal is an answer that another attempt would not change.
type refusal struct{ error }

// Unwrap returns the answer itself.
func (r refusal) Unwrap() error { return r.error }

// ErrLoginRefused means that a mail server refuses a collector with a user name for good before the first
// mail. The usual reason is a wrong password.
var ErrLoginRefused = errors.New("the mail server refuses the collector")

// later is an answer that states the time of the next attempt.
type later struct {
	error
	after time.Duration
}

// partial is an error after which a mail has reached some of its recipients.
type partial struct {
	error
	rest []string // recipients whom it has not reached
}

// Send sends a message, with several attempts. One that has reached some of the recipients does not
// count, since the next one is for the others only.
func (s Sender) Send(ctx context.Context, c Channel, m Message) error {
	waits := pauses()
	for n := 0; ; {
		err := s.Once(ctx, c, m)
		p, some := errors.AsType[partial](err)
		if _, refused := errors.AsType[refusal](err); err == nil || refused || n == len(waits) && !some || ctx.Err() != nil {
			return err
		}
		next := waits[min(n, len(waits)-1)]
		if some {
			c.To = p.rest
		} else {
			n++
		}
		wait := next + time.Duration(s.Random()*float64(next)/2)
		if l, ok := errors.AsType[later](err); ok {
			wait = max(wait, min(l.after, longestRetryAfter))
		}
		if err := s.Sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// Once sends a message with one attempt.
func (s Sender) Once(ctx context.Context, c Channel, m Message) error {
	var send func(context.Context, Channel, Message) error
	switch c.Kind {
	case KindWebhook:
		send = s.webhook
	case KindNtfy:
		send = s.ntfy
	default:
		send = s.email
	}
	err := within(ctx, sendTimeout, func(ctx context.Context) error { return send(ctx, c, m) })
	if e, ok := errors.AsType[*mail.SendError](err); ok && e.Reason == mail.ErrSMTPRcptTo && len(c.To) > 1 && ctx.Err() == nil {
		err = s.each(ctx, c, m)
	}
	if err != nil {
		return fmt.Errorf("alert to %s: %w", c.Name, err)
	}
	return nil
}

// webhookBody is the document of a webhook.
type webhookBody struct {
	Schema string    `json:"schema"` // tonprobe.alert/v1
	Rule   string    `json:"rule"`
	When   Condition `json:"when"`
	Over   bool      `json:"over"`
	Title  string    `json:"title"`
	Text   string    `json:"text"`
	At     time.Time `json:"at"`
	Link   string    `json:"link"`
}

func (s Sender) webhook(ctx context.Context, c Channel, m Message) error {
	body, err := json.Marshal(webhookBody{"tonprobe.alert/v1", m.Rule, m.When, m.Over, m.Title, m.Text, m.At.UTC(), m.Link})
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(HeaderSignature, Sign(c.secret, s.Now(), body))
	return s.do(r, c)
}

// Sign returns the signature of a webhook's body.
func Sign(secret string, at time.Time, body []byte) string {
	seconds := strconv.FormatInt(at.Unix(), 10)
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(seconds + "."))
	h.Write(body)
	return "t=" + seconds + ",v1=" + hex.EncodeToString(h.Sum(nil))
}

func (s Sender) ntfy(ctx context.Context, c Channel, m Message) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, strings.NewReader(m.Text))
	if err != nil {
		return err
	}
	r.Header.Set("Title", mime.BEncoding.Encode("utf-8", m.Title))
	r.Header.Set("Tags", "warning")
	if m.Over {
		r.Header.Set("Tags", "white_check_mark")
	} else {
		r.Header.Set("Priority", "high")
	}
	if m.Link != "" {
		r.Header.Set("Click", m.Link)
	}
	if c.secret != "" {
		r.Header.Set("Authorization", "Bearer "+c.secret)
	}
	return s.do(r, c)
}

// do sends a request. Redirects are not followed: they could lead into the town's own network.
func (s Sender) do(r *http.Request, c Channel) error {
	d := net.Dialer{Timeout: sendTimeout}
	if proxy, err := http.ProxyFromEnvironment(r); proxy == nil && err == nil && !c.AllowPrivate { // a proxy may be in a private network
		d.Control = outbound.RefusePrivate
	}
	t := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: s.TLS, DisableKeepAlives: true, ResponseHeaderTimeout: sendTimeout, MaxResponseHeaderBytes: 1 << 16, DialContext: d.DialContext}
	client := &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r.Header.Set("User-Agent", "tonprobe-collector")
	resp, err := client.Do(r)
	if err != nil {
		if errors.Is(err, outbound.ErrPrivate) {
			return refusal{fmt.Errorf("%w: if this is your own server, set allow_private", withoutAddress(err))}
		}
		return withoutAddress(err)
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	err = fmt.Errorf("the server answers %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	switch code := resp.StatusCode; {
	case code >= 200 && code < 300:
		return nil
	case code >= 300 && code < 400:
		return refusal{fmt.Errorf("%w: redirects are not followed, give the final address", err)}
	case code == http.StatusTooManyRequests, code == http.StatusServiceUnavailable:
		seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
		return later{err, time.Duration(min(max(seconds, 0), 3600)) * time.Second}
	case code >= 500:
		return err
	}
	return refusal{err}
}

// withoutAddress removes the address from the error of a request: the address of a webhook or of a
// topic is often a secret.
func withoutAddress(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// email sends one mail to all recipients. If the server refuses one of them, nobody gets the mail.
func (s Sender) email(ctx context.Context, c Channel, m Message) error {
	one, err := mailTo(c.From, c.To, m)
	if err != nil {
		return refusal{err}
	}
	err = s.deliver(ctx, c, sendTimeout, one)
	if one.IsDelivered() { // an error is one of the end of the connection
		return nil
	}
	return err
}

// each sends a mail to each recipient. The server has refused one of them, or was slow to accept them.
func (s Sender) each(ctx context.Context, c Channel, m Message) error {
	var mails []*mail.Msg
	for _, to := range c.To {
		one, err := mailTo(c.From, []string{to}, m)
		if err != nil {
			return refusal{err}
		}
		mails = append(mails, one)
	}
	limit := sendTimeout + time.Duration(len(mails)-1)*mailTimeout
	err := within(ctx, limit, func(ctx context.Context) error { return s.deliver(ctx, c, limit, mails...) })
	var rest []string
	for i, one := range mails {
		if !one.IsDelivered() {
			rest = append(rest, c.To[i])
		}
	}
	switch len(rest) {
	case 0:
		return nil
	case len(c.To):
		return err
	}
	return partial{err, rest}
}

// within calls send with a context that ends after limit.
func within(ctx context.Context, limit time.Duration, send func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return send(ctx)
}

// deliver sends mails through the server of a channel.
func (s Sender) deliver(ctx context.Context, c Channel, limit time.Duration, mails ...*mail.Msg) error {
	host, portText, err := net.SplitHostPort(c.Host)
	if err != nil {
		return refusal{err}
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return refusal{fmt.Errorf("port %.20q is no number", portText)}
	}
	options := []mail.Option{mail.WithPort(port), mail.WithTimeout(limit)}
	const submissions = 465 // TLS from the start (RFC 8314)
	switch addr, err := netip.ParseAddr(host); {
	case port == submissions:
		options = append(options, mail.WithSSL())
	case c.User == "" && (host == "localhost" || err == nil && addr.IsLoopback()):
		// The mail server of this machine; nothing leaves it.
		options = append(options, mail.WithTLSPolicy(mail.TLSOpportunistic))
	default:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if s.TLS != nil {
		t := s.TLS.Clone()
		t.ServerName = host
		options = append(options, mail.WithTLSConfig(t))
	}
	if c.User != "" {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(c.User), mail.WithPassword(c.secret))
	}
	// The library leaves a connection open if the server offers no encryption.
	var connection net.Conn
	defer func() {
		if connection != nil {
			_ = connection.Close()
		}
	}()
	sending := ctx
	options = append(options, mail.WithDialContextFunc(func(ctx context.Context, network, address string) (net.Conn, error) {
		plain := &net.Dialer{Timeout: sendTimeout}
		var err error
		if port == submissions {
			secure := s.TLS.Clone()
			if secure == nil {
				secure = &tls.Config{MinVersion: tls.VersionTLS12}
			}
			secure.ServerName = host
			connection, err = (&tls.Dialer{NetDialer: plain, Config: secure}).DialContext(ctx, network, address)
		} else {
			connection, err = plain.DialContext(ctx, network, address)
		}
		if err != nil {
			return nil, err
		}
		// The library heeds the context only until it is connected.
		context.AfterFunc(sending, func() { _ = connection.Close() })
		return connection, nil
	}))
	client, err := mail.NewClient(host, options...)
	if err != nil {
		return refusal{err}
	}
	err = client.DialAndSendWithContext(ctx, mails...)
	if c.User == "" { // without a password no account can be locked
		return err
	}
	return loginRefused(err)
}

// loginRefused makes a permanent refusal (5xx) of the connection or of the password final: many servers lock
// an account after a few wrong passwords. The refusal of a mail is a SendError instead.
func loginRefused(err error) error {
	if answer, ok := errors.AsType[*textproto.Error](err); ok && answer.Code/100 == 5 {
		if _, ofMail := errors.AsType[*mail.SendError](err); !ofMail {
			return refusal{fmt.Errorf("%w: %w", ErrLoginRefused, err)}
		}
	}
	return err
}

// mailTo returns a message as a mail.
func mailTo(from string, to []string, m Message) (*mail.Msg, error) {
	one := mail.NewMsg()
	if err := errors.Join(one.From(from), one.To(to...)); err != nil {
		return nil, err
	}
	one.Subject("Tonprobe: " + m.Title)
	one.SetDateWithValue(m.At)
	one.SetMessageID()
	text := m.Text + "\r\n"
	if m.Link != "" {
		text += "\r\n" + m.Link + "\r\n"
	}
	one.SetBodyString(mail.TypeTextPlain, text)
	return one, nil
}

// oneLine makes a text from outside safe for a subject or a header.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " ")
	if r := []rune(s); len(r) > 200 {
		s = string(r[:200])
	}
	return s
}
