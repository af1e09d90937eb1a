package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// fetchTime limits fetching the script.
const fetchTime = 2 * time.Second

const maxRedirects = 10

// A script is needed before anything else, so its beginning, which is all of most scripts,
// is received as fast as the line permits. The rest of a larger one is received at a
// limited rate, within fetchTime, so that it does not fill the line.
const (
	atOnceBytes    = 64 << 10
	bytesPerSecond = 320 << 10
)

// fetch fetches the script with a direct connection, because the proxy is not known
// before.
func (f *Finder) fetch(ctx context.Context, at string) (*script, error) {
	u, err := url.Parse(at)
	if err != nil {
		return nil, errors.New("its address cannot be read")
	}
	var source []byte
	switch u.Scheme {
	case "http", "https":
		source, err = f.download(ctx, at)
	case "file":
		source, err = readFile(u)
	default:
		err = errors.New("its address has an unknown scheme")
	}
	if err != nil {
		return nil, err
	}
	return &script{source: decoded(source), chosen: map[string][]*url.URL{}, failed: map[string]error{}}, nil
}

func (f *Finder) download(ctx context.Context, at string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, errors.New("its address cannot be read")
	}
	transport := &http.Transport{DialContext: f.dialSlowly, MaxResponseHeaderBytes: 64 << 10, DisableKeepAlives: true}
	client := &http.Client{Transport: transport, CheckRedirect: func(_ *http.Request, via []*http.Request) error {
		if len(via) >= maxRedirects {
			return http.ErrUseLastResponse // the server responds, although with a redirect loop
		}
		return nil
	}}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrScriptUnreached, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%w: its server responded with status %d", ErrScriptMissing, resp.StatusCode)
	}
	if resp.ContentLength > maxScriptBytes {
		return nil, fmt.Errorf("larger than %d bytes", maxScriptBytes)
	}
	return readLimited(&paced{ctx: ctx, from: resp.Body})
}

// dialSlowly limits the receive buffer of the connection. Otherwise the system receives
// megabytes before they are read.
func (f *Finder) dialSlowly(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := f.Dial(ctx, network, address)
	if c, ok := conn.(interface{ SetReadBuffer(int) error }); ok {
		_ = c.SetReadBuffer(atOnceBytes) // some systems refuse; the script can be read anyway
	}
	return conn, err
}

// paced reads at a limited rate.
type paced struct {
	ctx   context.Context
	from  io.Reader
	began time.Time // of the first read
	read  int
}

func (p *paced) Read(b []byte) (int, error) {
	if p.read == 0 {
		p.began = time.Now()
	}
	if beyond := p.read - atOnceBytes; beyond >= 0 {
		due := p.began.Add(time.Duration(beyond) * time.Second / bytesPerSecond)
		select {
		case <-time.After(time.Until(due)):
		case <-p.ctx.Done():
			return 0, p.ctx.Err()
		}
	}
	n, err := p.from.Read(b[:min(len(b), 16<<10)])
	p.read += n
	return n, err
}

// readFile accepts regular files only: a pipe or a device might never end.
func readFile(u *url.URL) ([]byte, error) {
	path := filePath(u)
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return nil, ErrScriptMissing
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open its file: %w", err)
	}
	defer func() { _ = file.Close() }()
	return readLimited(file)
}

// filePath returns the path in a file: URL; on Windows "/C:/x" means "C:/x".
func filePath(u *url.URL) string {
	p := u.Path
	if len(p) > 2 && p[0] == '/' && p[2] == ':' {
		p = p[1:]
	}
	return p
}

func readLimited(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxScriptBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read it: %w", err)
	}
	if len(b) > maxScriptBytes {
		return nil, fmt.Errorf("larger than %d bytes", maxScriptBytes)
	}
	return b, nil
}

// decoded interprets text that is not UTF-8 as Windows-1252, which comments in old
// scripts use.
func decoded(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	s, err := charmap.Windows1252.NewDecoder().Bytes(b)
	if err != nil {
		return string(b)
	}
	return string(s)
}
