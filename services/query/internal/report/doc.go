// Package report turns the business review of an account into a document: Markdown, or one HTML page that needs nothing
// from elsewhere. What the review says is put together by package query.
package report
