package sender

import (
	"fmt"
	"strconv"
	"strings"
)

// defaultTitle is Hale's own headline.
func defaultTitle(v *view) string {
	if len(v.Alerts) == 0 {
		return "Hale: no alerts"
	}

	first := v.Alerts[0]
	if len(v.Alerts) == 1 && v.More == "" {
		return fmt.Sprintf("[%s] %s: %s", strings.ToUpper(first.State), first.Name, first.about())
	}

	names := map[string]bool{}
	for _, a := range v.Alerts {
		names[a.Account+"\x00"+a.Name] = true
	}

	if len(names) == 1 && v.More == "" {
		return fmt.Sprintf("[%s] %s", v.Counts, first.Name)
	}

	return fmt.Sprintf("[%s] %s and %s", v.Counts, first.Name, others(len(names)-1, v.More))
}

// about is what an alert says, in a few words.
func (a *alertView) about() string {
	text := a.Summary
	if text == "" {
		text = a.Rule
	}

	switch a.What {
	case "fired", "resolved", "acknowledged", "snoozed", "":
		return text
	default:
		return a.What + ": " + text
	}
}

func others(names int, more string) string {
	if more != "" {
		return "others"
	}

	if names == 1 {
		return "another account"
	}

	return strconv.Itoa(names) + " other accounts"
}

// subject is the id of what an alert is about.
func (a *alertView) subject() string {
	if a.Account != "" {
		return a.Account
	}

	return a.Source
}
