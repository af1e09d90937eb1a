package auth

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/server/limit"
	"github.com/tonprobe/tonprobe/server/store"
)

// Budgets of wrong passwords. They slow down the attacker, not the account: with a limit by name alone,
// anybody who knows the name could lock its owner out. A browser that has signed in before has its own
// budget, which nobody else can exhaust.
const (
	attemptsPerDevice = 10
	// attemptsPerName applies to one name from one address: a colleague in the same office has
	// another name and therefore another budget.
	attemptsPerName    = 10
	attemptsPerAddress = 50
	// attemptsPerNetwork applies to an IPv4 /24 or an IPv6 /48. One customer may have a whole /48,
	// for which limit.AddressKey has 65,536 keys.
	attemptsPerNetwork = 200
	// codesPerAccount applies to the codes of the second factor for one account, from all unknown
	// browsers together: a code has only six digits, and the sender has the password.
	codesPerAccount = 30
	accountEvery    = time.Minute
	nameEvery       = 30 * time.Second
	addressEvery    = 6 * time.Second
	networkEvery    = 2 * time.Second
	rememberedKeys  = 10_000
	// hashesPerAddress limits the passwords of one address that are hashed or queued at the
	// same time, so that one address cannot fill the queue.
	hashesPerAddress = 2
)

// budgets contains the token buckets of all clients that try to sign in.
type budgets struct {
	devices, names, addresses, networks, accounts *limit.Limiter
	shared                                        *limit.Shared // nil for none

	mu      sync.Mutex
	hashing map[string]int // by address
}

func newBudgets(now func() time.Time, shared *limit.Shared) *budgets {
	return &budgets{
		devices:   limit.New(nameEvery, attemptsPerDevice, rememberedKeys, now),
		names:     limit.New(nameEvery, attemptsPerName, rememberedKeys, now),
		addresses: limit.New(addressEvery, attemptsPerAddress, rememberedKeys, now),
		networks:  limit.New(networkEvery, attemptsPerNetwork, rememberedKeys, now),
		accounts:  limit.New(accountEvery, codesPerAccount, rememberedKeys, now),
		shared:    shared,
		hashing:   map[string]int{},
	}
}

// charge is an attempt for which budgets were charged.
type charge struct {
	shared *limit.Shared
	// A right password or code refunds the charge of refunded, but not that of kept.
	refunded, kept []limit.Bucket
	before         bool // there were failed attempts before this one
}

// make charges the budgets.
func (c charge) make(ctx context.Context) (charge, error) {
	wait, before, err := c.shared.Allow(ctx, append(c.refunded[:len(c.refunded):len(c.refunded)], c.kept...)...)
	if err != nil {
		return c, err
	}
	if wait > 0 {
		return c, &LimitError{RetryAfter: wait}
	}
	c.before = before
	return c, nil
}

// fail stores that the attempt was wrong, for all collectors.
func (c charge) fail(ctx context.Context) error {
	return c.shared.Fail(ctx, append(c.refunded[:len(c.refunded):len(c.refunded)], c.kept...)...)
}

// forgive refunds the attempts before a right one. If the database fails, they remain charged at
// other collectors, which is no reason to refuse the right one.
func (c charge) forgive(ctx context.Context) { _ = c.shared.Forget(ctx, c.before, c.refunded...) }

// takeDevice charges the budget of a known browser.
func (b *budgets) takeDevice(ctx context.Context, device store.Hash) (charge, error) {
	return charge{shared: b.shared, refunded: []limit.Bucket{{Limiter: b.devices, Name: "device", Key: string(device[:])}}}.make(ctx)
}

// take charges the budgets of an unknown browser, the narrowest first. The network's budget remains
// charged after a right password: one account of a network must not reset it for others.
func (b *budgets) take(ctx context.Context, from netip.Addr, name string) (charge, error) {
	return b.ofStranger(from, name).make(ctx)
}

func (b *budgets) ofStranger(from netip.Addr, name string) charge {
	address := limit.AddressKey(from)
	return charge{
		shared: b.shared,
		refunded: []limit.Bucket{{Limiter: b.names, Name: "name", Key: address + " " + name},
			{Limiter: b.addresses, Name: "address", Key: address}},
		kept: []limit.Bucket{{Limiter: b.networks, Name: "network", Key: limit.NetworkKey(from)}},
	}
}

// enter counts a password of an address that is being hashed; leave ends that.
func (b *budgets) enter(from netip.Addr) (leave func(), err error) {
	key := limit.AddressKey(from)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.hashing[key] >= hashesPerAddress {
		return nil, &LimitError{RetryAfter: busyRetry}
	}
	b.hashing[key]++
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.hashing[key]--; b.hashing[key] == 0 {
			delete(b.hashing, key)
		}
	}, nil
}

// takeCode charges the budgets of a code of the second factor.
func (b *budgets) takeCode(ctx context.Context, from netip.Addr, name string, device store.Hash, known bool) (charge, error) {
	if known {
		// Not the budget of passwords, which each right password refunds.
		return charge{shared: b.shared, refunded: []limit.Bucket{{Limiter: b.devices, Name: "device", Key: string(device[:]) + " code"}}}.make(ctx)
	}
	c := b.ofStranger(from, name+"\x00code") // not a valid staff name
	c.kept = append(c.kept, limit.Bucket{Limiter: b.accounts, Name: "account", Key: name})
	return c.make(ctx)
}
