// Package telemetry holds what a Hale process tells about itself: the tracer and meter
// providers, the logger, the named readiness checks, and the admin HTTP server that shows
// metrics, health and profiles.
//
// It registers nothing globally. Instruments and spans live with the components that
// record them; this package only makes the providers they are given.
package telemetry
