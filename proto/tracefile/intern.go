package tracefile

import "sync"

// names holds the names and prototypes of calls, which come again in every
// block. It is bounded: a hostile file cannot make it grow.
var names struct {
	sync.RWMutex
	m map[string]string
}

const maxNames = 4096

func intern(b []byte) string {
	names.RLock()
	s, ok := names.m[string(b)]
	names.RUnlock()
	if ok {
		return s
	}
	s = string(b)
	if len(b) > 1024 {
		return s
	}
	names.Lock()
	defer names.Unlock()
	if names.m == nil {
		names.m = make(map[string]string)
	}
	if len(names.m) < maxNames {
		names.m[s] = s
	}
	return s
}
