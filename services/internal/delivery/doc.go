// Package delivery keeps what became of notifications, in the JetStream stream NOTIFY: which transition of an alert goes
// to which receiver, in which notice, and how that ended. Service notify writes it and is a fold of it; the query service
// shows it. What is delivered when is decided by service notify.
//
// The stream holds one message for each subject, the newest. Writers say which one they replace, so that of two
// services that both think they lead only one goes on.
package delivery
