//go:build !(linux && (amd64 || arm64))

package record

import "context"

func run(context.Context, Options) (Result, error) {
	return Result{}, unsupported("it needs Linux on amd64 or arm64; traces can be read here")
}

// Die does nothing here.
func Die(signo int) {}
