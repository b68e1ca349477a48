// Package proto holds what the recorder and the analysers agree on: the schema
// (trace.proto, FORMAT.md), the file container (tracefile), the system-call
// table (syscalls) and the state of the traced processes (world).
package proto

//go:generate protoc --proto_path=.. --go_out=.. --go_opt=module=sysreel proto/trace.proto
