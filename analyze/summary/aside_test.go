package summary

import (
	"testing"
	"unsafe"
)

// Rows take no more than is counted for them.
func TestSizes(t *testing.T) {
	for name, size := range map[string][2]uintptr{
		"row":     {unsafe.Sizeof(row{}), rowSize},
		"object":  {unsafe.Sizeof(object{}) + unsafe.Sizeof(objectKey{}), objectSize},
		"failure": {unsafe.Sizeof(failure{}) + unsafe.Sizeof(failKey{}), failureSize},
	} {
		if size[0] > size[1] {
			t.Errorf("a %s takes %d bytes, counted are %d", name, size[0], size[1])
		}
	}
}
