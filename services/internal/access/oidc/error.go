package oidc

import (
	"google.golang.org/grpc/codes"

	"hale.dev/services/internal/access"
)

// Reasons why a token is refused; docs/errors.md explains each.
const (
	reasonInvalid     = "OIDC_TOKEN_INVALID"
	reasonIssuer      = "OIDC_WRONG_ISSUER"
	reasonAudience    = "OIDC_WRONG_AUDIENCE"
	reasonEarly       = "OIDC_TOKEN_EARLY"
	reasonWorkspace   = "OIDC_NO_WORKSPACE"
	reasonRole        = "OIDC_NO_ROLE"
	reasonUnavailable = "OIDC_UNAVAILABLE"
)

var (
	errInvalid = &access.Error{
		Code: codes.Unauthenticated, Reason: reasonInvalid,
		Message: "the token is malformed, or not signed by the issuer in an allowed way",
	}
	errIssuer = &access.Error{
		Code: codes.Unauthenticated, Reason: reasonIssuer, Message: "the token is of another issuer",
	}
	errAudience = &access.Error{
		Code: codes.Unauthenticated, Reason: reasonAudience,
		Message: "the token was made for something else: its audience is not Hale's",
	}
	errEarly = &access.Error{
		Code: codes.Unauthenticated, Reason: reasonEarly, Message: "the token is not valid yet",
	}
	errWorkspace = &access.Error{
		Code: codes.PermissionDenied, Reason: reasonWorkspace, Message: "the token names no workspace",
	}
	errRole = &access.Error{
		Code: codes.PermissionDenied, Reason: reasonRole, Message: "the token gives no role: none of its groups has one here",
	}
	errUnavailable = &access.Error{
		Code: codes.Unavailable, Reason: reasonUnavailable,
		Message: "the issuer does not answer, so the token cannot be proven now; keys go on working",
	}
)
