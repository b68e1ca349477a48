package latency

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"unsafe"
)

// Every duration lies in its bucket, buckets join without gap or overlap, and
// none is wider than 3 % of its lower bound.
func TestBuckets(t *testing.T) {
	last := int64(0)
	for i := 0; i < numBuckets; i++ {
		low, high := bounds(i)
		if low < 0 || low == math.MaxInt64 {
			break
		}
		if low != last {
			t.Fatalf("bucket %d begins at %d, the one before ends at %d", i, low, last)
		}
		if i >= exact && float64(high-low) > 0.03*float64(low) {
			t.Fatalf("bucket %d [%d,%d) is %.1f %% wide", i, low, high, 100*float64(high-low)/float64(low))
		}
		if bucketOf(low) != i || high != math.MaxInt64 && bucketOf(high-1) != i {
			t.Fatalf("bucket %d [%d,%d): its ends are in %d and %d", i, low, high, bucketOf(low), bucketOf(high-1))
		}
		if last = high; high == math.MaxInt64 {
			break
		}
	}
	if last != math.MaxInt64 {
		t.Errorf("the last bucket ends at %d", last)
	}
	if bucketOf(-5) != 0 {
		t.Error("a negative duration is not in the first bucket")
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 1_000_000 {
		ns := r.Int64() >> r.IntN(63)
		if low, high := bounds(bucketOf(ns)); ns < low || ns >= high && ns < math.MaxInt64 {
			t.Fatalf("%d is in the bucket [%d,%d)", ns, low, high)
		}
	}
	if low, high := bounds(bucketOf(math.MaxInt64)); high != math.MaxInt64 || low <= 0 {
		t.Errorf("the longest duration is in the bucket [%d,%d)", low, high)
	}
	for _, ns := range []int64{1e3, 2e3, 5e3, 1e6, 2e9, 5e12} {
		if low, _ := bounds(bucketOf(ns)); low != ns {
			t.Errorf("%d is not a boundary: its bucket begins at %d", ns, low)
		}
	}
}

// durations are like those of a trace: a few modes, a long tail, equal ones.
func durations(r *rand.Rand, n int) []int64 {
	ds := make([]int64, n)
	for i := range ds {
		switch r.IntN(10) {
		case 0:
			ds[i] = r.Int64N(100)
		case 1:
			ds[i] = 25000
		case 2:
			ds[i] = int64(math.Exp(r.Float64() * 40)) // up to 2·10¹⁷
		default:
			ds[i] = int64(20000 * math.Exp(r.NormFloat64()))
		}
	}
	return ds
}

func TestQuantileAgainstSorting(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 2, 3, 10, 99, 1000, 50000} {
		ds := durations(r, n)
		var h Histogram
		for i, d := range ds {
			h.Add(d, uint64(i+1), 0)
		}
		slices.Sort(ds)
		if h.Min != ds[0] || h.Max != ds[n-1] {
			t.Errorf("%d durations: min %d max %d, want %d %d", n, h.Min, h.Max, ds[0], ds[n-1])
		}
		for _, q := range []float64{0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1} {
			rank := max(int(math.Ceil(q*float64(n))), 1)
			want, got := ds[rank-1], h.Quantile(q)
			if bucketOf(want) != bucketOf(got) {
				t.Errorf("%d durations: quantile %v is %d, want %d", n, q, got, want)
			}
		}
	}
}

// Shards merged in any order give what counting everything at once gives.
func TestMergeIsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for trial := range 50 {
		ds := durations(r, 1+r.IntN(3000))
		var whole Histogram
		shards := make([]Histogram, 1+r.IntN(6))
		for i, d := range ds {
			whole.Add(d, uint64(i+1), 0)
			shards[r.IntN(len(shards))].Add(d, uint64(i+1), 0)
		}
		r.Shuffle(len(shards), func(i, j int) { shards[i], shards[j] = shards[j], shards[i] })
		var merged Histogram
		for i := range shards {
			merged.Merge(&shards[i])
		}
		if !reflect.DeepEqual(whole.Buckets(), merged.Buckets()) {
			t.Fatalf("trial %d: the buckets of %d merged shards differ from the whole", trial, len(shards))
		}
		var decoded Histogram
		rest, err := decoded.Decode(append(merged.Append(nil), "rest"...))
		if err != nil || string(rest) != "rest" || !reflect.DeepEqual(decoded.Buckets(), merged.Buckets()) {
			t.Fatalf("trial %d: written and read it differs; left is %q: %v", trial, rest, err)
		}
		for _, h := range []*Histogram{&whole, &merged, &decoded} {
			h.few, h.chunks, h.size = nil, nil, 0
		}
		if !reflect.DeepEqual(decoded, merged) {
			t.Fatalf("trial %d:\nwritten %+v\nread    %+v", trial, merged, decoded)
		}
		if !reflect.DeepEqual(whole, merged) {
			t.Fatalf("trial %d:\nwhole  %+v\nmerged %+v", trial, whole, merged)
		}
	}
}

// A histogram knows what it takes.
func TestBytes(t *testing.T) {
	var h Histogram
	for i, d := range durations(rand.New(rand.NewPCG(7, 8)), 3000) {
		h.Add(d, uint64(i), 0)
		want := 8 * cap(h.few)
		if h.chunks != nil {
			want += int(unsafe.Sizeof(*h.chunks))
			for _, c := range h.chunks {
				if c != nil {
					want += int(unsafe.Sizeof(*c))
				}
			}
		}
		if h.Bytes() != want {
			t.Fatalf("after %d durations it says %d bytes, it has %d", i+1, h.Bytes(), want)
		}
	}
}

// Counts beyond 32 bits survive the compact form.
func TestLargeCounts(t *testing.T) {
	var h Histogram
	h.Add(1000, 1, 0)
	for range 40 {
		o := h
		o.few = slices.Clone(h.few)
		h.Merge(&o)
	}
	if b := h.Buckets(); len(b) != 1 || b[0].Count != 1<<40 {
		t.Errorf("got %v, want one bucket of %d", b, uint64(1<<40))
	}
}

func BenchmarkAdd(b *testing.B) {
	ds := durations(rand.New(rand.NewPCG(5, 6)), 1<<14)
	var h Histogram
	for i := 0; b.Loop(); i++ {
		h.Add(ds[i%len(ds)], uint64(i), 0)
	}
}

func TestHistogramSize(t *testing.T) {
	if n := unsafe.Sizeof(Histogram{}); n > histogramSize {
		t.Errorf("a Histogram takes %d bytes, counted are %d", n, histogramSize)
	}
}
