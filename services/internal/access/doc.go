// Package access decides who may call: it makes keys, keeps a set of their hashes in memory, and checks the
// credentials of gRPC and HTTP requests. What a caller may see follows from the key alone, or from a token that package
// oidc has proven: its workspace and its role. Where keys are stored is the business of package settings.
package access
