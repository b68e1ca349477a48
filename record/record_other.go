//go:build !(linux && (amd64 || arm64))

package record

import "context"

func run(context.Context, Options) (Result, error) {
	return Result{}, unsupported("it needs Linux on amd64 or arm64; traces can be read here")
}

// Hold fails here.
func Hold(Options) (Held, func() error, error) { return Held{}, nil, unsupported("it needs Linux") }

// OuterPIDs returns a function that finds nothing here.
func OuterPIDs() func(namespace uint64, id int32) int32 {
	return func(uint64, int32) int32 { return 0 }
}

// Die does nothing here.
func Die(signo int) {}
