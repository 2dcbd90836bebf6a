package sender

import (
	"math"
	"net/url"
	"strconv"
	"strings"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
)

// states are those of alerts, the most urgent first.
func states() []alertv1.State {
	return []alertv1.State{
		alertv1.State_STATE_FIRING, alertv1.State_STATE_ACKNOWLEDGED, alertv1.State_STATE_SNOOZED, alertv1.State_STATE_RESOLVED,
	}
}

// statusOf is the most urgent state among alerts.
func statusOf(alerts []*alertv1.Transition) string {
	for _, state := range states() {
		for _, t := range alerts {
			if t.GetAlert().GetState() == state {
				return stateText(state)
			}
		}
	}

	return ""
}

func stateName(a *alertv1.Alert) string { return stateText(a.GetState()) }

func stateText(s alertv1.State) string { return enumName(s.String(), "STATE_") }

func severityName(a *alertv1.Alert) string { return enumName(a.GetSeverity().String(), "SEVERITY_") }

func kindName(k alertv1.Transition_Kind) string { return enumName(k.String(), "KIND_") }

func bandName(s *alertv1.Subject) string { return enumName(s.GetBand().String(), "BAND_") }

func stageName(s *alertv1.Subject) string { return enumName(s.GetStage().String(), "STAGE_") }

// enumName is the name of an enum's member as it is written everywhere else; empty: not said.
func enumName(name, prefix string) string {
	name = strings.ToLower(strings.TrimPrefix(name, prefix))
	if name == "unspecified" {
		return ""
	}

	return name
}

// viewNumber shows a number with at most two decimals; empty: there is none.
func viewNumber(value *float64) string {
	if value == nil || math.IsNaN(*value) || math.IsInf(*value, 0) {
		return ""
	}

	text := strconv.FormatFloat(*value, 'f', 2, 64)
	text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")

	if text == "-0" {
		return "0"
	}

	return text
}

// viewChange shows a number with its sign.
func viewChange(change float64) string {
	text := viewNumber(&change)
	if change > 0 {
		return "+" + text
	}

	return text
}

// viewMoney shows whole units of a currency, in groups of three digits; empty: there are none.
func viewMoney(value *float64, currency string) string {
	if value == nil || math.IsNaN(*value) || math.Abs(*value) >= 1e15 {
		return ""
	}

	digits := strconv.FormatFloat(math.Abs(math.Round(*value)), 'f', 0, 64)
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}

	if *value <= -0.5 {
		digits = "-" + digits
	}

	return strings.TrimSpace(digits + " " + currency)
}

// webURL returns an address of the web as it can stand in every kind of text, and nothing for what is none.
func webURL(text string) string {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return ""
	}

	return strings.NewReplacer("<", "%3C", ">", "%3E", "|", "%7C", `"`, "%22", "'", "%27", " ", "%20").Replace(u.String())
}
