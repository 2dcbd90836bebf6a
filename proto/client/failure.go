package client

import (
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"
)

// Reason is the stable reason of an error of Hale, for example ACCOUNT_NOT_FOUND; empty: it has none. The codes page of
// the documentation lists all.
func Reason(err error) string {
	for _, d := range status.Convert(err).Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			return info.GetReason()
		}
	}

	return ""
}

// Violation is a field of a request that breaks its rules.
type Violation struct {
	// Field is its path, for example account_id.
	Field string
	// Description says what is wrong, for people.
	Description string
	// Code is the stable code of the rule, for programs.
	Code string
}

// Violations are the fields of the request that an error names; none: it names no field.
func Violations(err error) []Violation {
	var all []Violation

	for _, d := range status.Convert(err).Details() {
		if bad, ok := d.(*errdetails.BadRequest); ok {
			for _, v := range bad.GetFieldViolations() {
				all = append(all, Violation{Field: v.GetField(), Description: v.GetDescription(), Code: v.GetReason()})
			}
		}
	}

	return all
}
