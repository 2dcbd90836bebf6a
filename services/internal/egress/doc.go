// Package egress is the one way out to addresses that people configure: receivers of alerts, mail servers. It keeps
// Hale from being used to reach what only Hale's machine can reach.
//
// An address is judged when it is dialed, after its name was resolved, so a name that resolves to something else the
// second time gains nothing. Redirects are not followed, proxies of the environment are not used, and bodies of answers
// are bounded. What may be reached nevertheless is a list in the configuration. What is sent is not known here.
package egress
