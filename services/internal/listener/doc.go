// Package listener secures what other machines connect to: it reads the certificate of a listener, asks clients for
// theirs where that is wanted, and reads both again when their files change. Who a client is in Hale follows from
// its key or token, never from its certificate.
package listener
