package record

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// lookup finds the file to execute for a command's name as execvp(3) does: a
// name with a slash is a path; another is looked for in the directories of
// PATH, and a file there that may not be executed is remembered as the reason
// if nothing better comes.
func lookup(name string) (string, error) {
	if name == "" {
		return "", &CommandError{Name: `""`, Err: fs.ErrNotExist, NotFound: true}
	}
	if strings.Contains(name, "/") {
		if err := executable(name); err != nil {
			return "", &CommandError{Name: name, Err: err, NotFound: errors.Is(err, fs.ErrNotExist)}
		}
		return name, nil
	}
	var denied error
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if dir == "" {
			dir = "." // POSIX: an empty entry is the current directory
		}
		path := dir + "/" + name
		err := executable(path)
		if err == nil {
			return path, nil
		}
		if denied == nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errNotDir) {
			denied = err
		}
	}
	if denied != nil {
		return "", &CommandError{Name: name, Err: denied}
	}
	return "", &CommandError{Name: name, Err: errors.New("command not found in PATH"), NotFound: true}
}

var (
	errNotDir = errors.New("not a directory")
	errDir    = errors.New("is a directory")
)

// executable reports why a file cannot be executed. Only the kernel knows for
// certain: what this lets pass may still fail.
func executable(path string) error {
	st, err := os.Stat(path)
	switch {
	case err != nil:
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		if strings.Contains(err.Error(), errNotDir.Error()) {
			return errNotDir
		}
		return err
	case st.IsDir():
		return errDir
	case st.Mode()&0o111 == 0:
		return fs.ErrPermission
	}
	return nil
}
