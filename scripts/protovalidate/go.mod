// Pins the module whose file buf/validate/validate.proto the protos import. Nothing in it is Go, so `go mod tidy`
// would drop the requirement: this module is not tidied. scripts/validate-proto lays the file.
module hale.dev/scripts/protovalidate

go 1.26.0

require github.com/bufbuild/protovalidate v1.2.2
