package query

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc/codes"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	documents "hale.dev/services/internal/document"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/rule"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/internal/settings"
	"hale.dev/services/notify/receiver"
)

// documentKind is a kind of document that a workspace has one of.
type documentKind struct {
	name    string // for people
	reason  string // of a refusal
	stored  func(*settings.Settings) *settings.Documents
	shipped func() []byte // what applies where none is stored
	check   func(doc string) documents.Problems
}

// publishedKind is one that takes effect by a record in every partition's log.
type publishedKind struct {
	documentKind

	marks  func(*settings.Settings) *settings.PublishedDocuments
	record func(version uint64, doc []byte) *logv1.Record
}

func scorecards() publishedKind {
	return publishedKind{
		documentKind: documentKind{
			name: "scorecards", reason: reasonScorecards, shipped: scorecard.ShippedDocument,
			stored: func(s *settings.Settings) *settings.Documents { return &s.Scorecards().Documents },
			check:  checkedBy[scorecard.Problems](scorecard.Parse),
		},
		marks: (*settings.Settings).Scorecards,
		record: func(version uint64, doc []byte) *logv1.Record {
			return &logv1.Record{Payload: &logv1.Record_SetScorecards{
				SetScorecards: &logv1.SetScorecards{Version: version, Document: doc},
			}}
		},
	}
}

func alertRules() publishedKind {
	return publishedKind{
		documentKind: documentKind{
			name: "rules", reason: reasonRules, shipped: rule.ShippedDocument,
			stored: func(s *settings.Settings) *settings.Documents { return &s.Rules().Documents },
			check:  checkedBy[rule.Problems](rule.Parse),
		},
		marks: (*settings.Settings).Rules,
		record: func(version uint64, doc []byte) *logv1.Record {
			return &logv1.Record{Payload: &logv1.Record_SetRules{
				SetRules: &logv1.SetRules{Version: version, Document: doc},
			}}
		},
	}
}

func receivers() documentKind {
	return documentKind{
		name: "receivers", reason: reasonReceivers, shipped: func() []byte { return nil },
		stored: (*settings.Settings).Receivers,
		check:  checkedBy[receiver.Problems](receiver.Parse),
	}
}

// checkedBy says what is wrong with a document, by its parser's error of type P, which is the only one it has.
func checkedBy[P interface {
	~[]documents.Problem
	error
}, T any](parse func([]byte) (T, error)) func(string) documents.Problems {
	return func(doc string) documents.Problems {
		_, err := parse([]byte(doc))
		found, _ := errors.AsType[P](err)

		return documents.Problems(found)
	}
}

// currentDocument returns the document in force in the caller's workspace: the stored one, or version 0, the shipped one.
func (s *Service) currentDocument(ctx context.Context, kind documentKind) (version uint64, doc string, err error) {
	ws, err := workspace(ctx)
	if err != nil {
		return 0, "", err
	}

	version, stored, err := kind.stored(s.deps.Settings).Get(ctx, ws)
	if err != nil {
		return 0, "", unavailable(reasonSettings, "the settings cannot be read now", err)
	}

	if version == 0 {
		stored = kind.shipped()
	}

	return version, string(stored), nil
}

// storeDocument checks a document of the caller's workspace and stores it.
func (s *Service) storeDocument(ctx context.Context, kind documentKind, doc string) (ws string, version uint64, err error) {
	if ws, err = workspace(ctx); err != nil {
		return "", 0, err
	}

	if found := kind.check(doc); len(found) > 0 {
		return "", 0, errDocument(kind, found)
	}

	version, err = kind.stored(s.deps.Settings).Put(ctx, ws, []byte(doc))
	if err != nil {
		return "", 0, unavailable(reasonSettings, "the settings cannot be written now", err)
	}

	return ws, version, nil
}

// applyDocument puts a document of the caller's workspace in force. It is stored first: should publishing it fail, it
// is made up for by reconcile.
func (s *Service) applyDocument(
	ctx context.Context, kind publishedKind, doc string,
) (version uint64, token string, err error) {
	ws, version, err := s.storeDocument(ctx, kind.documentKind, doc)
	if err != nil {
		return 0, "", err
	}

	written, err := s.publish(ctx, kind, ws, version, []byte(doc))
	if err != nil {
		return 0, "", &Error{
			Code: codes.Unavailable, Reason: reasonPublishing, cause: err,
			Message: fmt.Sprintf("the %s are stored as version %d and take effect as soon as the log can be "+
				"written; there is no need to apply them again", kind.name, version),
		}
	}

	return version, written.String(), nil
}

// publish writes a version of a workspace's document into every partition's log and marks it as published. Doing so
// twice is harmless: the fold passes over a version that is not newer.
func (s *Service) publish(
	ctx context.Context, kind publishedKind, ws string, version uint64, doc []byte,
) (eventlog.Token, error) {
	layout := s.deps.Log.Layout()
	record := kind.record(version, doc)
	record.Workspace = ws

	items := make([]eventlog.Item, layout.Partitions)
	for p := range items {
		items[p] = eventlog.Item{Partition: p, Record: record}
	}

	token, err := s.writer.Write(ctx, items)
	if err != nil {
		return token, fmt.Errorf("publishing %s %d of %q: %w", kind.name, version, ws, err)
	}

	if err := kind.marks(s.deps.Settings).MarkPublished(ctx, ws, layout.ID, version); err != nil {
		s.deps.Logger.WarnContext(ctx, kind.name+" will be published again", "workspace", ws, "error", err)
	}

	return token, nil
}

// problems are what is wrong with a document, as an answer.
func problems(found documents.Problems) []*adminv1.Problem {
	all := make([]*adminv1.Problem, 0, len(found))
	for _, p := range found {
		all = append(all, &adminv1.Problem{Field: p.Field, Code: p.Code, Message: p.Message})
	}

	return all
}

// errDocument lists what is wrong with a document.
func errDocument(kind documentKind, found documents.Problems) *Error {
	e := &Error{Code: codes.InvalidArgument, Reason: kind.reason, Message: found.Describe(kind.name + " document")}

	for _, p := range found {
		field := "document"
		if p.Field != "" {
			field += "." + p.Field
		}

		e.Violations = append(e.Violations, Violation{Field: field, Code: p.Code, Message: p.Message})
	}

	return e
}
