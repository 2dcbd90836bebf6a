// Package directory knows the accounts of users: which account a user belonged to at a time, and which users are one.
//
// It lives in the key-value bucket hale_directory, with a cache in front that hears of what other processes write.
// Events and their routing live in the ingest service; nothing here knows what an event is.
package directory
