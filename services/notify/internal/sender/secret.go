package sender

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
)

// SecretPrefix begins the name of every variable that may hold a secret.
const SecretPrefix = "HALE_SECRET_"

const (
	schemeFile = "file:"
	schemeEnv  = "env:"
	maxSecret  = 64 << 10
)

var (
	// ErrNoSecret is wrapped by the error for a secret that does not exist, or is empty.
	ErrNoSecret = errors.New("the secret is not there")

	secretName = regexp.MustCompile(`^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$`)
	secretEnv  = regexp.MustCompile(`^` + SecretPrefix + `[A-Za-z0-9_]+$`)
)

// Secret refers to a secret: file:NAME, a file in the folder of secrets, or env:HALE_SECRET_NAME, a variable.
type Secret string

// valid tells whether it is a reference.
func (s Secret) valid() bool {
	if name, ok := strings.CutPrefix(string(s), schemeFile); ok {
		return secretName.MatchString(name) && !strings.Contains(name, "..")
	}

	name, ok := strings.CutPrefix(string(s), schemeEnv)

	return ok && secretEnv.MatchString(name)
}

// String returns the reference; what is none may be a secret itself, and is hidden.
func (s Secret) String() string {
	if s == "" || s.valid() {
		return string(s)
	}

	return "(hidden)"
}

// check notes what is wrong with it.
func (s Secret) check(field string, problems *Problems) {
	if !s.valid() {
		problems.addf(field, CodeSecret, "is written as file:NAME, a file in the folder of secrets, or as env:%sNAME", SecretPrefix)
	}
}

// Secrets resolves references, at each use, so that a secret can be changed while Hale runs. Whoever writes receivers
// may name any secret, and have it sent anywhere. So only the files of one folder and the variables of one prefix can
// be named, and what else the machine holds cannot.
type Secrets struct {
	// Folder holds the files; empty: there are none.
	Folder string
	// LookupEnv finds variables; nil: those of the process.
	LookupEnv func(name string) (string, bool)
}

// Resolve returns what a reference stands for, without the white space around it.
func (s *Secrets) Resolve(reference Secret) (string, error) {
	if !reference.valid() {
		return "", permanent("a secret is not written as a reference")
	}

	value, err := s.read(string(reference))
	if err != nil {
		return "", fmt.Errorf("reading the secret %s: %w", reference, err)
	}

	if value = strings.TrimSpace(value); value == "" {
		return "", fmt.Errorf("reading the secret %s: %w", reference, ErrNoSecret)
	}

	return value, nil
}

func (s *Secrets) read(reference string) (string, error) {
	if name, ok := strings.CutPrefix(reference, schemeEnv); ok {
		lookup := os.LookupEnv
		if s != nil && s.LookupEnv != nil {
			lookup = s.LookupEnv
		}

		value, _ := lookup(name)

		return value, nil
	}

	if s == nil || s.Folder == "" {
		return "", fmt.Errorf("%w: no folder of secrets is configured", ErrNoSecret)
	}

	// A root follows no link that leads out of it.
	file, err := os.OpenInRoot(s.Folder, strings.TrimPrefix(reference, schemeFile))
	if err != nil {
		return "", fmt.Errorf("opening its file: %w", err)
	}
	defer func() { _ = file.Close() }()

	text, err := io.ReadAll(io.LimitReader(file, maxSecret))
	if err != nil {
		return "", fmt.Errorf("reading its file: %w", err)
	}

	return string(text), nil
}
