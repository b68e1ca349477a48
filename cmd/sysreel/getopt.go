package main

import (
	"fmt"
	"strings"
)

// getopt parses a command line as getopt_long(3) of the GNU C library does, up
// to the first word that is no option: what is bound to that, the abbreviations
// of long options, values that may be left out and the words of its messages, is
// not to be had of the library that the other commands use.
type getopt struct {
	program string // in messages
	options []longOption
	shorts  string // as in getopt_long: "a:b" — a has a value, b none
}

// longOption is an option with two dashes.
type longOption struct {
	name  string
	value optionValue
	key   string // what it stands for: one letter if there is a short form
}

type optionValue uint8

const (
	noValue optionValue = iota
	needsValue
	mayHaveValue // as --name=VALUE
)

// setOption takes an option: by its key, as it is written, "-a" or "--columns", and
// with its value, nil if it has none.
type setOption func(key, spelt string, value *string) error

// parse calls set with each option and returns the words that are left.
func (g *getopt) parse(args []string, set setOption) ([]string, error) {
	for len(args) > 0 {
		word := args[0]
		switch {
		case word == "--":
			return args[1:], nil
		case len(word) < 2 || word[0] != '-':
			return args, nil
		}
		rest, err := args[1:], error(nil)
		if strings.HasPrefix(word, "--") {
			rest, err = g.long(word[2:], rest, set)
		} else {
			rest, err = g.short(word[1:], rest, set)
		}
		if err != nil {
			return nil, err
		}
		args = rest
	}
	return nil, nil
}

func (g *getopt) errorf(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}

// short takes the letters of a word.
func (g *getopt) short(letters string, rest []string, set setOption) ([]string, error) {
	for i := range len(letters) {
		key := letters[i : i+1]
		at := strings.Index(g.shorts, key)
		if at < 0 || key == ":" {
			return nil, g.errorf("invalid option -- '%s'", key)
		}
		if !strings.HasPrefix(g.shorts[at+1:], ":") {
			if err := set(key, "-"+key, nil); err != nil {
				return nil, err
			}
			continue
		}
		value := letters[i+1:]
		if value == "" {
			if len(rest) == 0 {
				return nil, g.errorf("option requires an argument -- '%s'", key)
			}
			value, rest = rest[0], rest[1:]
		}
		return rest, set(key, "-"+key, &value)
	}
	return rest, nil
}

// long takes a word behind its dashes.
func (g *getopt) long(word string, rest []string, set setOption) ([]string, error) {
	name, text, given := strings.Cut(word, "=")
	o, err := g.find(name, word)
	if err != nil {
		return nil, err
	}
	switch {
	case given && o.value == noValue:
		return nil, g.errorf("option '--%s' doesn't allow an argument", o.name)
	case given:
		return rest, set(o.key, "--"+o.name, &text)
	case o.value == needsValue:
		if len(rest) == 0 {
			return nil, g.errorf("option '--%s' requires an argument", o.name)
		}
		return rest[1:], set(o.key, "--"+o.name, &rest[0])
	}
	return rest, set(o.key, "--"+o.name, nil)
}

// find returns the option of a name, or of the beginning of one; word is what it
// is called where there is none.
func (g *getopt) find(name, word string) (*longOption, error) {
	var found []*longOption // the first, and those that are another option
	for i := range g.options {
		o := &g.options[i]
		if o.name == name {
			return o, nil
		}
		if strings.HasPrefix(o.name, name) && (len(found) == 0 || o.key != found[0].key || o.value != found[0].value) {
			found = append(found, o)
		}
	}
	switch {
	case len(found) == 0:
		return nil, g.errorf("unrecognized option '--%s'", word)
	case len(found) > 1:
		var b strings.Builder
		for _, o := range found {
			fmt.Fprintf(&b, " '--%s'", o.name)
		}
		return nil, g.errorf("option '--%s' is ambiguous; possibilities:%s", word, b.String())
	}
	return found[0], nil
}
