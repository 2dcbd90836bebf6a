package client

import (
	"encoding/json"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
)

// The shapes of gRPC's service config, as far as they are needed.
//
//nolint:tagliatelle // the names are gRPC's, in camelCase
type (
	config struct {
		MethodConfig []methodConfig `json:"methodConfig"`
	}
	methodConfig struct {
		Name        []methodName `json:"name"`
		RetryPolicy retryPolicy  `json:"retryPolicy"`
	}
	methodName struct {
		Service string `json:"service"`
		Method  string `json:"method"`
	}
	retryPolicy struct {
		MaxAttempts          int      `json:"maxAttempts"`
		InitialBackoff       string   `json:"initialBackoff"`
		MaxBackoff           string   `json:"maxBackoff"`
		BackoffMultiplier    float64  `json:"backoffMultiplier"`
		RetryableStatusCodes []string `json:"retryableStatusCodes"`
	}
)

// serviceConfig lets gRPC try reads again that were answered UNAVAILABLE. Which calls are reads, the protos say; a
// call that changes something is never sent twice.
func serviceConfig() string {
	var reads []methodName

	for _, file := range []protoreflect.FileDescriptor{
		healthv1.File_hale_health_v1_health_proto, adminv1.File_hale_admin_v1_admin_proto,
	} {
		for i := range file.Services().Len() {
			s := file.Services().Get(i)
			for j := range s.Methods().Len() {
				if m := s.Methods().Get(j); read(m) {
					reads = append(reads, methodName{Service: string(s.FullName()), Method: string(m.Name())})
				}
			}
		}
	}

	text, err := json.Marshal(config{MethodConfig: []methodConfig{{Name: reads, RetryPolicy: retryPolicy{
		MaxAttempts: 5, InitialBackoff: "0.1s", MaxBackoff: "2s", BackoffMultiplier: 2,
		RetryableStatusCodes: []string{"UNAVAILABLE"},
	}}}})
	if err != nil {
		panic("client: " + err.Error()) // texts and numbers can always be written
	}

	return string(text)
}

// read reports whether the protos say that a call has no side effects.
func read(m protoreflect.MethodDescriptor) bool {
	o, ok := m.Options().(*descriptorpb.MethodOptions)

	return ok && o.GetIdempotencyLevel() == descriptorpb.MethodOptions_NO_SIDE_EFFECTS
}
