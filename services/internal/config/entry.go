package config

import "regexp"

// Hidden stands for a secret when the configuration is printed.
const Hidden = "(hidden)"

// Entry is the effective value of a setting, fit for printing.
type Entry struct {
	// Key, Flag and Variable are the setting's names.
	Key      string `json:"key"`
	Flag     string `json:"flag"`
	Variable string `json:"variable"`
	// Value is the effective value; secrets and passwords in URLs are hidden.
	Value string `json:"value"`
	// Default is the value nobody set.
	Default string `json:"default"`
	// Origin says who set the value: `default`, `file hale.yaml:3`, `environment HALE_DATA`, `flag --data`.
	Origin string `json:"origin"`
	// Usage says what the setting is for.
	Usage string `json:"usage"`
}

// Entries returns every setting in the order of declaration.
func (s *Set) Entries() []Entry {
	entries := make([]Entry, 0, len(s.settings))

	for _, setting := range s.settings {
		entries = append(entries, Entry{
			Key: setting.Key, Flag: setting.Flag, Variable: setting.Variable,
			Value: setting.shown(), Default: setting.Default, Origin: setting.origin, Usage: setting.Usage,
		})
	}

	return entries
}

func (s *Setting) shown() string {
	value := s.value.String()

	if s.hidden && value != "" {
		return Hidden
	}

	return credentials.ReplaceAllString(value, "://"+Hidden+"@")
}

// credentials matches the user and password, or the token, of each URL in a list.
var credentials = regexp.MustCompile(`://[^\s,]*@`)
