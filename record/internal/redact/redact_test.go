package redact

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func parse(tb testing.TB, list string) *Rules {
	tb.Helper()
	r, err := Parse(list)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// counts are a Redactor's by rule, "" if there are none.
func counts(r *Redactor) string {
	var all []string
	for i, n := range r.counts {
		if n > 0 {
			all = append(all, fmt.Sprintf("%d %s", n, r.rules.name(Rule(i))))
		}
	}
	return strings.Join(all, ", ")
}

// hide replaces what is between « and » by the mark: the wanted output of a test
// is its input with the secrets in such brackets.
func hide(marked string) (input, want string) {
	var in, out strings.Builder
	for marked != "" {
		before, rest, found := strings.Cut(marked, "«")
		in.WriteString(before)
		out.WriteString(before)
		if !found {
			break
		}
		secret, after, _ := strings.Cut(rest, "»")
		in.WriteString(secret)
		b := []byte(secret)
		blank(b)
		out.Write(b)
		marked = after
	}
	return in.String(), out.String()
}

func TestText(t *testing.T) {
	for _, c := range []struct{ text, counts string }{
		{"postgres://app:«s3cret»@db:5432/shop", "1 url"},
		{"redis://:«pw»@localhost", "1 url"},
		{"https://me:«a@b»@host/x@y", "1 url"},
		{"https://me:«p/w#x»@host/", "1 url"},
		{"mongodb://u:«hunter22hunter22»@h1:27017,h2:27017/?x=1", "1 url"},
		{"url=https://u:«pw123»@h and http://v:«w»@i", "2 url"},
		{"http://host:8080/a@b https://git@github.com:22/x ssh://git@host/", ""},
		{"http://[::1]:80/ file:///a/b:c@d //u:p@h ://u:p@h", ""},
		{"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: «Basic dXNlcjpwYXNz»\r\nAccept: */*\r\n\r\n", "1 header"},
		{"cookie: «a=b; token=c»\nx", "1 header"},
		{"HTTP/1.1 200 OK\r\nSet-Cookie: «s=1; Path=/»\r\nServer: x\r\n", "1 header"},
		{"> Proxy-Authorization:«Basic x»\r\n> X-Api-Key: «12345678901»\r\nX-Vault-Token: «s.abc»\r\nPRIVATE-TOKEN: «x»", "4 header"},
		{"Sec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\nETag: \"x\"\r\nWWW-Authenticate: Basic realm=\"x\"\r\n", ""},
		{`curl -H "Authorization: «Bearer x»" -H 'Cookie: «a=b»' http://h/`, "2 header"},
		{"A_TOKEN=«with blanks & all»\nHOME=/root\nPGPASSWORD=«x»\x00AWS_SECRET_ACCESS_KEY=«a/b+c»\x00PWD=/x\x00", "3 variable"},
		{"export X_TOKEN=«abc»; export Y_SECRET='«d e»' DB_PASSWORD=\"«f»\" make", "3 variable"},
		{"POST /login?user=me&password=«pw»&x=1 access_token=«t0k»,client_secret=«q»", "3 variable"},
		{`{"user":"me","password":"«a\"b»","apiKey": "«k»","tokens":5,"password":null}`, "2 variable"},
		{`{'authToken': '«x»'} {\"token\":\"«abc»\",\"a\":\"b\"}`, "2 variable"},
		{`{"Cookie":"«a=b»"}`, "1 header"},
		{"PasswordAuthentication=no MYSQL_PASSWORD_FILE=/run/x max_tokens=5 nextPageToken=x PRIMARY_KEY=id PUBLIC_KEY=x password==x password=>y password =z", ""},
		{"SSL_KEY=/etc/ssl/x.key TLS_KEY=./y PWD=/root OLDPWD=/x cache_key=1 sort_key=2 KEY=1 key=value monkey=2", ""},
		{"token := next(); if token == nil { return } // the password: none; a cookie, authorization", ""},
		{"AKIA«IOSFODNN7EXAMPLE» xAKIAIOSFODNN7EXAMPLE AKIASHORT", "1 token"},
		{"ghp_«aaaaaaaaaabbbbbbbbbbccccccccccdddddd» glpat-«abcdefghij0123456789» xoxb-«1234567890-abc»", "3 token"},
		{"eyJhbGciOiJIUzI1NiJ9.eyJ«zdWIiOiIxMjM0NTY3ODkwIn0.c2ln»", "1 token"},
		{"-----BEGIN RSA PRIVATE KEY-----\n«MIIE\nabcd\n»-----END RSA PRIVATE KEY-----\nx", "1 private-key"},
		{"-----BEGIN PGP PRIVATE KEY BLOCK-----\n«lQ==\n»-----END PGP PRIVATE KEY BLOCK-----\n", "1 private-key"},
		{"-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----\n-----BEGIN PUBLIC KEY-----\nMI\n", ""},
		{"-----BEGIN PRIVATE KEY-----\n«MIIEcut off»", "1 private-key"},
		{"plain text, a=b, http://x/, 12:30:00, std::string, -----, __init__", ""},
	} {
		in, want := hide(c.text)
		r := New(parse(t, ""))
		got := []byte(in)
		r.scan(got, 0, false, r.text)
		if string(got) != want || counts(r) != c.counts {
			t.Errorf("%q\n got %q, %s\nwant %q, %s", in, got, counts(r), want, c.counts)
		}
	}
}

// TestCut: text that goes on behind what was kept.
func TestCut(t *testing.T) {
	for _, text := range []string{
		"HTTP/1.1 200 OK\r\nSet-Cookie: «sessi»", "postgres://app:«s3cr»", "http://host:8080", "http://host:80", "git://h/p:x",
		"X_TOKEN=«abc»", `{"password":"«x»`, "ghp_«aaaaa»", "eyJhbGciOiJIUzI1NiJ9.eyJ«zdWIiO»", "AKIA", "Authorization:", "-----BEGIN OPENSSH PRIVATE KEY--",
	} {
		in, want := hide(text)
		r := New(parse(t, ""))
		got := []byte(in)
		if r.scan(got, 0, true, r.text); string(got) != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestArgv(t *testing.T) {
	for _, c := range []struct{ args, counts string }{
		{"prog|--password|«x y»|--user|me", "1 option"},
		{"prog|--token=«x»|-storepass|name|--api-key|«k»|-password|«p»", "3 option"},
		{"prog|--password|-h|host|--password-file|/x|--no-password|--token-type|y|--private-key|/a/b|--key|k", ""},
		{"mysql|-u|root|-p«secret»|db", "1 option"},
		{"/usr/bin/mysqldump|-psecret", ""},
		{"docker|exec|db|mariadb|-p«x»", "1 option"},
		{"redis-cli|-h|x|-a|«pw»|GET|k", "1 option"},
		{"sshpass|-p|«pw»|ssh|host", "1 option"},
		{"curl|-sS|-u|me:«pw»|-H|Authorization: «Bearer x»|http://a:«b»@c/|-b|jar.txt|-b|«s=1»|-o|f", "2 option"},
		{"curl|-ume:«pw»|--user|me", "1 option"},
		{"docker|run|-p|80:80|-e|A_TOKEN=«x»|--env=B_SECRET=«y»|img", ""},
		{"docker|login|-u|me|-p|«pw»|registry", "1 option"},
		{"sh|-c|export X_TOKEN=«abc»; mysql -p«pw» -e 'select 1'; redis-cli -a «x» ping", "2 option"},
		{"openssl|rsa|-passin|pass:«x»|-in|k.pem", "1 option"},
		{"env|X_TOKEN=«a b; c»|make", ""},
		{"ssh|host|PGPASSWORD=«x» psql --password «y» -p 5432", "1 option"},
		{"gcc|-c|-pthread|-DKEY=1|-o|x.o|x.c", ""},
		{"git|commit|-m|add the --password option|-p", ""},
		{"git|-c|http.extraHeader=Authorization: «Basic x»|clone|https://me:«tok»@h/r", ""},
		{"ps|-p|1234", ""}, {"psql|-p|5432|-U|me:x", ""}, {"mkdir|-p|/a", ""}, {"ssh|-p|22|h", ""},
		{"", ""}, {"|", ""}, {"-", ""}, {"mysql|-p", ""}, {"a|--password", ""},
	} {
		if strings.HasPrefix(c.args, "/usr/bin/mysqldump") {
			c.args, c.counts = "/usr/bin/mysqldump|-p«secret»", "1 option"
		}
		in, want := hide(c.args)
		r := New(parse(t, ""))
		args := bytes.Split([]byte(in), []byte("|"))
		r.Argv(args, nil)
		got := string(bytes.Join(args, []byte("|")))
		if got != want || !strings.Contains(counts(r), c.counts) {
			t.Errorf("%q\n got %q, %s\nwant %q, %s", in, got, counts(r), want, c.counts)
		}
	}
}

func TestEnv(t *testing.T) {
	in, want := hide("PATH=/bin:/usr/bin|A_TOKEN=«a b;c\nd»|URL=x://u:«p»@h|PWD=/x|AWS_ACCESS_KEY_ID=x|K=-----BEGIN PRIVATE KEY-----\n«abc»|GPG_KEY=1|CI_JOB_TOKEN=«1»|LESS=-R")
	env := bytes.Split([]byte(in), []byte("|"))
	r := New(parse(t, ""))
	r.Env(env, nil)
	if got := string(bytes.Join(env, []byte("|"))); got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

// TestPieces splits texts in two in every place, and into single bytes: the
// secret stays one, and nothing else is touched.
func TestPieces(t *testing.T) {
	for _, text := range []string{
		"GET / HTTP/1.1\r\nAuthorization: «XYZ 0123456789»\r\nHost: x\r\n",
		"x=1\nexport X_TOKEN=«0123456789XYZ»;\n",
		"-----BEGIN EC PRIVATE KEY-----\n«MHcC\nAQEE\n»-----END EC PRIVATE KEY-----\nafter",
		"-----BEGIN PGP PRIVATE KEY BLOCK-----\r\n«MHcC\nAQEE\n»-----END PGP PRIVATE KEY BLOCK-----\nafter",
		`{"password":"«0123456789XYZ»","user":"me"}`,
		"redis://app:«Q0123456789XYZ»@host/0\n",
	} {
		in, want := hide(text)
		try := func(how string, sizes func(yield func(int) bool)) {
			r := New(parse(t, ""))
			got := []byte(in)
			var o tail
			at := 0
			for n := range sizes {
				r.piece(&o, got[at:at+n], true, r.text)
				at += n
			}
			for i := range got {
				if secret := in[i] != want[i]; secret == (got[i] == in[i]) {
					t.Fatalf("%s: %q", how, got)
				}
			}
			if c := counts(r); c[:2] != "1 " {
				t.Errorf("%s: %q, %s", how, got, c)
			}
		}
		for at := range len(in) + 1 {
			try(fmt.Sprint("split at ", at), slices.Values([]int{at, len(in) - at}))
		}
		try("byte by byte", slices.Values(slices.Repeat([]int{1}, len(in))))
	}
}

func TestParse(t *testing.T) {
	for list, want := range map[string]string{
		"":                                  "url header variable option token private-key",
		"off":                               "",
		"url":                               "url",
		"header,url":                        "url header",
		"-url":                              "header variable option token private-key",
		"+files,-token,/a,b/,/c/":           "url header variable option private-key files expression-1 expression-2",
		"/x{1,2}/":                          "url header variable option token private-key expression-1",
		"url,/a/":                           "url expression-1",
		",":                                 "!without a name",
		"url,":                              "!without a name",
		"+":                                 "!without a name",
		"nope":                              `!no rule "nope"`,
		"-nope":                             `!no rule "nope"`,
		"off,url":                           "!off stands alone",
		"url,-header":                       "!do not go together",
		"/a":                                "!no slash at its end",
		"/":                                 "!no slash at its end",
		"/(/":                               "!missing closing )",
		"/x*/":                              "!matches the empty text",
		"//":                                "!matches the empty text",
		strings.Repeat("/a/,", 101) + "/a/": "!more than 100",
	} {
		r, err := Parse(list)
		if wrong, ok := strings.CutPrefix(want, "!"); ok {
			if err == nil || !strings.Contains(err.Error(), wrong) {
				t.Errorf("%.30q: error %v, want %q", list, err, wrong)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", list, err)
		} else if got := strings.Join(r.Names(), " "); got != want {
			t.Errorf("%q: %s, want %s", list, got, want)
		}
	}
}

func TestOwn(t *testing.T) {
	r := New(parse(t, "url,/id-[0-9]+/,/card ([0-9]{4})/"))
	got := []byte("id-12 card 4444 X_TOKEN=x http://a:b@c")
	r.scan(got, 0, false, r.text)
	if string(got) != "***** card **** X_TOKEN=x http://a:*@c" || counts(r) != "1 url, 1 expression-1, 1 expression-2" {
		t.Errorf("%q, %s", got, counts(r))
	}
}

// FuzzText: lengths stay, nothing panics, what was blanked stays as it is, and
// what is in pieces is like what is whole in this.
func FuzzText(f *testing.F) {
	f.Add([]byte("https://me:a@b@host/ X_TOKEN=\"a b\"; Cookie: a\r\n-----BEGIN PRIVATE KEY-----\nabc"), byte(7))
	f.Add([]byte(`{"password":"a\"b"} \"token\":\"x\" mysql -pabc --password x curl -u a:b`), byte(20))
	f.Add([]byte("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2ln AKIAIOSFODNN7EXAMPLE"), byte(3))
	f.Fuzz(func(t *testing.T, in []byte, at byte) {
		r := New(parse(t, "+files,/q[a-f]+/"))
		for _, more := range []bool{false, true} {
			once := slices.Clone(in)
			r.scan(once, 0, more, r.text)
			r.counts = make([]uint64, len(r.counts))
			twice := slices.Clone(once)
			r.scan(twice, 0, more, r.text)
			check(t, in, once)
			check(t, once, twice)
			if !bytes.Equal(in, once) {
				continue
			}
			if c := counts(r); c != "" {
				t.Errorf("%q: unchanged, but counted %s", in, c)
			}
		}
		args := bytes.Split(slices.Clone(in), []byte{' '})
		r.Argv(args, func(i int) bool { return i%2 == 0 })
		check(t, in, bytes.Join(args, []byte{' '}))
		args = bytes.Split(slices.Clone(in), []byte{' '})
		r.Env(args, nil)
		check(t, in, bytes.Join(args, []byte{' '}))
		var o tail
		pieces := slices.Clone(in)
		for n := int(at)%8 + 1; len(pieces) > 0; pieces = pieces[min(n, len(pieces)):] {
			p := pieces[:min(n, len(pieces))]
			o.next(p)
			r.piece(&o, p, at&16 == 0 || len(pieces)%3 > 0, r.text)
			if len(o.line) > maxLine {
				t.Fatalf("a line of %d bytes is kept", len(o.line))
			}
		}
	})
}

// check holds what was redacted against the original.
func check(t *testing.T, in, got []byte) {
	t.Helper()
	if len(got) != len(in) {
		t.Fatalf("%q became %q", in, got)
	}
	for i := range in {
		if in[i] != got[i] && !strings.ContainsRune(mark+"*", rune(got[i])) {
			t.Fatalf("%q became %q: what is new is no mark", in, got)
		}
	}
}
