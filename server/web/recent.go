package web

import (
	"container/list"
	"sync"
)

// recent is an LRU cache that is limited by the total weight of its values.
type recent[K comparable, V any] struct {
	most   int
	weight func(V) int

	mu    sync.Mutex
	held  int
	order *list.List // of entry[K, V], most recently used first
	byKey map[K]*list.Element
}

type entry[K comparable, V any] struct {
	key   K
	value V
}

func newRecent[K comparable, V any](most int, weight func(V) int) *recent[K, V] {
	return &recent[K, V]{most: most, weight: weight, order: list.New(), byKey: map[K]*list.Element{}}
}

func (c *recent[K, V]) get(key K) (value V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byKey[key]
	if !ok {
		return value, false
	}
	c.order.MoveToFront(e)
	return e.Value.(entry[K, V]).value, true
}

func (c *recent[K, V]) put(key K, value V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.byKey[key]; ok {
		c.drop(e)
	}
	c.byKey[key] = c.order.PushFront(entry[K, V]{key, value})
	c.held += c.weight(value)
	for c.held > c.most {
		c.drop(c.order.Back())
	}
}

func (c *recent[K, V]) drop(e *list.Element) {
	dropped := c.order.Remove(e).(entry[K, V])
	delete(c.byKey, dropped.key)
	c.held -= c.weight(dropped.value)
}
