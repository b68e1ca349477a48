// Package proto holds what the recorder and the analysers agree on: the schema
// (trace.proto, FORMAT.md), the file container (tracefile), the system-call
// table (syscalls) and the state of the traced processes (world).
package proto

// Made with protoc 3.21.12 and protoc-gen-go 1.36.12, the version of
// google.golang.org/protobuf in go.mod.
//
//go:generate protoc --proto_path=.. --go_out=.. --go_opt=module=sysreel proto/trace.proto
