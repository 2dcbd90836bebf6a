package config

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// Prefix is what every environment variable begins with.
const Prefix = "HALE_"

// SecretPrefix is what variables begin with that hold secrets of receivers. They are no settings: documents name them.
const SecretPrefix = Prefix + "SECRET_"

// Set is a list of settings. The zero value is empty. It is not safe for concurrent use.
type Set struct {
	settings []*Setting
	ignored  map[string]bool
}

// Setting is one declared setting, bound to a variable.
type Setting struct {
	// Key is its place in the file, levels joined by dots: `ingest.http`.
	Key string
	// Flag is its name on the command line, without the dashes: `ingest-http`.
	Flag string
	// Variable is its name in the environment: `HALE_INGEST_HTTP`.
	Variable string
	// Usage says what it is for, in one line without a full stop.
	Usage string
	// Default is the value nobody set, as text.
	Default string

	short  string
	value  pflag.Value
	hidden bool
	origin string
	flag   *pflag.Flag
}

// Option changes how a setting is declared.
type Option func(*Setting)

// Secret hides the setting's value when the configuration is printed.
func Secret() Option { return func(s *Setting) { s.hidden = true } }

// Named gives the setting a flag of its own instead of one made from the key; the variable
// follows the flag.
func Named(flag string) Option { return func(s *Setting) { s.name(flag) } }

// Flag gives the setting a flag of its own; the variable still follows the key.
func Flag(name string) Option { return func(s *Setting) { s.Flag = name } }

// Short gives the flag a one-letter form.
func Short(letter string) Option { return func(s *Setting) { s.short = letter } }

// Var declares a setting. The value holds its default. Declaring a key, flag or variable
// twice is a programming error and panics.
func (s *Set) Var(value pflag.Value, key, usage string, options ...Option) {
	setting := &Setting{Key: key, Usage: usage, Default: value.String(), value: value, origin: originDefault}
	setting.name(strings.NewReplacer(".", "-", "_", "-").Replace(key))

	for _, option := range options {
		option(setting)
	}

	for _, other := range s.settings {
		if other.Key == setting.Key || other.Flag == setting.Flag || other.Variable == setting.Variable {
			panic(fmt.Sprintf("settings %q and %q share a name", other.Key, setting.Key))
		}
	}

	s.settings = append(s.settings, setting)
}

// Ignore names variables that begin with Prefix and are no settings.
func (s *Set) Ignore(variables ...string) {
	if s.ignored == nil {
		s.ignored = make(map[string]bool)
	}

	for _, v := range variables {
		s.ignored[v] = true
	}
}

// AddFlags adds a flag for every setting whose key lies in one of the groups: the group
// `ingest` holds the key `ingest` and all that begin with `ingest.`.
func (s *Set) AddFlags(flags *pflag.FlagSet, groups ...string) {
	for _, setting := range s.settings {
		if !setting.in(groups) {
			continue
		}

		flag := flags.VarPF(setting.value, setting.Flag, setting.short, setting.Usage+" ["+setting.Variable+"]")
		if b, ok := setting.value.(interface{ IsBoolFlag() bool }); ok && b.IsBoolFlag() {
			flag.NoOptDefVal = "true"
		}

		if setting.Default == "0s" {
			flag.DefValue = "0" // help leaves out defaults that it knows to be zero
		}

		setting.flag = flag
	}
}

func (s *Setting) name(flag string) {
	s.Flag = flag
	s.Variable = Prefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

func (s *Setting) in(groups []string) bool {
	for _, g := range groups {
		if s.Key == g || strings.HasPrefix(s.Key, g+".") {
			return true
		}
	}

	return false
}

func (s *Set) byKey(key string) *Setting {
	for _, setting := range s.settings {
		if setting.Key == key {
			return setting
		}
	}

	return nil
}

// holds tells whether key is a level above settings, such as `ingest`.
func (s *Set) holds(key string) bool {
	for _, setting := range s.settings {
		if strings.HasPrefix(setting.Key, key+".") {
			return true
		}
	}

	return false
}
