package analyze

// Everything returns the options of a pass that decodes all of every block.
func Everything(o Options) Options {
	o.everything = true
	return o
}
