package reports

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/cmd/load/rig"
)

// page is one kind of page of the dashboard.
type page struct {
	name    string
	address func(*database) string
}

func pages() []page {
	search := func(words string) string { return "/?" + url.Values{"q": {words}}.Encode() }
	anybody := func(d *database) int { return rand.IntN(len(d.Agents)) }
	return []page{
		{"list", func(*database) string { return "/" }},
		{"list by name", func(*database) string { return "/?order=name" }},
		{"list of problems", func(*database) string { return "/?show=problems" }},
		{"search: one person", func(d *database) string { return search(nameOf(anybody(d))) }},
		{"search: a first name", func(d *database) string { return search(strings.Fields(nameOf(anybody(d)))[0]) }},
		{"search: nobody", func(d *database) string { return search(nameOf(anybody(d)) + "xq") }},
		{"search: a case code", func(*database) string { return search(fmt.Sprintf("K%02d-9XQ", rand.IntN(100))) }},
		{"participant", func(d *database) string { return "/participants/" + d.Agents[anybody(d)].Participant }},
	}
}

// opened contains the durations of pages of one kind, to their last byte.
type opened struct {
	name  string
	took  []time.Duration // sorted
	cpu   time.Duration   // used by the collector for one page; 0 if it is unknown
	bytes int             // size of the last one, decompressed
}

// browse signs in and opens each kind of page n times.
func browse(ctx context.Context, c *rig.Collector, d *database, n int) ([]opened, error) {
	base := c.URL
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Jar: jar, Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	resp, err := client.PostForm(base+"/login", url.Values{"name": {"support"}, "password": {d.Password}})
	if err != nil {
		return nil, fmt.Errorf("sign in: %w", err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusSeeOther {
		return nil, fmt.Errorf("sign in: %s", resp.Status)
	}
	var all []opened
	for _, p := range pages() {
		o := opened{name: p.name}
		before, _ := rig.UsageOf(c.PID())
		for range n {
			took, size, err := open(ctx, client, base+p.address(d))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", p.name, err)
			}
			o.took, o.bytes = append(o.took, took), size
		}
		if after, known := rig.UsageOf(c.PID()); known {
			o.cpu = (after.CPU - before.CPU) / time.Duration(n)
		}
		slices.Sort(o.took)
		all = append(all, o)
	}
	return all, nil
}

func open(ctx context.Context, client *http.Client, address string) (time.Duration, int, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, 0, err
	}
	began := time.Now()
	resp, err := client.Do(q)
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	n, err := io.Copy(io.Discard, resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("the collector answered %s", resp.Status)
	}
	return time.Since(began), int(n), err
}
