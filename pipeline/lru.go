package pipeline

import "container/list"

// lru keeps what was used last. It grows until trim is called, so that a batch
// can hold on to what it works with. It is not safe for concurrent use.
type lru[K comparable, V any] struct {
	order *list.List // of *lruItem, newest first
	items map[K]*list.Element
}

type lruItem[K comparable, V any] struct {
	key   K
	value V
}

func newLRU[K comparable, V any]() *lru[K, V] {
	return &lru[K, V]{order: list.New(), items: map[K]*list.Element{}}
}

func (l *lru[K, V]) get(key K) (V, bool) {
	element, found := l.items[key]
	if !found {
		var none V
		return none, false
	}
	l.order.MoveToFront(element)
	return element.Value.(*lruItem[K, V]).value, true //nolint:errcheck // the list holds nothing else
}

func (l *lru[K, V]) put(key K, value V) {
	if element, found := l.items[key]; found {
		element.Value.(*lruItem[K, V]).value = value //nolint:errcheck // the list holds nothing else
		l.order.MoveToFront(element)
		return
	}
	l.items[key] = l.order.PushFront(&lruItem[K, V]{key, value})
}

func (l *lru[K, V]) remove(key K) {
	if element, found := l.items[key]; found {
		l.order.Remove(element)
		delete(l.items, key)
	}
}

// trim forgets what was used longest ago until at most limit items are left.
func (l *lru[K, V]) trim(limit int) {
	for l.order.Len() > limit {
		oldest := l.order.Back()
		l.order.Remove(oldest)
		delete(l.items, oldest.Value.(*lruItem[K, V]).key) //nolint:errcheck // the list holds nothing else
	}
}

func (l *lru[K, V]) len() int { return l.order.Len() }
