// Package redact blanks secrets in what is about to be written to a trace.
//
// A secret is overwritten in place by a marker of the same length, so lengths,
// offsets and counts stay what they were. What is taken for a secret is told by
// its surroundings (the name of a variable, a header or an option, the form of a
// URL, the head of a private key) or by the form that an issuer gives its tokens.
// It is not told by how random it looks: that blanks hashes and names of objects.
//
// A Redactor must not be used concurrently.
package redact

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Rule is the number of a rule: a built-in one, or from builtin on an
// expression of the user's.
type Rule uint8

const (
	url Rule = iota
	header
	variable
	option
	token
	privateKey
	files // no rule of its own: the others look at what is read from files too
	builtin
)

// maxOwn is the most expressions that a user may give.
const maxOwn = 100

// Builtin is a rule as the user knows it.
type Builtin struct {
	Name    string
	About   string
	Default bool
}

// Builtins lists the built-in rules; the index is the Rule.
var Builtins = [builtin]Builtin{
	{"url", "the password of scheme://user:password@host", true},
	{"header", "Authorization, Cookie, Set-Cookie, X-Api-Key and headers like them", true},
	{"variable", "NAME=value and \"name\":\"value\" where the name ends in token, secret, api_key, …, or has password in it", true},
	{"option", "--password x, --token=x and those of mysql, redis-cli, curl, … (arguments of commands)", true},
	{"token", "tokens in the form of AWS, GitHub, GitLab, Google, npm, Slack, Stripe; JSON web tokens", true},
	{"private-key", "PEM private keys, in files too", true},
	{"files", "every rule also for what is read from files; without it only private-key and your own", false},
}

// Rules are the rules in force. They are not changed after Parse and may be
// shared.
type Rules struct {
	on  [builtin]bool
	own []*regexp.Regexp
}

// Parse reads a list of rules, separated by commas:
//
//	off          none at all
//	NAME         this built-in rule: only what is named is in force
//	+NAME -NAME  the default rules, and with or without this one
//	/REGEXP/     what the expression matches, or its first group if it has one
//
// An expression adds to the default rules, or to those named. The empty list
// means the default rules.
func Parse(list string) (*Rules, error) {
	r := &Rules{}
	for i, b := range Builtins {
		r.on[i] = b.Default
	}
	items, err := split(list)
	if err != nil {
		return nil, err
	}
	named, changed := "", ""
	for _, item := range items {
		switch item[0] {
		case '/':
			if err := r.expression(item[1 : len(item)-1]); err != nil {
				return nil, err
			}
			continue
		case '+', '-':
			changed = item
		default:
			if item == "off" {
				if len(items) > 1 {
					return nil, fmt.Errorf("off stands alone")
				}
				return &Rules{}, nil
			}
			if named == "" {
				r.on = [builtin]bool{}
			}
			named = item
		}
		if named != "" && changed != "" {
			return nil, fmt.Errorf("%s and %s do not go together: name the rules, or change the default ones with + and -", named, changed)
		}
		name := strings.TrimLeft(item[:1], "+-") + item[1:]
		i := slices.IndexFunc(Builtins[:], func(b Builtin) bool { return b.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("no rule %q: there are %s, off, and /REGEXP/", name, names())
		}
		r.on[i] = item[0] != '-'
	}
	return r, nil
}

func names() string {
	var all []string
	for _, b := range Builtins {
		all = append(all, b.Name)
	}
	return strings.Join(all, ", ")
}

// split parts a list at its commas. An expression ends with the slash that the
// list or a comma follows: it may hold both.
func split(list string) ([]string, error) {
	var items []string
	for rest := list; rest != ""; {
		end := strings.IndexByte(rest, ',')
		if rest[0] == '/' {
			end = strings.Index(rest[1:], "/,")
			switch {
			case end >= 0:
				end += 2
			case len(rest) == 1 || rest[len(rest)-1] != '/':
				return nil, fmt.Errorf("the expression %s has no slash at its end", rest)
			}
		}
		item := rest
		if end >= 0 {
			item, rest = rest[:end], rest[end+1:]
		} else {
			rest = ""
		}
		if item == "" || item == "+" || item == "-" || end >= 0 && rest == "" {
			return nil, fmt.Errorf("a rule without a name in %q", list)
		}
		items = append(items, item)
	}
	return items, nil
}

func (r *Rules) expression(s string) error {
	re, err := regexp.Compile(s)
	switch {
	case err != nil:
		return fmt.Errorf("/%s/: %w", s, err)
	case re.Match(nil):
		return fmt.Errorf("/%s/ matches the empty text", s)
	case len(r.own) == maxOwn:
		return fmt.Errorf("more than %d expressions", maxOwn)
	}
	r.own = append(r.own, re)
	return nil
}

// name is the rule's name in the trace. An expression may itself be a secret, so
// its number stands for it.
func (r *Rules) name(n Rule) string {
	if n < builtin {
		return Builtins[n].Name
	}
	return fmt.Sprintf("expression-%d", n-builtin+1)
}

// Names lists the rules in force, none if redaction is off.
func (r *Rules) Names() []string {
	var all []string
	for i, on := range r.on {
		if on {
			all = append(all, Builtins[i].Name)
		}
	}
	for i := range r.own {
		all = append(all, r.name(builtin+Rule(i)))
	}
	return all
}

// ReadFiles reports whether rules look for secrets of every kind, or of the
// user's, in what is read from files.
func (r *Rules) ReadFiles() bool { return r.on[files] || len(r.own) > 0 }

// Off reports that no rule is in force.
func (r *Rules) Off() bool { return len(r.Names()) == 0 }

const mark = "[redacted]"

// blank overwrites a secret: the mark, filled up with stars; what is too short
// for it is stars alone.
func blank(b []byte) {
	n := 0
	if len(b) >= len(mark) {
		n = copy(b, mark)
	}
	for i := n; i < len(b); i++ {
		b[i] = '*'
	}
}

// blanked reports whether blank would change nothing.
func blanked(b []byte) bool {
	n := 0
	if len(b) >= len(mark) {
		if string(b[:len(mark)]) != mark {
			return false
		}
		n = len(mark)
	}
	for _, c := range b[n:] {
		if c != '*' {
			return false
		}
	}
	return true
}
