// Package oidc lets people in who have signed in at an OpenID Connect issuer: it proves the tokens that the issuer
// signed, and reads workspace and role from their claims. It never signs anybody in, and it keeps no token.
//
// The issuer is asked for its keys when the first token comes, and again for a key that is not known; it may be away at
// any time, and those who have Hale's own keys do not notice.
package oidc
