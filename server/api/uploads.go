package api

import (
	"context"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

// Limits of deliveries, so that one token cannot exhaust memory or disk.
const (
	// uploadBytes limits the bodies that are being read, in total.
	uploadBytes = 64 << 20
	// uploadsPerAgent limits the simultaneous deliveries of an agent. It sends one at a time, but
	// after a restart the previous one may still be open.
	uploadsPerAgent = 2
	// uploadWait is the time that a delivery waits for others before it is rejected.
	uploadWait = 5 * time.Second

	// Decompressed reports of an agent: 16 MiB at once, then 64 MiB per day. A report takes 4 to 10
	// KiB.
	quotaUnit  = 1 << 10
	quotaBurst = 16 << 10
	quotaEvery = 24 * time.Hour / (64 << 10)
)

// uploads limits the deliveries that are being read.
type uploads struct {
	bytes *semaphore.Weighted

	mu      sync.Mutex
	running map[string]int // by agent
}

func newUploads() *uploads {
	return &uploads{bytes: semaphore.NewWeighted(uploadBytes), running: map[string]int{}}
}

// enter waits until a body of length bytes (-1 if unknown) may be read.
func (u *uploads) enter(ctx context.Context, agent string, length int64) (leave func(), err error) {
	if length > maxWireBytes {
		return nil, tooLarge("body", maxWireBytes)
	}
	if length < 0 {
		length = maxWireBytes
	}
	if !u.begin(agent) {
		return nil, tooMany(time.Second)
	}
	waiting, cancel := context.WithTimeout(ctx, uploadWait)
	defer cancel()
	if err := u.bytes.Acquire(waiting, length); err != nil {
		u.end(agent)
		return nil, &Fault{Status: http.StatusServiceUnavailable, Code: "busy", Message: "too many simultaneous deliveries: try again shortly", RetryAfter: uploadWait}
	}
	return func() { u.bytes.Release(length); u.end(agent) }, nil
}

func (u *uploads) begin(agent string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.running[agent] >= uploadsPerAgent {
		return false
	}
	u.running[agent]++
	return true
}

func (u *uploads) end(agent string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.running[agent]--; u.running[agent] == 0 {
		delete(u.running, agent)
	}
}

// withinQuota charges the quota of an agent.
func (a *API) withinQuota(agent string, bytes int) error {
	if wait, ok := a.quota.AllowN(agent, (bytes+quotaUnit-1)/quotaUnit); !ok {
		return &Fault{Status: http.StatusTooManyRequests, Code: "quota", Message: "this agent has exceeded its daily quota: try again later", RetryAfter: wait}
	}
	return nil
}
