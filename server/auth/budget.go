package auth

import (
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
	// attemptsPerNetwork applies to an IPv4 /24 or an IPv6 /48, which may belong to one customer: to
	// limit.AddressKey it is 65,536 different addresses.
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

	mu      sync.Mutex
	hashing map[string]int // by address
}

func newBudgets(now func() time.Time) *budgets {
	return &budgets{
		devices:   limit.New(nameEvery, attemptsPerDevice, rememberedKeys, now),
		names:     limit.New(nameEvery, attemptsPerName, rememberedKeys, now),
		addresses: limit.New(addressEvery, attemptsPerAddress, rememberedKeys, now),
		networks:  limit.New(networkEvery, attemptsPerNetwork, rememberedKeys, now),
		accounts:  limit.New(accountEvery, codesPerAccount, rememberedKeys, now),
		hashing:   map[string]int{},
	}
}

// takeDevice charges the budget of a known browser.
func (b *budgets) takeDevice(device store.Hash) error {
	if wait, ok := b.devices.Allow(string(device[:])); !ok {
		return &LimitError{RetryAfter: wait}
	}
	return nil
}

// take charges the budgets of an unknown browser, the narrowest first.
func (b *budgets) take(from netip.Addr, name string) error {
	for _, bucket := range []struct {
		limiter *limit.Limiter
		key     string
	}{
		{b.names, pairKey(from, name)},
		{b.addresses, limit.AddressKey(from)},
		{b.networks, limit.NetworkKey(from)},
	} {
		if wait, ok := bucket.limiter.Allow(bucket.key); !ok {
			return &LimitError{RetryAfter: wait}
		}
	}
	return nil
}

// forgive refunds the attempts before a right password. The network's budget remains charged:
// one account of a network must not reset it for others.
func (b *budgets) forgive(from netip.Addr, name string) {
	b.names.Forget(pairKey(from, name))
	b.addresses.Forget(limit.AddressKey(from))
}

func pairKey(from netip.Addr, name string) string { return limit.AddressKey(from) + " " + name }

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

// takeCode charges the budgets of a code of the second factor. forgive refunds it after a right one.
func (b *budgets) takeCode(from netip.Addr, name string, device store.Hash, known bool) (forgive func(), err error) {
	if known {
		// Not the budget of passwords, which each right password refunds.
		key := string(device[:]) + " code"
		if wait, ok := b.devices.Allow(key); !ok {
			return nil, &LimitError{RetryAfter: wait}
		}
		return func() { b.devices.Forget(key) }, nil
	}
	key := name + "\x00code" // not a valid staff name
	if err := b.take(from, key); err != nil {
		return nil, err
	}
	if wait, ok := b.accounts.Allow(name); !ok {
		return nil, &LimitError{RetryAfter: wait}
	}
	return func() { b.forgive(from, key) }, nil
}
