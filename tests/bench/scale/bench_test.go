package scale

import (
	"cmp"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/canister/storage"
	"kedge/ic/principal"
	"kedge/replica/exec"
	"kedge/tests/bench/machine"
	"kedge/tests/harness"
)

// BenchmarkScale measures everything and writes figures.txt. A million anchors take several GiB of memory.
func BenchmarkScale(b *testing.B) {
	for b.Loop() {
		t := machine.NewTable()
		var all []costs
		sizes := []int{1_000, 100_000, 1_000_000}
		for _, n := range sizes {
			all = append(all, grown(b, t, n))
		}
		compare(t, sizes, all)
		timer := idle(b)
		for _, n := range []int{1_000, 100_000} {
			t.Section("migration of %d anchors, by the timer", n)
			old, err := Build(n, storage.Layout1)
			require.NoError(b, err)
			migrate(b, t, "instructions for each anchor, layout 1 to 2 of Kedge", 50_000, n, old, timer)
			old, err = Old(n)
			require.NoError(b, err)
			migrate(b, t, "instructions for each anchor, layout 5 of Internet Identity to Kedge, with indexes", 120_000, n, old, timer)
		}
		require.NoError(b, os.WriteFile("figures.txt", []byte(t.String()), 0o644))
		b.Log("\n" + t.String())
	}
}

// grown builds n anchors, says what they take, and measures a canister that has them.
func grown(b *testing.B, t *machine.Table, n int) costs {
	begin := time.Now()
	mem, err := Build(n, 0)
	require.NoError(b, err)
	built := time.Since(begin)
	room, err := RoomOf(mem, n)
	require.NoError(b, err)
	open := counting{Memory: mem}
	_, err = storage.Open(&open)
	require.NoError(b, err)
	pages := mem.Size()

	begin = time.Now()
	h := harness.Found(b, principal.Canister(7), mem.Bytes())
	mem = nil //nolint:ineffassign // gigabytes: let them go
	loaded := time.Since(begin)
	debug.FreeOSMemory()

	each := func(bytes uint64) float64 { return float64(bytes) / float64(n) }
	t.Section("%d anchors", n)
	t.Add("building them on the host", "", "%s", built.Round(time.Millisecond))
	t.Add("  for each anchor, of four calls", "", "%s", (built / time.Duration(n)).Round(100*time.Nanosecond))
	t.Add("loading them into a canister and upgrading it to Kedge", "", "%s", loaded.Round(time.Millisecond))
	t.Add("stable memory", "", "%.1f MiB", float64(pages*storage.PageSize)/(1<<20))
	t.Add("bytes for each anchor: slot and overflow", machine.Goal("≤ 1,024", room.Overflow == 0), "%.0f", each(room.Slots+room.Overflow))
	t.Add("  of them used, with three devices", "", "%.0f", each(room.Used))
	t.Add("  index", "", "%.1f", each(room.Index))
	t.Add("  history", "", "%.1f", each(room.History))
	t.Add("opening the memory reads", "the same", "%d bytes in %d reads", open.bytes, open.reads)
	return measure(b, h, n)
}

// counting counts what is read of a memory.
type counting struct {
	storage.Memory
	reads, bytes int
}

func (c *counting) ReadAt(p []byte, off uint64) error {
	c.reads++
	c.bytes += len(p)
	return c.Memory.ReadAt(p, off)
}

// costs are what methods cost, in a fixed order.
type costs []cost

type cost struct {
	method string
	// instructions of the median sample, those of them that pages cost, and its pages of 64 KiB of stable memory
	instructions, pages, stable uint64
}

// own are the instructions without those that pages cost.
func (c cost) own() uint64 { return c.instructions - c.pages }

// samples is how many anchors, spread over all of them, a method is measured on. Odd, for the median.
const samples = 15

