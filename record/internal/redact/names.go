package redact

import (
	"bytes"
	"slices"
	"strings"
)

// class is what a name says of its value.
type class uint8

const (
	ordinary class = iota
	secret
	key // secret, unless it is the path of a file
)

const maxName = 64

// describing are last words that make of a secret's name one of something about
// the secret.
var describing = words(`file files path dir store fd stdin stdout cmd command program prompt prompts ask
	policy length len min max age ttl expires expiry expiration expire lifetime timeout
	auth authentication authenticator auths manager change changed reset required enabled
	url uri endpoint type name names id ids hint field count limit size scope version index algorithm format`)

// keyWords stand before "key" in names of secret keys, whatever the case.
var keyWords = words(`api access secret private auth encryption encrypt signing master account storage shared
	service subscription app application license client`)

// openKeys stand before "KEY" in variables that hold no secret.
var openKeys = words(`public pub primary foreign cache sort partition routing registry gpg host index
	lookup map object group row sort column default hot composite compose config meta`)

// paging stand before "token" in names of places in a list.
var paging = words(`next page continuation continue sync resume start end max min num`)

func words(s string) map[string]bool {
	m := make(map[string]bool)
	for _, w := range strings.Fields(s) {
		m[w] = true
	}
	return m
}

// nameChar are the characters of names.
var nameChar [256]bool

func init() {
	for c := range nameChar {
		nameChar[c] = 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '_' || c == '-' || c == '.'
	}
}

// nameBefore returns where the name that ends at i begins.
func nameBefore(b []byte, i int) int {
	s := i
	for s > 0 && i-s <= maxName && nameChar[b[s-1]] {
		s--
	}
	for s < i && (b[s] == '-' || b[s] == '.') { // an option's dashes
		s++
	}
	return s
}

// classify tells what the value of a name is. Words are told apart by "_", "-",
// "." and capitals.
func classify(name []byte) class {
	if len(name) < 3 || len(name) > maxName {
		return ordinary
	}
	var space [2 * maxName]byte
	low, upper := space[:0], true
	for i, c := range name {
		switch {
		case c == '-' || c == '.':
			c = '_'
		case 'A' <= c && c <= 'Z':
			if i > 0 && 'a' <= name[i-1] && name[i-1] <= 'z' {
				low = append(low, '_')
			}
			c |= 0x20
		case 'a' <= c && c <= 'z':
			upper = false
		}
		low = append(low, c)
	}
	low = bytes.TrimRight(low, "0123456789_")
	last, before := low, []byte(nil)
	if i := bytes.LastIndexByte(low, '_'); i >= 0 {
		last, before = low[i+1:], low[:i]
		before = before[bytes.LastIndexByte(before, '_')+1:]
	}
	switch {
	case describing[string(last)]:
		return ordinary
	case bytes.Contains(low, []byte("password")), bytes.Contains(low, []byte("passwd")), bytes.Contains(low, []byte("passphrase")):
		if bytes.HasPrefix(low, []byte("no_")) || bytes.HasPrefix(low, []byte("ask_")) {
			return ordinary
		}
		return secret
	case bytes.HasSuffix(last, []byte("token")):
		if len(last) == len("token") && paging[string(before)] {
			return ordinary
		}
		return secret
	case bytes.HasSuffix(last, []byte("secret")):
		return secret
	case string(last) == "key":
		if keyWords[string(before)] || upper && len(before) > 0 && !openKeys[string(before)] && bytes.IndexByte(name, '-') < 0 {
			return key
		}
	case string(last) == "pass":
		if upper && len(before) > 0 {
			return secret
		}
	case string(last) == "pwd":
		if upper == (len(before) > 0) { // MYSQL_PWD, Pwd=; not PWD, old_pwd
			return key
		}
	}
	switch string(low) {
	case "apikey", "secretkey", "accesskey", "privatekey", "secret_key_base", "x_amz_signature", "_auth":
		return secret
	}
	return ordinary
}

var headers = []string{"authorization", "proxy-authorization", "cookie", "set-cookie", "cookie2", "set-cookie2", "x-auth"}

// isHeader tells whether a name is that of a header whose value is secret.
func isHeader(name []byte) bool {
	if len(name) < 6 || len(name) > maxName {
		return false
	}
	if slices.ContainsFunc(headers, func(h string) bool { return len(h) == len(name) && bytes.EqualFold([]byte(h), name) }) {
		return true
	}
	i := bytes.IndexByte(name, '-')
	return i > 0 && (classify(name) != ordinary || len(name) > 14 && bytes.EqualFold(name[len(name)-14:], []byte("-authorization")))
}

// isPath tells whether the value of a key names a file instead.
func isPath(v []byte) bool {
	return len(v) > 0 && (v[0] == '/' || v[0] == '~' || bytes.HasPrefix(v, []byte("./")) || bytes.HasPrefix(v, []byte("../")))
}
