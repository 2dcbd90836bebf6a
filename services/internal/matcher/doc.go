// Package matcher compares fields of alerts with texts. Routes and silences are written with it: severity="critical",
// owner=~"a.*". What is done with an alert that matches is not known here.
package matcher