func measure(b *testing.B, h *harness.Harness, n int) costs {
	var out costs
	note := func(method string, times int, run func(sample int)) {
		var seen []cost
		for s := range times {
			run(s)
			r, err := h.Net.LastReport(h.Canister)
			require.NoError(b, err)
			seen = append(seen, cost{method, r.Instructions, r.PageCharges, r.StableRead + r.StableWritten})
		}
		slices.SortFunc(seen, func(a, b cost) int { return cmp.Compare(a.own(), b.own()) })
		out = append(out, seen[len(seen)/2])
	}
	index := func(sample int) int { return (2*sample + 1) * n / (2 * samples) }
	first := func(sample int) *harness.Device { return deviceOf(DevicesOf(index(sample))[0]) }
	note("upgrade, which opens the memory", 1, func(int) { h.Upgrade() })
	h.Pass(time.Second)
	query := func(as principal.Principal, method string, arg []byte) {
		_, err := h.Query(as, method, arg)
		require.NoError(b, err)
	}
	note("lookup", samples, func(s int) {
		query(principal.Anonymous, "lookup", kedge.EncodeLookupArgs(uint64(First+index(s))))
	})
	note("lookup_by_credential", samples, func(s int) {
		query(principal.Anonymous, "lookup_by_credential", kedge.EncodeLookupByCredentialArgs(first(s).Data.CredentialID, nil))
	})
	// The first edits after an upgrade read the upper nodes of the index, which are remembered from then on.
	for i := range 4 * samples {
		h.Register(deviceOf(DevicesOf(n + samples + i)[0]))
	}
	note("add", samples, func(s int) {
		another := deviceOf(DevicesOf(n + s)[1])
		require.NoError(b, h.Add(uint64(First+index(s)), first(s), another))
	})
	note("get_anchor_info", samples, func(s int) { h.Info(uint64(First+index(s)), first(s)) })
	note("register", samples, func(s int) { h.Register(deviceOf(DevicesOf(n + s)[0])) })
	return out
}

// flat is how much more the largest memory may cost than the smallest.
const flat = 1.05

// compare writes what methods cost beside each other.
func compare(t *machine.Table, sizes []int, all []costs) {
	side := func(heading string, goal func(float64) string, of func(cost) uint64) {
		t.Section("%s", heading)
		for i, c := range all[0] {
			var line string
			for _, costs := range all {
				line += fmt.Sprintf("%10d", of(costs[i]))
			}
			ratio := float64(of(all[len(all)-1][i])) / float64(of(c))
			t.Add(c.method, goal(ratio), "%s  1 : %.3f", line, ratio)
		}
	}
	none := func(float64) string { return "" }
	with := fmt.Sprintf(" with %v anchors, and the last to the first", sizes)
	side("instructions without those that pages cost"+with, func(ratio float64) string { return machine.Goal("≤ 1.05", ratio <= flat) }, cost.own)
	side("instructions with those that pages cost"+with, none, func(c cost) uint64 { return c.instructions })
	side("pages of 64 KiB of stable memory, accesses and writes"+with, none, func(c cost) uint64 { return c.stable })
}

// migrate installs Kedge over a memory and lets its timer work until nothing is under way. idle is what the
// first run of the timer costs where there is nothing to migrate.
func migrate(b *testing.B, t *machine.Table, what string, goal uint64, n int, mem *storage.RAM, idle exec.Report) {
	h := harness.Found(b, principal.Canister(7), mem.Bytes()) // lets the timer run once
	var sum, own, most uint64
	batches := 0
	for {
		r, err := h.Net.LastReport(h.Canister)
		require.NoError(b, err)
		batches++
		sum, own, most = sum+r.Instructions, own+ownOf(r), max(most, r.Instructions)
		if settled(b, h) {
			break
		}
		require.Less(b, batches, 10_000, "the migration does not end")
		h.Pass(time.Second)
	}
	each := (sum - idle.Instructions) / uint64(n)
	t.Add(what, machine.Goal(fmt.Sprintf("≤ %d", goal), each <= goal), "%d", each)
	t.Add("  without those that pages cost", "", "%d", (own-ownOf(idle))/uint64(n))
	t.Add("  batches, and instructions of the largest", "", "%d, %d", batches, most)
}

// idle is what the first run of the timer costs.
func idle(b *testing.B) exec.Report {
	mem, err := Build(1, 0)
	require.NoError(b, err)
	h := harness.Found(b, principal.Canister(7), mem.Bytes())
	r, err := h.Net.LastReport(h.Canister)
	require.NoError(b, err)
	return r
}

func ownOf(r exec.Report) uint64 {
	return r.Instructions - r.PageCharges
}

// settled reports whether no migration is under way.
func settled(b *testing.B, h *harness.Harness) bool {
	reply, err := h.Query(h.Operator, "migration_status", kedge.EncodeMigrationStatusArgs())
	require.NoError(b, err)
	result, err := kedge.DecodeMigrationStatusResult(reply)
	require.NoError(b, err)
	require.Equal(b, kedge.MigrationStatusResultTagOk, result.Tag)
	return result.Ok.Step == nil
}
